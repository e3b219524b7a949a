--- What becomes of a client that the program does not close. One that is forgotten is freed by the
--- collector, and nothing waits for that. One that is there when the Lua state ends is closed: what it
--- holds is given back to Consul before the process goes.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local clock = require("consul_ffi.clock")

-- For all clients of a state together: a Consul that does not answer keeps nobody from ending.
local LIMIT_MS = 1000

local ending = {}

-- When a state ends, LuaJIT runs the finalizers of all cdata, of which this is one, and after them those
-- of all userdata. It must not be known to its own finalizer, which would keep it for ever.
local sentinel = ffi.gc(ffi.new("char[1]"), function()
    ending.limit_ms = clock() + LIMIT_MS
end)

--- What frees the client of a handle when it is collected: to be kept where the handle is.
return function(handle)
    local guard = newproxy(true)
    local meta = getmetatable(guard)
    meta.sentinel = sentinel
    function meta.__gc()
        if ending.limit_ms then
            local left = ending.limit_ms - clock()
            C.consul_client_close(handle, math.min(math.max(left, 0), LIMIT_MS))
        end
        C.consul_client_free(handle)
    end
    return guard
end
