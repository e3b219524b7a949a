--- The Consul client for LuaJIT.
---
---     local consul = require("consul_ffi")
---     local client = assert(consul.connect{ address = "http://127.0.0.1:8500" })
---     local value, meta = client.kv:get("app/greeting")
---
--- Every call returns `nil, err` when it fails and `false, err` for an honest no (see
--- consul_ffi/errors.lua for what an error holds); only a mistake in the program, such as a wrong
--- type, raises an error.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local end_of_state = require("consul_ffi.end_of_state")
local errors = require("consul_ffi.errors")
local number = require("consul_ffi.number")
local ConsulClient = require("consul_ffi.original.client")

local consul = {
    connect = require("consul_ffi.client"),
    --- A queue for asynchronous calls: `client:on(queue)`.
    queue = require("consul_ffi.queue").new,
    --- A ring of consistent hashes.
    ring = require("consul_ffi.ring"),
    json = require("consul_ffi.json"),
    --- The library's log.
    log = require("consul_ffi.log"),
    --- The digits of a 64-bit number.
    decimal = number.decimal,
    --- For programs written for the earlier module of this name.
    ConsulClient = ConsulClient,
}

--- A report on the program's health without a client.
function consul.health_report()
    return require("consul_ffi.health_report")()
end

--- As `ConsulClient:new(config)`.
function consul.new(config)
    return ConsulClient:new(config)
end

--- Every code of an error: `consul.NOT_FOUND`, `consul.ERR_TIMEOUT`, ...
for name, code in pairs(errors.codes) do
    consul[name] = code
end

--- The version of the library, such as "1.2.3".
function consul.version()
    return ffi.string(C.consul_version())
end

--- How many native objects have not been freed yet. A forgotten client is one until it has been closed.
function consul.live_handles()
    end_of_state.free_closed()
    return tonumber(C.consul_live_handles(C.CONSUL_HANDLE_ALL))
end

--- How many threads the library runs in this process now: 0 before the first use and once the last
--- client is closed.
function consul.threads()
    return C.consul_library_threads()
end

return consul
