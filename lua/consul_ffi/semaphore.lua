--- Semaphores: `client:semaphore{ prefix = "app/jobs", limit = 3 }`.
---
---     local semaphore = assert(client:semaphore{ prefix = "app/jobs", limit = 3 })
---     local ok, err = semaphore:acquire(5000)
---     if ok then
---         work()
---         semaphore:release()
---     elseif err.code == consul.HELD then
---         ...
---     end
---
--- `limit` slots are shared by all who use the prefix, the official client included; an object holds one
--- of them. More fields: `value` (of the holder's entry), `session` (an id or a session object to hold it
--- with, or the description of its own, whose TTL is 15 s otherwise), the time `monitor_retry_ms` for
--- which Consul may be unreadable before the slot counts as lost, and `token`, `datacenter`, `namespace`,
--- `partition`. Its methods are those of a lock (consul_ffi/holding.lua), with the slot in the lock's
--- place.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local codes = require("consul_ffi.errors").codes
local holding = require("consul_ffi.holding")
local result = require("consul_ffi.result")
local spec = require("consul_ffi.spec")

local Semaphore = holding.class("semaphore")
local check_self = Semaphore.check_self

local KIND = spec.kind({
    type = "semaphore_spec",
    required = { "prefix", "limit" },
    numbers = { limit = true },
    setters = {
        value = spec.bytes,
        session = holding.set_session,
        monitor_retry_ms = spec.number,
    },
})

--- Makes a semaphore. Sends nothing.
local function new(client, given)
    check.type(given, "table", "semaphore")
    local call = begin(client, given, KIND.own, "prefix", given.prefix)
    return holding.make(Semaphore, call, KIND, spec.part(KIND, given))
end

--- The ids of the sessions that held all slots when an acquire looked last; empty where one was free.
function Semaphore:holders()
    local out = result.strings_box()
    if C.consul_semaphore_holders(check_self(self), out) ~= codes.OK then
        return {}
    end
    local handle, holders = ffi.gc(out[0], C.consul_keys_free), {}
    for index = 0, tonumber(C.consul_keys_count(handle)) - 1 do
        local row = C.consul_keys_at(handle, index)
        holders[index + 1] = ffi.string(row.data, row.len)
    end
    C.consul_keys_free(ffi.gc(handle, nil))
    return holders
end

return new
