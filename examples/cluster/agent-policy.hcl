# What Consul's own agents need: to write their node into the catalog, to look up services.
node_prefix "" { policy = "write" }
service_prefix "" { policy = "read" }
