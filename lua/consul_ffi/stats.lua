--- How something that the library keeps up is getting on: `stats(handle, "lock")`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")

local box = result.box("stats")
local NEVER = 0xffffffffffffffffULL

local function milliseconds(time)
    return time ~= NEVER and tonumber(time) or nil
end

--- The table of `session:stats()` and its like: `state`, `last_success_ms` (how long ago),
--- `consecutive_failures`, `next_try_ms` (in how long) and `last_error`. Makes no request.
---
--- Of an address of a client, whose position is given: `address`, `requests`, `failures` and
--- `is_in_use` besides.
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
    local stats = ffi.gc(out[0], C.consul_stats_free)
    local row = C.consul_stats_row(stats)
    local table_of = {
        state = ffi.string(row.state, row.state_len),
        last_success_ms = milliseconds(row.last_success_ms),
        consecutive_failures = row.consecutive_failures,
        next_try_ms = milliseconds(row.next_try_ms),
        last_error = row.last_error.status ~= errors.codes.OK and errors.of(row.last_error.status, row.last_error) or nil,
    }
    if position then
        table_of.address = ffi.string(row.address, row.address_len)
        table_of.requests = tonumber(row.requests)
        table_of.failures = tonumber(row.failures)
        table_of.is_in_use = row.is_in_use
    end
    C.consul_stats_free(ffi.gc(stats, nil))
    return table_of
end
