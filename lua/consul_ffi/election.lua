--- Leader election: `client:election(options)`.
---
---     local election = assert(client:election({ key = "app/leader", value = "node-1" }))
---     if election:wait_elected(5000) then
---         while election:is_leader() do
---             work(election:fencing_token())
---         end
---     end
---     election:resign()
---
--- It campaigns in the background from its start until it resigns: while Consul is away, while another
--- candidate leads, and again after it has lost.
---
--- Options: `key`, `value` (what the others read while this one leads), the times `session_ttl_ms` and
--- `lock_delay_ms`, 15,000 unless set, `ephemeral` (the key goes with its leader), `session` (a
--- description of the session otherwise), `adopt` (false: leave a key alone that was written without
--- flags), `observe_only`, the time `monitor_retry_ms` for which the key may be unreadable before the
--- leader counts as lost, and `token`, `datacenter`, `namespace`, `partition`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local call = require("consul_ffi.call")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local session_spec = require("consul_ffi.session_spec")
local shown = require("consul_ffi.shown")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local begin, of, plain = call.begin, call.of, call.plain
local codes = errors.codes
local box, leader_box = result.box("election"), result.box("leader")

local Election = {}
Election.__index = Election
Election.__tostring = shown("election", function(election)
    return election.key
end)

local function set_session(handle, description)
    local own, problem = session_spec.open(description)
    if not own then
        return nil, problem
    end
    local status = C.consul_election_spec_set_session_spec(handle, own)
    session_spec.close(own)
    return status
end

local KIND = spec.kind({
    type = "election_spec",
    required = { "key" },
    setters = {
        value = spec.bytes,
        session_ttl_ms = spec.number,
        lock_delay_ms = spec.number,
        ephemeral = spec.flag,
        session = set_session,
        adopt = spec.flag,
        observe_only = spec.flag,
        monitor_retry_ms = spec.number,
    },
})

--- Starts an election. That Consul is away is no error.
local function new(client, options)
    check.type(options, "table", "options")
    local call, out = begin(client, options, KIND.own, "key", options.key), box()
    local native = call:with(spec.open(KIND, spec.part(KIND, options)))
    local status = call.settings and C.consul_election_spec_set_options(native, call.settings) or codes.OK
    if status == codes.OK then
        status = C.consul_election_start(call.handle, native, out)
    end
    spec.close(KIND, native)
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    return setmetatable({
        client = client,
        handle = ffi.gc(out[0], C.consul_election_free),
        key = options.key,
    }, Election)
end

local function check_self(election)
    if type(election) ~= "table" or not election.client then
        check.fail("a method is called with a colon, as in election:is_leader()")
    end
    return election.handle
end

--- Who leads, as a table: `present`, false when nobody does; `value`, `session` and `node` (nil where
--- Consul could not tell); `modify_index`, which never shrinks from leader to leader; `lock_index`;
--- `version`, 0 before anything was heard of Consul; `is_self`.
local function read_leader(handle)
    local row = C.consul_leader_row(handle)
    return {
        present = row.is_present,
        value = row.is_present and ffi.string(row.value, row.value_len) or nil,
        session = result.optional(row.session, row.session_len),
        node = result.optional(row.node, row.node_len),
        modify_index = row.modify_index,
        lock_index = row.lock_index,
        version = tonumber(row.version),
        is_self = row.is_self,
    }
end

--- What a wait for a leader returns; false and an error for an honest no.
local function found(call, status, out)
    return call:conclude(status, function(problem, box)
        if box[0] == nil then
            return plain(problem)
        end
        local leader = read_leader(box[0])
        C.consul_leader_free(box[0])
        return leader
    end, out, "leader")
end

--- Campaigns from now on, if it does not: after it resigned, or only observed.
function Election:campaign()
    return errors.answer(C.consul_election_campaign(check_self(self)))
end

--- Campaigns no more, and gives the key back where this candidate leads: another one leads at once. It
--- goes on observing.
function Election:resign()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_election_resign(handle, call.async))
end

