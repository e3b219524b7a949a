-- Follows a key in libuv's loop, whose timer writes it meanwhile: nothing blocks the thread.

local consul = require("consul_ffi")
local uv = require("luv")

local client = assert(consul.connect())
local host = assert(require("consul_ffi.host.luv").new())
-- The same client, whose calls arrive in the host's queue.
local later = client:on(host.queue)
local key = "app/loop"

local function write()
    print("a timer writes it")
    assert(host:await(later.kv:put(key, "10")))
end

local function follow()
    local watch = assert(later:watch({ key = key }))
    repeat
        -- Until something happens to the watch, the loop does other things.
        local news, err = host:await(watch)
        if news == "health" and err then
            io.stderr:write(tostring(err), "\n") -- it goes on by itself
        end
        if news == "ready" then
            watch:refresh()
            print(watch:value(key) or key .. " does not exist")
            local timer = uv.new_timer()
            timer:start(100, 0, function()
                timer:close()
                coroutine.wrap(write)()
            end)
        end
    until news == "changed"
    watch:refresh()
    print(key .. " = " .. watch:value(key))
    watch:close()
    assert(host:await(later.kv:delete(key)))
end

coroutine.wrap(follow)()
uv.run()
host:close()
client:close()
