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

local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local holding = require("consul_ffi.holding")
local result = require("consul_ffi.result")
local spec = require("consul_ffi.spec")

local codes = errors.codes
local FLAGS = { flags = true }

local Lock = holding.class("lock")
local check_self = Lock.check_self

local KIND = spec.kind({
    type = "lock_spec",
    required = { "key" },
    setters = {
        value = spec.bytes,
        session = holding.set_session,
        adopt = spec.flag,
        monitor_retry_ms = spec.number,
    },
})

--- The part of the options that describes the lock.
local function description_of(key, options)
    local description = spec.part(KIND, options or {})
    description.key = key
    return description
end

--- Makes a lock. Sends nothing.
local function new(client, key, options)
    local call = begin(client, options, KIND.setters, "key", key)
    return holding.make(Lock, call, KIND, description_of(key, options))
end

--- A number that grows with each acquisition of the key by anybody: a store that refuses lower ones
--- than it has seen is safe from late writers. nil before the first acquisition.
function Lock:fencing_token()
    local token = C.consul_lock_fencing_token(check_self(self))
    return token ~= 0 and token or nil
end

--- The id of the session that held the key when an acquire looked last; nil where nobody did, which
--- while an acquire waits means the lock-delay.
function Lock:holder()
    local out = result.text_box()
    if C.consul_lock_holder(check_self(self), out) == codes.OK then
        return result.copy_text(out)
    end
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

return new