--- Changes what the others read while this candidate leads: at once where it does, and for all its terms
--- from now on.
function Election:set_value(value)
    local handle, call = check_self(self), of(self)
    check.type(value, "string", "value")
    return call:done(C.consul_election_set_value(handle, value, #value, call.async))
end

--- True while this candidate leads, judged by the clock at this moment. Makes no request.
function Election:is_leader()
    return C.consul_election_is_leader(check_self(self))
end

--- How long it is known to lead if nothing is heard of Consul from now on: 0 when it does not lead,
--- math.huge when its session has no TTL.
function Election:remaining_ms()
    return number.milliseconds(C.consul_election_remaining_ms(check_self(self)))
end

--- A number that grows with each term of anybody: a store that refuses lower ones than it has seen is
--- safe from late writers. nil before the first term of this candidate.
function Election:fencing_token()
    local token = C.consul_election_fencing_token(check_self(self))
    return token ~= 0 and token or nil
end

--- The id of the session that this candidate leads with; nil when it does not lead.
function Election:session_id()
    local out = result.text_box()
    if C.consul_election_session_id(check_self(self), out) == codes.OK then
        return result.copy_text(out)
    end
end

--- Who leads, as far as Consul has told: a table, as above. Makes no request.
function Election:leader()
    local out = leader_box()
    local status = C.consul_election_leader(check_self(self), out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local leader = read_leader(out[0])
    C.consul_leader_free(out[0])
    return leader
end

--- Waits until this candidate leads. False and an error with the code NO_CHANGE when it does not after
--- so many milliseconds; without a number it waits for ever.
function Election:wait_elected(timeout_ms)
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_election_wait_elected_async(handle, check.patience(timeout_ms), call.async))
end

--- Waits until somebody leads, and returns who; as `wait_elected`.
function Election:wait_leader(timeout_ms)
    local handle, call, out = check_self(self), of(self), leader_box()
    local limit = check.patience(timeout_ms)
    return found(call, C.consul_election_wait_leader_async(handle, limit, call.async, out), out)
end

--- Waits for something newer than this version of who leads, and returns it; as `wait_elected`.
function Election:wait_change(version, timeout_ms)
    local handle, call, out = check_self(self), of(self), leader_box()
    local known, limit = check.uint64(version, "version"), check.patience(timeout_ms)
    return found(call, C.consul_election_wait_change_async(handle, known, limit, call.async, out), out)
end

--- What an event of the queue says: whether it is the last one, and what is to be told.
local function hear(ticket, event)
    local kind, status = C.consul_event_type(event), C.consul_event_status(event)
    if kind == C.CONSUL_EVENT_ELECTION_CHANGED then
        return false, "changed", ticket.object:leader()
    elseif kind == C.CONSUL_EVENT_ELECTION_WON then
        return false, "elected"
    end
    local is_last = kind == C.CONSUL_EVENT_ELECTION_ENDED
    return is_last, is_last and "ended" or "lost", errors.of(status, C.consul_event_error(event))
end

--- Has what happens arrive in this queue from now on, and in no other, by the ticket that is returned:
--- `queue:next` returns the ticket and "changed" with who leads, "elected", or "lost" with an error that
--- tells why; in the end, when the election or its client is closed, "ended". nil ends that.
function Election:set_queue(queue)
    check_self(self)
    return losses(self, C.consul_election_set_queue, queue, hear)
end

--- How it is getting on (consul_ffi/stats.lua). Makes no request.
function Election:stats()
    return stats(check_self(self), "election")
end

--- The same election, whose calls arrive in this queue.
function Election:on(queue)
    check_self(self)
    return setmetatable({
        client = self.client:on(queue),
        handle = self.handle,
        key = self.key,
        original = self,
    }, Election)
end

--- Ends the object: it resigns in the background. Harmless when it was closed before.
function Election:close()
    local handle = check_self(self)
    if handle then
        C.consul_election_free(ffi.gc(handle, nil))
        self.handle = nil
    end
end

return new
