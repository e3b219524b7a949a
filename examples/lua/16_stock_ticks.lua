-- A program for the earlier Lua modules, as they are called: it stores and reads stock ticks, asks how
-- the cluster is, and which node each key belongs to.

local production = require("consul_production_config")
local config, manager = production.config, production.ConsulManager

config.consul.servers = { os.getenv("CONSUL_HTTP_ADDR") or "127.0.0.1:8500" }
config.cluster.node_id = "tsdb-1"
config.cluster.node_address = "127.0.0.1:8081"
config.cluster.min_nodes = 1

local ticks = {
    { symbol = "AAPL", price = 150.25, volume = 1000000, timestamp = 1728691200 },
    { symbol = "MSFT", price = 305.15, volume = 800000, timestamp = 1728691200 },
}

local function key_of(tick)
    return "stocks/" .. tick.symbol .. "/" .. tick.timestamp
end

assert(manager:init())
local info = manager:get_cluster_info()
print(info.current_node .. " of " .. info.node_count .. ", led by " .. (info.leader_node or "nobody"))

for _, tick in ipairs(ticks) do
    assert(manager:store_data(key_of(tick), tick, { consistency = "consistent", replication_factor = 3 }))
    local read = assert(manager:read_data(key_of(tick), { consistency = "consistent" }))
    print("stored " .. read.symbol .. " at " .. read.price)
end

for _, tick in ipairs(ticks) do
    local node = manager:get_consistent_node(tick.symbol)
    print(tick.symbol .. " belongs to " .. node.id .. " (" .. node.address .. ")")
end

local health = manager:monitor_health()
print(health.is_healthy and "all is well" or "issues: " .. table.concat(health.issues, "; "))

-- While work goes on: nothing fails for it.
assert(manager:reload_config({ consul = { timeout = 5 } }))

local client = assert(manager:get_healthy_client())
assert(client:kv_delete("stock-tsdb/stocks/", true))
manager:cleanup()
