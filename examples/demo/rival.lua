--- The second contender for the demo's lock: another process, or, where the agent lives in this
--- process's memory, another client. It has a `name`, `next_line()`, `close()`, and how the first one
--- uses its own lock meanwhile: `lock_of(lock)`, by `await`.

local consul = require("consul_ffi")
local contend = require("contend")
local plain = require("consul_ffi.host.plain")

local function at_once(...)
    return ...
end

--- Another process (contender.lua).
local function process(_, key, go)
    local luajit = arg and arg[-1] or "luajit"
    local file = arg[0]:gsub("demo%.lua$", "contender.lua")
    local output = assert(io.popen(("%s %s %s %s"):format(luajit, file, key, go)))
    return {
        name = "process",
        await = at_once,
        lock_of = at_once,
        next_line = function()
            return output:read("*l")
        end,
        close = function()
            output:close()
        end,
    }
end

--- Another client of this process. Neither may block the other: both await.
local function other_client(address, key, go)
    local host, other = assert(plain.new()), assert(consul.connect({ address = address }))
    local lines = {}
    local function await(...)
        return host:await(...)
    end
    host:spawn(contend, other:on(host.queue), key, go, await, function(line)
        table.insert(lines, line)
    end)
    return {
        name = "client",
        await = await,
        lock_of = function(lock)
            return lock:on(host.queue)
        end,
        next_line = function()
            while #lines == 0 and host.running > 0 do
                host:deliver()
            end
            return table.remove(lines, 1)
        end,
        close = function()
            host:run()
            host:close()
            other:close()
        end,
    }
end

return function(client, key, go)
    local start = client:embedded() and other_client or process
    return start(client:endpoint(), key, go)
end
