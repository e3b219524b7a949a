-- Stores and reads stock ticks on a cluster of three servers: as one of many nodes, of which one leads.

local consul = require("consul_ffi")

-- CONSUL_HTTP_ADDR names all three servers, with commas between them; certificates and token come from
-- the environment too. One server is in use; when it fails, the next one is.
local client = assert(consul.connect({ timeout_ms = 30000 }))
local NODE = os.getenv("TICKS_NODE") or "node-1"

-- The node is found by others, and turns critical when this process ends without a word.
local service = assert(client:service({
    name = "ticks",
    id = "ticks-" .. NODE,
    address = "127.0.0.1",
    port = 6379,
    deregister_after_ms = 600000,
}))
assert(service:start())

-- One node leads, whatever happens to servers and nodes.
local election = assert(client:election({ key = "stock-tsdb/leader", value = NODE }))
local leader = assert(election:wait_leader(60000))
print("the leader is " .. leader.value)

-- A tick is a key: what was acknowledged is on two of the three servers.
local function store(symbol, tick)
    local key = ("stock-tsdb/ticks/%s/%d"):format(symbol, tick.time)
    return assert(client.kv:put(key, consul.json.encode(tick)))
end

store("600519", { time = 1704067200, price = 1725.5, volume = 1200 })
store("600519", { time = 1704067203, price = 1726, volume = 800 })
store("000001", { time = 1704067200, price = 9.39, volume = 45000 })

-- The leader answers; { consistency = "stale" } lets any server answer, also while there is no leader.
local ticks = assert(client.kv:list("stock-tsdb/ticks/600519/"))
for _, pair in ipairs(ticks) do
    local tick = consul.json.decode(pair.value)
    print(("600519 at %d: %.2f, %d shares"):format(tick.time, tick.price, tick.volume))
end

-- Blocks until there is an instance that passes.
local index, nodes = 0, {}
while #nodes == 0 do
    local meta
    nodes, meta = client.health:service("ticks", { passing = true, index = index })
    assert(nodes, meta)
    index = meta.index
end
print(("%d node is healthy"):format(#nodes))

for _, address in ipairs(assert(client:endpoints())) do
    print(("%s is %s%s"):format(address.address, address.state, address.is_in_use and ", in use" or ""))
end

assert(election:resign())
election:close()
service:close()
client:close()
