--- Asynchronous calls: `consul.queue()` and `client:on(queue)`.
---
---     local queue = assert(consul.queue())
---     local later = client:on(queue)
---     local ticket = assert(later.kv:get("app/greeting"))
---     local done, value, meta = queue:next(1000)
---     if done == ticket then
---         print(value)
---     end
---
--- A call through `client:on(queue)` does not wait: it returns a ticket, or nil and an error when it
--- could not begin. `queue:next` returns the ticket again, and after it what the blocking call would
--- have returned. Tickets are tables: put into them what belongs to a call, under any name but
--- `queue`, `tag` and `call`.
---
--- No function of Lua is ever called by another thread. An event loop sleeps on `queue:fd()`, nginx
--- reads the socket of `queue:serve(path)`, and takes events by `queue:next(0)`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local call = require("consul_ffi.call")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local shown = require("consul_ffi.shown")

local codes = errors.codes
local async_of = ffi.typeof("consul_async")
local queue_box = ffi.typeof("consul_queue *[1]")
local event_box = ffi.typeof("consul_event *[1]")

local OWN = { max_in_flight = true }

-- Above what an array of a table takes. Small tags would move from there to its hash part as they
-- grow, and leave the code that LuaJIT has compiled for the array.
local FIRST_TAG = 2 ^ 32

local Ticket = {}
Ticket.__index = Ticket

--- `consul ticket of key app/greeting: in flight`.
function Ticket:__tostring()
    local call = self.call
    local what = call.what and (" of %s %s"):format(call.what, call.which) or ""
    local is_expected = self.queue.tickets[self.tag] == self
    return ("consul ticket%s: %s"):format(what, is_expected and "in flight" or "ended")
end

--- Cancels the call: its ticket comes at once, with ERR_CANCELLED unless it had ended already.
function Ticket:cancel()
    return self.queue:cancel(self)
end

local Queue = {}
Queue.__index = Queue
Queue.__tostring = shown("queue", nil, function(queue)
    return queue:count() .. " expected"
end)

local function check_self(queue)
    if type(queue) ~= "table" or not queue.tickets then
        check.fail("a method is called with a colon, as in queue:next(1000)")
    end
    return queue.handle
end

--- A new queue. `options.max_in_flight` calls may be in flight at once, 1024 otherwise; one more
--- gives ERR_BUSY.
local function new(options)
    check.known(options and check.type(options, "table", "options") or {}, OWN, "option")
    local most = options and options.max_in_flight
    most = most ~= nil and check.uint32(most, "max_in_flight")
    local out = queue_box()
    local status = C.consul_queue_new(out)
    local handle = status == codes.OK and ffi.gc(out[0], C.consul_queue_free) or nil
    if handle and most then
        status = C.consul_queue_set_max_in_flight(handle, most)
    end
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    return setmetatable({
        handle = handle,
        tickets = {},
        tag = FIRST_TAG,
        request = async_of(handle, 0),
        event = event_box(),
    }, Queue)
end

--- Where the next call of this queue arrives, as the library takes it.
function Queue:async()
    self.tag = self.tag + 1
    self.request.queue = self.handle
    self.request.tag = self.tag
    return self.request
end

--- The ticket of the call that has just begun. It keeps the object alive whose call it is.
function Queue:expect(object, finish, name, read)
    local ticket = setmetatable({
        queue = self,
        tag = self.tag,
        call = { object = object, finish = finish, name = name, read = read },
    }, Ticket)
    self.tickets[self.tag] = ticket
    return ticket
end

--- What was started last under a tag of this queue comes back each time that something happens to it.
function Queue:follow(object)
    object.queue = self
    self.tickets[self.tag] = object
end

--- What an object that is followed has to tell.
local function told(queue, tag, event, last, ...)
    if last then
        queue.tickets[tag] = nil
    end
    C.consul_event_free(ffi.gc(event, nil))
    return ...
end

