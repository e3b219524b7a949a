--- The Consul agent in memory of a client whose address is "embedded:", for tests:
--- `client:embedded()`.
---
---     local client = assert(consul.connect{ address = "embedded:" })
---     local agent = assert(client:embedded())
---     agent:advance(30000)                                       -- turn its clock on
---     agent:fail_next(1, 500, "rpc error making call: EOF", "/v1/kv/")
---
--- Where there is a `prefix`, the last parameter, a fault meets only requests whose path begins with
--- that.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")

local Agent = {}
Agent.__index = Agent

local function handle_of(agent)
    if getmetatable(agent) ~= Agent then
        check.fail("a method is called with a colon, as in agent:advance(1000)")
    end
    return agent.client.handle
end

local function optional_text(value, name)
    return value ~= nil and check.type(value, "string", name) or nil
end

--- Turns the clock on. What is due until then has happened when this returns: sessions have ended,
--- checks have failed, waits are over.
function Agent:advance(time_ms)
    local handle = handle_of(self)
    return errors.answer(C.consul_embedded_advance(handle, check.uint64(time_ms, "time_ms")))
end

--- How long the agent has lived by its own clock, in ms.
function Agent:now()
    local out = ffi.new("uint64_t[1]")
    local status = C.consul_embedded_now(handle_of(self), out)
    if status ~= errors.codes.OK then
        return nil, errors.from(status)
    end
    return tonumber(out[0])
end

--- Lets every request wait this long, by the agent's clock, before it is looked at; 0 ends that.
function Agent:set_latency(latency_ms, prefix)
    local handle, limit = handle_of(self), check.uint64(latency_ms, "latency_ms")
    return errors.answer(C.consul_embedded_set_latency(handle, optional_text(prefix, "prefix"), limit))
end

--- Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does nothing for
--- them; 0 takes the order back.
function Agent:fail_next(count, http_status, text, prefix)
    local handle, times = handle_of(self), check.uint64(count, "count")
    check.type(http_status, "number", "http_status")
    text, prefix = optional_text(text, "text"), optional_text(prefix, "prefix")
    return errors.answer(C.consul_embedded_fail_next(handle, prefix, times, http_status, text))
end

--- Takes the leader away, or gives one back.
function Agent:no_leader(is_gone, prefix)
    local handle = handle_of(self)
    check.type(is_gone, "boolean", "is_gone")
    return errors.answer(C.consul_embedded_no_leader(handle, optional_text(prefix, "prefix"), is_gone))
end

--- Does what the next `count` requests ask for and loses the answers; 0 takes the order back.
function Agent:lose_answers(count, prefix)
    local handle, times = handle_of(self), check.uint64(count, "count")
    return errors.answer(C.consul_embedded_lose_answers(handle, optional_text(prefix, "prefix"), times))
end

--- Takes every order of a fault back, whatever its prefix.
function Agent:reset_faults()
    return errors.answer(C.consul_embedded_reset_faults(handle_of(self)))
end

--- The agent of a client; nil and ERR_UNSUPPORTED when it is not embedded. A method of a client.
return function(client)
    if type(client) ~= "table" or not client.client then
        check.fail("a method is called with a colon, as in client:embedded()")
    elseif not client.handle then
        return nil, errors.new(errors.codes.ERR_CLOSED, "the client was closed")
    end
    local agent = setmetatable({ client = client }, Agent)
    local now, problem = agent:now()
    if not now then
        return nil, problem
    end
    return agent
end
