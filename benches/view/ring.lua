-- Times the look-up of a key's node in rings of 9 and of 1,000 nodes, as ring.c does.

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

local function measure(name, count)
    local ring, nodes = assert(consul.ring()), {}
    for n = 0, count - 1 do
        nodes[n + 1] = ("node-%d.example.com"):format(n)
    end
    assert(ring:set(nodes))
    local rounds = {}
    for round = 1, ROUNDS do
        local start = now()
        for n = 1, CALLS do
            sink = sink + #ring:node_for_key(keys[n * 7 % 1000])
        end
        rounds[round] = (now() - start) / CALLS
    end
    table.sort(rounds)
    print(("lua\t%s\t%.1f\tns"):format(name, rounds[(ROUNDS + 1) / 2]))
    ring:close()
end

measure("ring look-up, 9 nodes", 9)
measure("ring look-up, 1,000 nodes", 1000)
assert(sink > 0)
