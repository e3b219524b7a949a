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
return function(handle, type_name)
    local out = box()
    local status = C["consul_" .. type_name .. "_stats"](handle, out)
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
    C.consul_stats_free(ffi.gc(stats, nil))
    return table_of
end
