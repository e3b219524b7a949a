-- Times what a LuaJIT program does with a live view of 1,000 keys, and with one of 1,000 instances. Prints
-- lines as view.c does, after `lua`. Needs a Consul at CONSUL_HTTP_ADDR, with what view.c has left there.

local ffi = require("ffi")
local consul = require("consul_ffi")

local ROUNDS, CALLS = 21, 200000

ffi.cdef("typedef struct { long sec, nsec; } bench_time; int clock_gettime(int, bench_time *);")
local time = ffi.new("bench_time")
local function now()
    ffi.C.clock_gettime(1, time)
    return tonumber(time.sec) * 1e9 + tonumber(time.nsec)
end

local keys = {}
for n = 0, 999 do
    keys[n] = ("view/%07d"):format(n)
end

-- Everything that a call gives is used, or the compiler would leave it out.
local sink = 0

local function measure(name, call)
    local rounds = {}
    for round = 1, ROUNDS do
        local start = now()
        for n = 1, CALLS do
            call(n)
        end
        rounds[round] = (now() - start) / CALLS
    end
    table.sort(rounds)
    print(("lua\t%s\t%.1f\tns"):format(name, rounds[(ROUNDS + 1) / 2]))
end

local client = assert(consul.connect())
local pairs_of = assert(client:watch({ prefix = "view/" }))
local instances = assert(client:watch({ service = "view" }))
assert(pairs_of:wait_ready(20000))
assert(instances:wait_ready(20000))
assert(pairs_of:count() == 1000 and instances:count() == 1000)

measure("version check", function() sink = sink + (pairs_of:refresh() and 1 or 0) end)
measure("key look-up", function(n) sink = sink + #pairs_of:value(keys[n * 7 % 1000]) end)
local PICKS = {
    { "pick, round robin", "round_robin" },
    { "pick, random", "random" },
    { "pick, weighted", "weighted" },
    { "pick, least in use", "least_connections" },
}
for _, pick in ipairs(PICKS) do
    local name, how = pick[1], pick[2]
    measure(name, function()
        local address, port, id = instances:pick(how)
        sink = sink + #address + port + #id
    end)
end
measure("pick, hash", function(n)
    local address, port, id = instances:pick("hash", keys[n * 7 % 1000])
    sink = sink + #address + port + #id
end)
assert(sink > 0)
pairs_of:close()
instances:close()
client:close()
