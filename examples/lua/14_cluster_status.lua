-- How the cluster is: who leads, how each server is, and what this client has seen of its addresses.

local consul = require("consul_ffi")

local client = assert(consul.connect())
-- It comes also while there is no leader, or where the token may not ask for all of it.
local report = assert(client.operator:cluster_report())

print("leader: " .. (report.leader or "none"))
for _, server in ipairs(report.servers) do
    local health = server.healthy == nil and "unknown" or server.healthy and "healthy" or "not healthy"
    print(("server %s at %s: %s, %s"):format(
        server.node, server.address, server.leader and "leads" or server.voter and "votes" or "follows",
        health
    ))
end
for _, endpoint in ipairs(report.endpoints) do
    print(("endpoint %s: %s%s"):format(
        endpoint.address, endpoint.state, endpoint.error and ", " .. endpoint.error or ""
    ))
end
for _, missing in ipairs(report.missing) do
    print(("no %s: %s"):format(missing.part, missing.reason))
end
client:close()
