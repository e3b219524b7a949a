--- bench.lua CONTESTANT ROW seconds|calls N: as bench.c does it, with a contestant in Lua.
---
--- A contestant is a module that returns a function which makes a worker: a table with
--- `get(key)` (the bytes of the value), `list(prefix)` (the bytes of all values, and how many) and
--- `put(key, value)`. For 32 threads each thread has a Lua state of its own. For 32 in flight from one
--- thread it has `begin(key)`, which begins a get, and `take()`: the bytes of the value of one that has
--- ended.

local ffi = require("ffi")

ffi.cdef([[
struct bench_timespec { long sec, nsec; };
int clock_gettime(int clock, struct bench_timespec *time);
struct bench_rusage { long user_s, user_us, system_s, system_us, rest[14]; };
int getrusage(int who, struct bench_rusage *usage);

typedef struct lua_State lua_State;
lua_State *luaL_newstate(void);
void luaL_openlibs(lua_State *L);
int luaL_loadstring(lua_State *L, const char *text);
int lua_pcall(lua_State *L, int arguments, int results, int handler);
const char *lua_tolstring(lua_State *L, int index, size_t *len);
double lua_tonumber(lua_State *L, int index);
void lua_settop(lua_State *L, int index);
int pthread_create(unsigned long *thread, const void *attributes, void *start, void *argument);
int pthread_join(unsigned long thread, void **result);
]])

local THREADS, IN_FLIGHT, LISTED, LISTED_BYTES, BIG = 32, 32, 1000, 64000, 256 * 1024

local time = ffi.new("struct bench_timespec")
local function now()
    ffi.C.clock_gettime(1, time)
    return tonumber(time.sec) + tonumber(time.nsec) / 1e9
end

local usage = ffi.new("struct bench_rusage")
local function cpu()
    ffi.C.getrusage(0, usage)
    return tonumber(usage.user_s + usage.system_s) + tonumber(usage.user_us + usage.system_us) / 1e6
end

local function check(got, wanted)
    if got ~= wanted then
        error(("the answer is not what was written: %s, not %s"):format(got, wanted))
    end
end

--- What a row calls, over and over.
local CALLS = {
    get = function(worker)
        check(worker.get("bench/small"), 5)
    end,
    put = function(worker)
        worker.put("bench/put", "12345")
    end,
    list = function(worker)
        local bytes, keys = worker.list("bench/list/")
        check(bytes, LISTED_BYTES)
        check(keys, LISTED)
    end,
    big = function(worker)
        check(worker.get("bench/big"), BIG)
    end,
}
CALLS.get32 = CALLS.get

--- Takes what has ended and begins another in its place.
function CALLS.flight(worker)
    check(worker.take(), 5)
    worker.begin("bench/small")
end

local function run(call, worker, limit)
    local done, began = 0, now()
    if limit.calls then
        while done < limit.calls do
            call(worker)
            done = done + 1
        end
        return done
    end
    repeat
        call(worker)
        done = done + 1
    until now() >= began + limit.seconds
    return done
end

local function warm_up(call, worker, limit)
    run(call, worker, limit.calls and { calls = 1 } or { seconds = limit.seconds / 10 })
end

local function report(done, began, used)
    print(("%d %.6f %.6f"):format(done, now() - began, cpu() - used))
end

local function run_one(contestant, row, limit)
    local worker = require(contestant)()
    for _ = 1, row == "flight" and IN_FLIGHT or 0 do
        worker.begin("bench/small")
    end
    warm_up(CALLS[row], worker, limit)
    local began, used = now(), cpu()
    report(run(CALLS[row], worker, limit), began, used)
end

--- Runs in a state of its own. `shared` has a number for each thread: it becomes how many calls the
--- thread made; below 0 it has yet to begin.
local THREAD = [[
local ffi = require("ffi")
package.path = %q
package.loaded.bench_thread = true
local bench = dofile(%q)
local entry = bench.thread(%q, %q, { seconds = %s })
callback = ffi.cast("void *(*)(void *)", entry)
address = tonumber(ffi.cast("intptr_t", callback))
return address
]]

local thread = {}

--- The start routine of a thread: warms up, waits for the word, makes the calls.
function thread.thread(contestant, row, limit)
    local worker = require(contestant)()
    return function(slot)
        slot = ffi.cast("volatile double *", slot)
        warm_up(CALLS[row], worker, limit)
        slot[0] = -1
        while slot[1] == 0 do
            ffi.C.usleep(200)
        end
        slot[0] = run(CALLS[row], worker, limit)
        return nil
    end
end

ffi.cdef("int usleep(unsigned microseconds);")

local function start_routine(script, contestant, row, limit)
    local C = ffi.C
    local state = C.luaL_newstate()
    C.luaL_openlibs(state)
    local chunk = THREAD:format(package.path, script, contestant, row, limit.seconds)
    if C.luaL_loadstring(state, chunk) ~= 0 or C.lua_pcall(state, 0, 1, 0) ~= 0 then
        error(ffi.string(C.lua_tolstring(state, -1, nil)))
    end
    return ffi.cast("void *", ffi.cast("intptr_t", C.lua_tonumber(state, -1)))
end

local function run_threads(script, contestant, row, limit)
    local slots = ffi.new("double[?]", THREADS * 2)
    local threads = ffi.new("unsigned long[?]", THREADS)
    for index = 0, THREADS - 1 do
        local start = start_routine(script, contestant, row, limit)
        assert(ffi.C.pthread_create(threads + index, nil, start, slots + index * 2) == 0, "no thread")
    end
    local waiting = ffi.cast("volatile double *", slots)
    for index = 0, THREADS - 1 do
        while waiting[index * 2] == 0 do
            ffi.C.usleep(200)
        end
    end
    local began, used, done = now(), cpu(), 0
    for index = 0, THREADS - 1 do
        waiting[index * 2 + 1] = 1
    end
    for index = 0, THREADS - 1 do
        ffi.C.pthread_join(threads[index], nil)
        done = done + slots[index * 2]
    end
    report(done, began, used)
end

if package.loaded.bench_thread then
    return thread
end

local contestant, row, unit, amount = unpack(arg)
assert(CALLS[row] and (unit == "seconds" or unit == "calls"), "arguments: CONTESTANT ROW seconds|calls N")
if row == "get32" then
    run_threads(arg[0], contestant, row, { [unit] = tonumber(amount) })
else
    run_one(contestant, row, { [unit] = tonumber(amount) })
end
