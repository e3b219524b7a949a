-- What the master makes in fork.conf, and what its workers can do with it.

local consul = require("consul_ffi")
local nginx = require("consul_ffi.host.nginx")

local fork = {}

local client, watch, lock, host, later

-- Threads that this process has.
local function threads()
    local status = assert(io.open("/proc/self/status"))
    local count = tonumber(status:read("*a"):match("Threads:%s*(%d+)"))
    status:close()
    return count
end

function fork.init()
    client = assert(consul.connect())
    -- Its connection is the master's, and no worker's.
    assert(client.kv:get("fork/key"))
    assert(threads() == 1, "a client and a blocking call have started a thread")

    local made, problem = pcall(nginx.new)
    assert(not made and problem:find("init_worker_by_lua", 1, true), problem)

    watch = assert(client:watch({ prefix = "fork/" }))
    assert(watch:wait_ready(30000))
    -- Held for longer than a machine may stand still.
    lock = assert(client:lock("fork/lock", { session = { ttl_ms = 120000 } }))
    assert(lock:acquire(30000))
    assert(lock:is_held())
end

function fork.start()
    host = assert(nginx.new())
    later = client:on(host.queue)
end

function fork.stop()
    assert(client:close(30000))
end

-- This worker's process, what the watch and a call say of the key, and what the master's lock is to it.
function fork.seen()
    watch:refresh()
    local value, err = host:await(later.kv:get("fork/key"))
    local _, problem = lock:release()
    ngx.say(
        ngx.worker.pid(), " ", tostring(watch:value("fork/key")), " ", value or tostring(err), " ",
        tostring(lock:is_held()), " ", problem and problem.name
    )
end

return fork
