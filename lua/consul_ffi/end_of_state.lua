--- What becomes of a client that the program does not close: it is closed all the same, and what it holds
--- is given back to Consul. Of one that is forgotten a thread of the library does that, since a collector
--- must not wait. When the Lua state ends all are waited for, before the process goes.
---
--- Both may be so in one program: after an error `luajit` collects what only the failed function knew,
--- and ends the state then.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local clock = require("consul_ffi.clock")
local codes = require("consul_ffi.errors").codes

-- For all clients of a state together: a Consul that does not answer keeps nobody from ending.
local LIMIT_MS = 1000

local async_of = ffi.typeof("consul_async")
local queue_box = ffi.typeof("consul_queue *[1]")
local event_box = ffi.typeof("consul_event *[1]")

local ending = {}

--- Forgotten clients that are being closed, by their tags in the queue that tells of their end. There is
--- one while there are such clients.
local leaving = { handles = {}, tags = 0 }

-- When a state ends, LuaJIT runs the finalizers of all cdata, of which this is one, and after them those
-- of all userdata. It must not be known to its own finalizer, which would keep it for ever.
local sentinel = ffi.gc(ffi.new("char[1]"), function()
    ending.limit_ms = clock() + LIMIT_MS
end)

local function left_ms()
    return math.min(math.max(ending.limit_ms - clock(), 0), LIMIT_MS)
end

local function end_queue_if_unused()
    if not next(leaving.handles) then
        C.consul_queue_free(leaving.queue)
        leaving.queue = nil
    end
end

--- Frees the forgotten ones that are closed by now, or within this time.
local function free_closed(wait_ms)
    local out = event_box()
    while leaving.queue do
        local status = C.consul_queue_next(leaving.queue, wait_ms(), out)
        if status == codes.OK then
            local tag = tonumber(C.consul_event_tag(out[0]))
            C.consul_event_free(out[0])
            C.consul_client_free(leaving.handles[tag])
            leaving.handles[tag] = nil
        elseif status == codes.ERR_FORKED then
            -- In a child: its parent closes them.
            for tag, handle in pairs(leaving.handles) do
                C.consul_client_free(handle)
                leaving.handles[tag] = nil
            end
        else
            return
        end
        end_queue_if_unused()
    end
end

local function no_wait()
    return 0
end

local function begin_to_close(handle)
    free_closed(no_wait)
    if not leaving.queue then
        local out = queue_box()
        C.consul_queue_new(out)
        leaving.queue = out[0]
    end
    leaving.tags = leaving.tags + 1
    leaving.handles[leaving.tags] = handle
    local async = async_of(leaving.queue, leaving.tags)
    if C.consul_client_close_async(handle, LIMIT_MS, async) ~= codes.PENDING then
        -- No memory, or no thread.
        C.consul_client_free(handle)
        leaving.handles[leaving.tags] = nil
        end_queue_if_unused()
    end
end

local function close_now(handle)
    C.consul_client_close(handle, left_ms())
    C.consul_client_free(handle)
end

--- Userdata that the collector ends by this.
local function guard_of(finish)
    local guard = newproxy(true)
    local meta = getmetatable(guard)
    meta.sentinel = sentinel
    meta.__gc = finish
    return guard
end

leaving.guard = guard_of(function()
    free_closed(left_ms)
end)

local end_of_state = {}

--- Frees the forgotten clients that are closed by now.
function end_of_state.free_closed()
    free_closed(no_wait)
end

--- What closes the client of a handle when it is collected: to be kept where the handle is.
function end_of_state.guard(handle)
    end_of_state.free_closed()
    return guard_of(function()
        local finish = ending.limit_ms and close_now or begin_to_close
        finish(handle)
    end)
end

return end_of_state
