--- What `ConsulManager:monitor_health()` finds wrong.

local clock = require("consul_ffi.clock")
local errors = require("consul_ffi.errors")
local settings = require("consul_ffi.original.settings")

local health = {}

local function add(issues, text, ...)
    issues[#issues + 1] = text:format(...)
end

--- Asks Consul for its leader: how long that took, in ms, or nil.
local function ask(client, issues)
    local begun = clock()
    local leader, err = client.status:leader()
    if leader then
        return clock() - begun
    elseif err.code == errors.codes.NOT_FOUND then
        add(issues, "Consul has no leader")
    else
        add(issues, "Consul does not answer: %s", err.message)
    end
end

local function look_at_servers(client, issues)
    local endpoints, serving = client:endpoints() or {}, 0
    for _, endpoint in ipairs(endpoints) do
        serving = serving + (endpoint.state == "up" and 1 or 0)
    end
    if serving * 2 < #endpoints then
        add(issues, "%d of %d servers of Consul serve", serving, #endpoints)
    end
end

local function look_at_nodes(cluster, limits, issues)
    local living = #cluster:get_live_nodes()
    if living < limits.min_nodes then
        add(issues, "%d nodes live, fewer than min_nodes, %d", living, limits.min_nodes)
    elseif living > limits.max_nodes then
        add(issues, "%d nodes live, more than max_nodes, %d", living, limits.max_nodes)
    end
end

--- How many requests in a hundred have failed since `before`, what this has returned the last time.
local function error_rate(client, before)
    local now = { requests = 0, failures = 0 }
    for _, endpoint in ipairs(client:endpoints() or {}) do
        now.requests = now.requests + endpoint.requests
        now.failures = now.failures + endpoint.failures
    end
    local requests = now.requests - (before and before.requests or 0)
    local failures = now.failures - (before and before.failures or 0)
    return now, requests > 0 and failures * 100 / requests or 0
end

local function lost_nodes(cluster)
    local lost = 0
    for _, node in ipairs(cluster.membership and cluster.membership:nodes() or {}) do
        lost = lost + (node.state ~= "alive" and 1 or 0)
    end
    return lost
end

local function look_at_thresholds(manager, thresholds, took_ms, issues)
    local lost, rate = lost_nodes(manager.cluster), nil
    if lost >= thresholds.node_down_count then
        add(issues, "%d nodes are down", lost)
    end
    if took_ms and took_ms > thresholds.response_time_ms then
        add(issues, "Consul took %d ms to answer", took_ms)
    end
    manager.counted, rate = error_rate(manager.native, manager.counted)
    if rate > thresholds.error_rate_percent then
        add(issues, "%.1f %% of the requests have failed", rate)
    end
end

--- A list of texts, empty when all is well.
function health.issues(manager)
    local issues, monitoring = {}, manager.config.monitoring
    look_at_nodes(manager.cluster, settings.all(manager.config.cluster, "cluster"), issues)
    if not manager.cluster:get_leader_info() then
        add(issues, "no node leads")
    end
    local took_ms = ask(manager.native, issues)
    look_at_servers(manager.native, issues)
    if settings.value(monitoring, "monitoring", "alert_enabled") then
        local given = settings.value(monitoring, "monitoring", "alert_threshold")
        look_at_thresholds(manager, settings.all(given, "monitoring.alert_threshold"), took_ms, issues)
    end
    return issues
end

return health
