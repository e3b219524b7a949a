--- The earlier module's production configuration, for programs written for it (docs/moving.md).
---
---     local production = require("consul_production_config")
---     production.config.consul.servers = { "https://consul-1:8501", "https://consul-2:8501" }
---     local manager = production.ConsulManager
---     manager:init()
---     manager:store_data("stocks/AAPL/1", { price = 150.25 })

local ConsulManager = require("consul_ffi.original.manager")

return {
    config = ConsulManager.config,
    ConsulManager = ConsulManager,
}
