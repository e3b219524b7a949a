--- How something that the library keeps up is getting on: `stats(handle, "lock")`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local errors = require("consul_ffi.errors")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")

local box = result.box("stats")
local NEVER = 0xffffffffffffffffULL

local function milliseconds(time)
    return time ~= NEVER and tonumber(time) or nil
end

local function problem(row)
    return row.status ~= errors.codes.OK and errors.of(row.status, row) or nil
end

--- What only some have, by the name of their type: how it is added to the table.
local OWN = {}

function OWN.client_endpoint(stats, row)
    stats.address = ffi.string(row.address, row.address_len)
    stats.requests = tonumber(row.requests)
    stats.failures = tonumber(row.failures)
    stats.is_in_use = row.is_in_use
    stats.in_flight = row.in_flight
    stats.connections = row.connections
end

function OWN.watch(stats, row)
    stats.last_success_age_ms = number.milliseconds(row.last_success_ms)
    stats.last_good_error = problem(row.last_good_error)
    stats.index = row.index
    stats.version = row.version
    stats.requests = tonumber(row.requests)
    stats.in_flight = row.is_in_flight
    stats.holding_back = row.is_holding_back
end

--- The table of `session:stats()` and its like: `state`, `last_success_ms` (how long ago),
--- `consecutive_failures`, `next_try_ms` (in how long) and `last_error`. Makes no request.
---
--- Of an address of a client, whose position is given: `address`, `requests`, `failures`,
--- `is_in_use`, `in_flight` and `connections` besides. Of a watch: `index`, `version`, `requests`, `in_flight`, `holding_back`,
--- `last_good_error`, and `last_success_age_ms`, which is math.huge where `last_success_ms` is nil.
return function(handle, type_name, position)
    local out = box()
    local ask = C["consul_" .. type_name .. "_stats"]
    local status
    if position then
        status = ask(handle, position, out)
    else
        status = ask(handle, out)
    end
    if status ~= errors.codes.OK then
        return nil, errors.from(status)
    end
    local taken = ffi.gc(out[0], C.consul_stats_free)
    local row = C.consul_stats_row(taken)
    local stats = {
        state = ffi.string(row.state, row.state_len),
        last_success_ms = milliseconds(row.last_success_ms),
        consecutive_failures = row.consecutive_failures,
        next_try_ms = milliseconds(row.next_try_ms),
        last_error = problem(row.last_error),
    }
    if OWN[type_name] then
        OWN[type_name](stats, row)
    end
    C.consul_stats_free(ffi.gc(taken, nil))
    return stats
end
