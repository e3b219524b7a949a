-- What the locations of test.conf do.

local consul = require("consul_ffi")
local nginx = require("consul_ffi.host.nginx")
local ffi = require("ffi")

ffi.cdef([[ struct test_time { long s, ns; }; int clock_gettime(int, struct test_time *); ]])

local test = {}

local client = assert(consul.connect())
local host, later, watch, held, forgets
local slowest, waits = 0, 0

local function now_ms()
    local time = ffi.new("struct test_time")
    ffi.C.clock_gettime(3, time) -- CPU time of this thread: what others do does not count
    return tonumber(time.s) * 1e3 + tonumber(time.ns) / 1e6
end

-- How long the slowest look into the queue has kept the worker.
local function measured(queue)
    local take = queue.next
    queue.next = function(...)
        local began = now_ms()
        local ticket, first, second = take(...)
        slowest = math.max(slowest, now_ms() - began)
        return ticket, first, second
    end
end

-- As a program would that follows something for ever.
local function follow()
    repeat
        local news, err = host:await(watch)
        ngx.log(ngx.NOTICE, "followed: ", tostring(news), " ", tostring(err))
    until not news
end

-- As a program that wants to lead would wait for its turn, for ever.
local function campaign()
    local lock = assert(later:lock("nginx/led"))
    local won, err = host:await(lock:acquire())
    ngx.log(ngx.NOTICE, "campaign: ", tostring(won), " ", tostring(err))
    if won then
        held = lock
    end
end

function test.start()
    host = assert(nginx.new())
    measured(host.queue)
    later = client:on(host.queue)
    watch = assert(later:watch({ prefix = "nginx/" }))
    assert(ngx.timer.at(0, follow))
    assert(ngx.timer.at(0, campaign))
end

function test.stop()
    if forgets then
        return
    end
    assert(client:close(30000))
end

local function answer(value, err)
    ngx.say(value == nil and tostring(err) or tostring(value))
end

function test.ready()
    watch:refresh()
    answer(watch:state())
end

function test.get()
    answer(host:await(later.kv:get(ngx.var.arg_key)))
end

-- Answers when the key has changed.
function test.change()
    local _, meta = host:await(later.kv:get(ngx.var.arg_key))
    local change = later.kv:get(ngx.var.arg_key, { index = meta.index, wait_ms = 600000 })
    waits = waits + 1
    answer(host:await(change))
end

-- Acquires, waiting as long as it takes, and releases.
function test.acquire()
    local lock = assert(later:lock(ngx.var.arg_key))
    local won, err = host:await(lock:acquire())
    if won then
        assert(host:await(lock:release()))
    end
    lock:close()
    answer(won, err)
end

-- Acquires, and keeps it as long as the worker lives.
function test.hold()
    held = assert(later:lock(ngx.var.arg_key))
    forgets = ngx.var.arg_forget == "yes"
    answer(host:await(held:acquire(30000)))
end

-- A light thread that is ended while it awaits.
function test.killed()
    local thread = ngx.thread.spawn(function()
        host:await(assert(later:lock(ngx.var.arg_key)):acquire())
    end)
    answer(ngx.thread.kill(thread))
end

-- A request that begins to wait after its worker was told to exit.
function test.late()
    waits = waits + 1
    while not ngx.worker.exiting() do
        ngx.sleep(0.02)
    end
    ngx.sleep(0.5)
    answer(host:await(later.kv:get(ngx.var.arg_key)))
end

-- What is in flight, the slowest look into the queue in milliseconds, and how many requests have begun to
-- wait for a change or for the worker's end.
function test.calls()
    ngx.say(host.queue:count(), " ", slowest, " ", waits)
end

return test
