--- A node of a cluster in a process of its own, as a program for the earlier module: it says ten times a
--- second what it sees, and when, for ten minutes at most.
---
---     luajit cluster_node.lua ID PREFIX KEYS

local helper = require("helper")
local pause = require("consul_ffi.pause")

local id, prefix, keys = arg[1], arg[2], tonumber(arg[3])
io.stdout:setvbuf("line")

local cluster = require("consul_ha_cluster").new({
    consul_url = os.getenv("CONSUL_HTTP_ADDR"),
    node_id = id,
    node_address = id .. ":7000",
    nodes_prefix = "/" .. prefix .. "nodes/",
    leader_key = "/" .. prefix .. "leader",
    lease_ttl = 2,
    lock_delay = 1,
    leave_after = 1,
    join_after = 1,
    settings = { min_session_ttl_ms = 2000 },
})
assert(cluster:start())

for _ = 1, 6000 do
    local now, owners = helper.milliseconds(), {}
    for key = 1, keys do
        owners[key] = cluster:get_node_for_key("stock:" .. key) or "nobody"
    end
    local leader = cluster:get_leader_info()
    print(now, leader or "nobody", cluster:is_leader_node(), #cluster:get_live_nodes(), table.concat(owners, " "))
    pause(100)
end
