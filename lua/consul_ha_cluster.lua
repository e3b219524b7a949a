--- The earlier module's cluster: membership, leader and ring, for programs written for it
--- (docs/moving.md). New programs use `client:cluster` (docs/cluster.md).
---
---     local cluster = require("consul_ha_cluster").new({
---         consul_url = "http://127.0.0.1:8500", node_id = "node-1", node_address = "10.0.0.1:7000",
---     })
---     assert(cluster:start())
---     print(cluster:get_node_for_key("AAPL"), cluster:is_leader_node())
---     cluster:stop()

local ConsulHACluster = require("consul_ffi.original.ha_cluster")

return {
    ConsulHACluster = ConsulHACluster,
    ConsistentHashRing = require("consul_ffi.original.ring"),
    --- As `ConsulHACluster:new(config)`.
    new = function(config)
        return ConsulHACluster:new(config)
    end,
}
