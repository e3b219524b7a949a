--- Locks: `client:lock(key, options)`.
---
---     local lock = assert(client:lock("app/leader", { value = "worker-1" }))
---     local ok, err = lock:acquire(5000)
---     if ok then
---         work(lock:fencing_token())
---         lock:release()
---     elseif err.code == consul.HELD then
---         ...
---     end
---
--- Options: `value`, `session` (an id or a session object to hold it with, or the description of the
--- lock's own, whose TTL is 15 s otherwise), `adopt` (take over a key that was no lock), the time
--- `monitor_retry_ms` for which the key may be unreadable before the lock counts as lost, and
--- `token`, `datacenter`, `namespace`, `partition`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin, of = require("consul_ffi.call").begin, require("consul_ffi.call").of
local check = require("consul_ffi.check")
local declarations = require("consul_ffi.cdef").declarations
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local session_spec = require("consul_ffi.session_spec")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local codes = errors.codes
local FLAGS = { flags = true }
local FOR_EVER = 0xffffffffffffffffULL
local box = result.box("lock")

local LOST = {}
for name, value in declarations:gmatch("CONSUL_LOST_([%u_]+) = (%d+);") do
    LOST[tonumber(value)] = name:lower()
end

local Lock = {}
Lock.__index = Lock

local function set_own_session(handle, description)
    local own, problem = session_spec.open(description)
    if not own then
        return nil, problem
    end
    local status = C.consul_lock_spec_set_session_spec(handle, own)
    session_spec.close(own)
    return status
end

local function set_session(handle, session, name)
    if type(session) == "string" then
        return spec.text(handle, session, name, "consul_lock_spec_set_session_id")
    elseif type(session) == "table" and session.is_valid then
        return C.consul_lock_spec_set_session(handle, session.handle)
    elseif type(session) == "table" then
        return set_own_session(handle, session)
    end
    check.fail("session must be an id, a session object or a description, not %s", check.kind(session))
end

local KIND = spec.kind({
    type = "lock_spec",
    required = { "key" },
    setters = {
        value = spec.bytes,
        session = set_session,
        adopt = spec.flag,
        monitor_retry_ms = spec.number,
    },
})

--- The part of the options that describes the lock.
local function description_of(key, options)
    local description = {}
    for name in pairs(KIND.setters) do
        description[name] = options and options[name]
    end
    description.key = key
    return description
end

--- Makes a lock. Sends nothing.
local function new(client, key, options)
    local call, out = begin(client, options, KIND.setters, "key", key), box()
    local native = call:with(spec.open(KIND, description_of(key, options)))
    local status = call.settings and C.consul_lock_spec_set_options(native, call.settings) or codes.OK
    if status == codes.OK then
        status = C.consul_lock_new(call.handle, native, out)
    end
    spec.close(KIND, native)
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    return setmetatable({
        client = client,
        handle = ffi.gc(out[0], C.consul_lock_free),
        -- A session object that is collected destroys its session.
        session = options and options.session,
    }, Lock)
end

local function check_self(lock)
    if type(lock) ~= "table" or not lock.client then
        check.fail("a method is called with a colon, as in lock:acquire(5000)")
    end
    return lock.handle
end

--- Acquires the lock, waiting so many milliseconds at most; without a number, for ever. False and an
--- error with the code HELD when somebody else held it, or its lock-delay lasted, until then.
function Lock:acquire(timeout_ms)
    local handle = check_self(self)
    local limit = FOR_EVER
    if timeout_ms ~= nil and timeout_ms ~= math.huge then
        limit = check.uint64(timeout_ms, "timeout_ms")
    end
    local call = of(self)
    return call:done(C.consul_lock_acquire(handle, limit, call.async))
end

--- Acquires the lock if nobody else holds it.
function Lock:try_acquire()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_lock_try_acquire(handle, call.async))
end

--- Releases the lock. The error's code is ERR_NOT_HELD when it was not held, ERR_LOCK_LOST when it was
--- lost before.
function Lock:release()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_lock_release(handle, call.async))
end

