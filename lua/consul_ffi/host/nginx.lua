--- Awaiting in nginx's light threads, with the Lua module. docs/nginx.md tells how to use it.
---
---     local host = assert(require("consul_ffi.host.nginx").new())      -- in init_worker_by_lua
---     local later = client:on(host.queue)
---     local value, meta = host:await(later.kv:get("app/greeting"))     -- in a request or a timer
---
--- One light thread of a timer, the pump, reads the queue's unix socket and wakes the others by
--- semaphores. Where no socket can be had it looks into the queue from time to time instead.
---
--- A worker that exits leaves nothing behind: who awaits a watch, and who awaits anything in a timer,
--- is woken with an error; requests are served to their end.

local semaphore = require("ngx.semaphore")
local await = require("consul_ffi.await")
local check = require("consul_ffi.check")

local ngx = ngx

local Nginx = await.kind()

-- A read that times out writes into nginx's log, and the Lua module has no way to wait for ever.
local FOR_EVER_MS = 2 ^ 31 - 1
local A_DAY = 24 * 60 * 60
-- How often abandoned calls are looked for, in seconds.
local SWEEP_EVERY = 1
-- Where there is no socket, in seconds.
local SHORTEST_NAP, LONGEST_NAP = 0.001, 0.1

--- A path for the socket that nobody else has.
local function new_path(host)
    host.served = (host.served or 0) + 1
    local folder = os.getenv("TMPDIR") or "/tmp"
    return ("%s/consul_ffi.%d.%s.%d"):format(
        folder, ngx.worker.pid(), tostring(host):match("0x%x+") or "0", host.served
    )
end

--- The pump's end of the queue's socket. The file is gone once both ends are there.
local function connect(host)
    local path = new_path(host)
    local served, problem = host.queue:serve(path)
    if not served then
        return nil, problem
    end
    local socket = ngx.socket.tcp()
    socket:settimeouts(5000, 5000, FOR_EVER_MS)
    local connected, why = socket:connect("unix:" .. path)
    os.remove(path)
    return connected and socket, why
end

local function drain(host)
    local some = false
    while host:deliver(0) do
        some = true
    end
    return some
end

local function is_needed(host)
    return not host.closed and (host.sleepers > 0 or not host.leaving)
end

--- Sleeps longer each time that nothing was there.
local function pump_by_naps(host)
    local nap = SHORTEST_NAP
    while is_needed(host) do
        nap = drain(host) and SHORTEST_NAP or math.min(nap * 2, LONGEST_NAP)
        ngx.sleep(nap)
    end
end

local function pump_by_socket(host, socket)
    local got, problem
    repeat
        drain(host)
        if not is_needed(host) then
            break
        end
        got, problem = socket:receiveany(64)
    until not got and problem ~= "timeout"
    socket:close()
end

local function pump(_, host)
    if not host.leaving then
        local socket, problem = connect(host)
        if socket then
            pump_by_socket(host, socket)
        else
            ngx.log(ngx.WARN, "consul_ffi: answers are polled for: ", tostring(problem))
        end
    end
    pump_by_naps(host)
    host.pumping = false
end

local function start_pump(host)
    if host.pumping then
        return true
    end
    -- Without a delay a timer runs in a worker that exits, too.
    local started, problem = ngx.timer.at(0, pump, host)
    host.pumping = started
    return started, problem
end

--- Whether the light thread that awaits this was ended, as with a request that the client aborts. It
--- is not told to anybody: its semaphore merely misses a waiter.
local function is_abandoned(call)
    return call.sleepers and not (call.semaphore and call.semaphore:count() < 0)
end

--- Cancels what nobody awaits any more, lest it takes a lock that nobody will release.
local function sweep(_, host)
    if host.sleepers == 0 or host.closed then
        return
    end
    for _, item in pairs(host.queue.tickets) do
        if item.call and is_abandoned(item.call) then
            item:cancel()
        end
    end
end

--- Runs in a timer that is never due: it is called when the worker begins to exit.
local function leave(exiting, host)
    if host.closed then
        return
    elseif not exiting then
        ngx.timer.at(A_DAY, leave, host)
        return
    end
    host.leaving = true
    sweep(nil, host)
    local watches = {}
    for _, item in pairs(host.queue.tickets) do
        if not item.call then
            watches[#watches + 1] = item
        elseif item.call.in_timer then
            item:cancel()
        end
    end
    host:rouse_all(watches)
    host.queue:wake()
end

--- A host of this worker; `options` as of `consul.queue`. Not in `init_by_lua`: nginx forks after it.
local function new(options)
    if ngx.get_phase() == "init" then
        check.fail("a host is a worker's: make it in init_worker_by_lua, not in init_by_lua")
    end
    local host, problem = await.new(Nginx, options)
    if not host then
        return nil, problem
    end
    local started, why = start_pump(host)
    if started and not ngx.worker.exiting() then
        started, why = ngx.timer.at(A_DAY, leave, host)
    end
    if started and not ngx.worker.exiting() then
        started, why = ngx.timer.every(SWEEP_EVERY, sweep, host)
    end
    if not started then
        host:close()
        return nil, why
    end
    host.leaving = ngx.worker.exiting()
    return host
end

function Nginx:sleep(state)
    start_pump(self)
    state.semaphore = state.semaphore or semaphore.new()
    state.in_timer = ngx.get_phase() == "timer"
    local woken, problem
    repeat
        woken, problem = state.semaphore:wait(A_DAY)
    until woken or problem ~= "timeout"
end

function Nginx:wake(state, count)
    state.semaphore:post(count)
end

return { new = new }