--- By the name of a result: the type of a box for it, and what takes it from an event. Kept, since
--- LuaJIT parses a type that is given as text at each call.
local results = setmetatable({}, {
    __index = function(results, name)
        local result = { box = ffi.typeof("consul_" .. name .. " *[1]"), take = C["consul_event_take_" .. name] }
        results[name] = result
        return result
    end,
})

--- The error of an event that has one.
local function problem_of(status, event)
    -- Should Lua run out of memory while it copies, the collector frees it.
    ffi.gc(event, C.consul_event_free)
    local problem = errors.of(status, C.consul_event_error(event))
    ffi.gc(event, nil)
    return problem
end

--- What the blocking call would have returned. The event is freed before anything is copied, so it
--- needs no finalizer.
local function answer(call, event)
    local status = C.consul_event_status(event)
    local problem = status ~= codes.OK and problem_of(status, event) or nil
    problem = problem and errors.about(problem, call.what, call.which)
    local name = call.name
    local result = name and results[name]
    local box = result and result.box()
    if box and C.consul_event_result_type(event) ~= 0 then
        result.take(event, box)
    end
    C.consul_event_free(event)
    return call.finish(problem, box, name, call.read)
end

--- The next event that somebody waits for. It calls itself for one that nobody does: a loop that
--- ends in its first round, as nearly every one would, is never compiled by LuaJIT.
local function next_of(queue, handle, limit)
    local status = C.consul_queue_next(handle, limit, queue.event)
    if status ~= codes.OK then
        return call.plain(errors.from(status))
    end
    local event = queue.event[0]
    local tag = tonumber(C.consul_event_tag(event))
    local ticket = queue.tickets[tag]
    if ticket and not ticket.call then
        ffi.gc(event, C.consul_event_free)
        return ticket, told(queue, tag, event, ticket:hear(event))
    elseif ticket and C.consul_event_type(event) == C.CONSUL_EVENT_DONE then
        queue.tickets[tag] = nil
        return ticket, answer(ticket.call, event)
    end
    C.consul_event_free(event)
    return next_of(queue, handle, limit)
end

--- The ticket of the next call that has ended, and what the blocking call would have returned.
--- Waits for it so many milliseconds at most; without a number for ever, with 0 not at all. False and
--- an error with the code NO_CHANGE when there was none, or somebody called `queue:wake()`.
function Queue:next(timeout_ms)
    local handle = check_self(self)
    return next_of(self, handle, check.patience(timeout_ms))
end

--- Ends the wait of who is in `queue:next`, on another thread, or of the next that would wait there.
function Queue:wake()
    return errors.answer(C.consul_queue_wake(check_self(self)))
end

--- A descriptor that is readable as long as tickets wait. It belongs to the queue: only to be polled.
function Queue:fd()
    local fd = C.consul_queue_fd(check_self(self))
    return fd >= 0 and fd or nil
end

--- Serves a unix socket of mode 0600 at this path: whoever connects reads a byte each time that
--- tickets come to wait where none did before.
function Queue:serve(path)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(path, "string", "path"), "path")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_queue_serve(handle, path))
end

--- Cancels the call of a ticket.
function Queue:cancel(ticket)
    local handle = check_self(self)
    if type(ticket) ~= "table" or ticket.queue ~= self or not ticket.call then
        check.fail("ticket must be one of this queue")
    end
    return errors.answer(C.consul_queue_cancel(handle, ticket.tag))
end

--- How many calls are in flight, or have ended and wait to be taken.
function Queue:count()
    check_self(self)
    local count = 0
    for _ in pairs(self.tickets) do
        count = count + 1
    end
    return count
end

--- Ends the queue: what is in flight is cancelled. Harmless when it was closed before.
function Queue:close()
    local handle = check_self(self)
    if handle then
        C.consul_queue_free(ffi.gc(handle, nil))
        self.handle = nil
        self.tickets = {}
    end
end

--- Whether a value is a queue.
local function is_queue(value)
    return getmetatable(value) == Queue
end

return { new = new, is_queue = is_queue }