--- Ends acquire and wait_lost of other threads with ERR_CANCELLED; a held lock stays held.
function Lock:stop()
    return errors.answer(C.consul_lock_stop(check_self(self)))
end

--- Deletes the key if nobody holds it. False and HELD when somebody does.
function Lock:destroy()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_lock_destroy(handle, call.async))
end

--- True while it is held, judged by the clock at this moment. Makes no request.
function Lock:is_held()
    return C.consul_lock_is_held(check_self(self))
end

--- How long it is known to be held if nothing is heard of Consul from now on: 0 when it is not held,
--- math.huge when its session has no TTL.
function Lock:remaining_ms()
    return number.milliseconds(C.consul_lock_remaining_ms(check_self(self)))
end

--- A number that grows with each acquisition of the key by anybody: a store that refuses lower ones
--- than it has seen is safe from late writers. nil before the first acquisition.
function Lock:fencing_token()
    local token = C.consul_lock_fencing_token(check_self(self))
    return token ~= 0 and token or nil
end

--- Why it was lost: "session_invalid", "key_deleted", "key_taken", "key_released", "deadline" or
--- "closed"; nil when it was not.
function Lock:lost_reason()
    local reason = C.consul_lock_lost_reason(check_self(self))
    return reason ~= C.CONSUL_LOST_NONE and (LOST[reason] or "unknown") or nil
end

--- How it is getting on to see that it is still held (consul_ffi/stats.lua). Makes no request.
function Lock:stats()
    return stats(check_self(self), "lock")
end

--- The id of the session that holds it; nil when it is not held.
function Lock:session_id()
    local out = result.text_box()
    if C.consul_lock_session_id(check_self(self), out) == codes.OK then
        return result.copy_text(out)
    end
end

--- The id of the session that held the key when an acquire looked last; nil where nobody did, which
--- while an acquire waits means the lock-delay.
function Lock:holder()
    local out = result.text_box()
    if C.consul_lock_holder(check_self(self), out) == codes.OK then
        return result.copy_text(out)
    end
end

--- Waits until the lock is lost, and returns the reason. False and an error with the code NO_CHANGE
--- when it is still held after so many milliseconds; without a number it waits for ever.
function Lock:wait_lost(timeout_ms)
    local handle = check_self(self)
    local limit = timeout_ms == nil and -1 or tonumber(check.uint64(timeout_ms, "timeout_ms"))
    local status = C.consul_lock_wait_lost(handle, limit)
    if status == codes.ERR_LOCK_LOST then
        return self:lost_reason()
    elseif status > 0 then
        return false, errors.from(status)
    end
    return nil, errors.from(status)
end

--- Has each loss of the lock arrive in this queue from now on, and in no other, by the ticket that is
--- returned; at once where it is lost already. `queue:next` returns the ticket, "lost" and an error
--- that tells why; in the end, when the lock or its client is closed, "ended". A release is no loss. nil
--- ends that.
function Lock:set_queue(queue)
    check_self(self)
    local lock = self
    while lock.lock do
        lock = lock.lock
    end
    return losses(lock, C.consul_lock_set_queue, queue)
end

--- Writes another key only while this lock is held, whatever its holder believes. The error's code is
--- ERR_NOT_HELD or ERR_LOCK_LOST when it is not; nothing was written then.
function Lock:put(key, value, options)
    local call = begin(self, options, FLAGS, "key", key)
    check.type(value, "string", "value")
    local flags = check.optional_uint64(options and options.flags, "flags", 0)
    local handle = call.handle and self.handle
    return call:done(C.consul_lock_put(handle, key, value, #value, flags, call.settings, call.async))
end

--- The same lock, whose calls arrive in this queue.
function Lock:on(queue)
    check_self(self)
    return setmetatable({ client = self.client:on(queue), handle = self.handle, lock = self }, Lock)
end

--- Ends the object: a held lock is released in the background. Harmless when it was closed before.
function Lock:close()
    local handle = check_self(self)
    if handle then
        C.consul_lock_free(ffi.gc(handle, nil))
        self.handle = nil
    end
end

return new
