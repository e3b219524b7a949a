--- Every setting of the earlier module: its default, and what it does here. The table in docs/moving.md
--- is made of these rows, and a test holds it to them.

local settings = {}

--- What a setting does: it acts; it is there for the program to read; or it is accepted, and a program
--- that sets it is told once that it has no effect.
local ACTS, PROGRAM, NONE = "acts", "the program's", "no effect"

local HA_DEFAULT_ADDRESS = "127.0.0.1:8080"

--- A section's rows: name, default, what it does, how.
local ROWS = {
    { "consul_ffi" },
    { "consul_url", nil, ACTS, "where Consul answers; several with commas between them. `endpoint` is the same" },
    { "endpoint", nil, ACTS, "as `consul_url`" },
    { "timeout", 5000, ACTS, "how long a call may take, in ms" },
    { "simulate", false, ACTS, "no server: an agent in memory answers, which all such clients of the process share" },
    { "acl_token", nil, ACTS, "the token of every request" },
    { "retry_count", 0, ACTS, "how often a failed call is repeated where that does no harm" },
    { "log_level", nil, ACTS, "DEBUG, INFO, WARN or ERROR: what is written to stderr; unset, nothing" },

    { "consul_ha_cluster" },
    { "consul_url", nil, ACTS, "as of `consul_ffi`" },
    { "consul_endpoints", nil, ACTS, "a list of them: servers of one cluster, with failover" },
    { "node_id", nil, ACTS, "its name, also after it was started again; unset: made of the time and the process" },
    { "node_address", HA_DEFAULT_ADDRESS, ACTS, "what the others see of this node" },
    { "datacenter", nil, ACTS, "told to the others in `datacenter` of the node" },
    { "heartbeat_interval", 5, NONE, "the library renews the session at about half of its TTL" },
    { "lease_ttl", 30, ACTS, "the TTL of the sessions, in s; less than 10, which is what Consul takes at least, is taken for 10" },
    { "min_nodes", 1, PROGRAM, "a field of the cluster; `monitor_health` measures against that of section `cluster`" },
    { "leader_key", "/tsdb/cluster/leader", ACTS, "the key whose holder leads" },
    { "nodes_prefix", "/tsdb/cluster/nodes/", ACTS, "where each node has its key" },
    { "config_key", nil, ACTS, "a key that `load_cluster_config` reads into `cluster_config`" },
    { "simulate", false, ACTS, "as of `consul_ffi`" },
    { "acl_token", nil, ACTS, "as of `consul_ffi`; new" },
    { "lock_delay", 15, ACTS, "how long nobody leads after a leader was lost, in s; new" },
    { "leave_after", 5, ACTS, "how long a lost node stays in the ring, in s; new" },
    { "join_after", 10, ACTS, "how long one that comes back has to last before it is in the ring, in s; new" },
    { "election_timeout", 10, ACTS, "how long `start` waits for the membership and for a leader, in s; new" },
    { "settings", nil, ACTS, "a table of settings of the library (docs/settings.md); new" },

    { "consul" },
    { "servers", nil, ACTS, "a list, with failover; one without a scheme takes https from `tls_enabled`. Unset: the variable CONSUL_HTTP_ADDR, or `http://127.0.0.1:8500`" },
    { "timeout", 10, ACTS, "how long a call may take, in s" },
    { "retry_attempts", 3, ACTS, "how often a call goes round the servers once more, where that does no harm" },
    { "retry_interval", 1, ACTS, "how long it waits before that at first, in s" },
    { "health_check_interval", 30, ACTS, "how often a server that failed is asked whether it serves again, in s" },
    { "health_check_timeout", 5, ACTS, "how long it may take to answer that, in s" },
    { "acl_token", nil, ACTS, "the token of every request; the variable CONSUL_ACL_TOKEN" },
    { "encryption_key", nil, ACTS, "encrypts the values of the keys that `settings.encryption_prefixes` names, which is new; the variable CONSUL_ENCRYPTION_KEY. Without prefixes nothing is encrypted, as before" },
    { "tls_enabled", false, ACTS, "https for servers without a scheme" },
    { "tls_verify", true, ACTS, "whether the certificate and the name of a server are checked" },
    { "tls_cert_file", nil, ACTS, "the client's certificate" },
    { "tls_key_file", nil, ACTS, "its key" },
    { "tls_ca_file", nil, ACTS, "the certificates of who may sign a server's" },
    { "simulate", false, ACTS, "as of `consul_ffi`; `servers` mean nothing then" },
    { "settings", nil, ACTS, "a table of settings of the library (docs/settings.md), which win; new" },

    { "cluster" },
    { "node_id", nil, ACTS, "the variable NODE_ID, or made of the time and the process" },
    { "node_address", HA_DEFAULT_ADDRESS, ACTS, "what the others see of this node; the variable NODE_ADDRESS; new" },
    { "datacenter", "dc1", ACTS, "as of `consul_ha_cluster`; the variable DATACENTER" },
    { "min_nodes", 3, ACTS, "fewer living nodes are an issue of `monitor_health`" },
    { "max_nodes", 9, ACTS, "more are one" },
    { "heartbeat_interval", 5, NONE, "the library renews the session at about half of its TTL" },
    { "heartbeat_timeout", 15, ACTS, "the TTL of the sessions, as `lease_ttl`; Consul ends one that is not renewed within twice that" },
    { "election_timeout", 10, ACTS, "how long `init` waits for the membership and for a leader, in s" },
    { "leader_lease_duration", 60, NONE, "the lead lasts as long as its session, which has the TTL of `heartbeat_timeout`" },
    { "consistency_mode", "consistent", ACTS, "of reads where nothing else is said: consistent, default or stale" },
    { "read_timeout", 30, ACTS, "how long `read_data` may take, in s" },
    { "write_timeout", 60, ACTS, "how long `store_data` may take, in s" },
    { "failover_timeout", 30, NONE, "a call goes to another server as soon as one fails, within its own time" },
    { "recovery_interval", 60, NONE, "`health_check_interval` is how often a failed server is asked" },
    { "replication_factor", 3, ACTS, "how many nodes `store_data` names for a key; Consul itself keeps a value on each of its servers" },
    { "write_quorum", 2, ACTS, "only where the program sets it: how many nodes must live for `store_data`" },
    { "read_quorum", 2, ACTS, "the same of `read_data`" },
    { "lock_delay", 15, ACTS, "as of `consul_ha_cluster`; new" },
    { "leave_after", 5, ACTS, "as of `consul_ha_cluster`; new" },
    { "join_after", 10, ACTS, "as of `consul_ha_cluster`; new" },
    { "leader_key", "/tsdb/cluster/leader", ACTS, "as of `consul_ha_cluster`; new" },
    { "nodes_prefix", "/tsdb/cluster/nodes/", ACTS, "as of `consul_ha_cluster`; new" },

    { "storage" },
    { "kv_prefix", "stock-tsdb/", ACTS, "stands before the keys of `store_data` and `read_data`" },
    { "kv_consistency", nil, ACTS, "as `cluster.consistency_mode`, which it wins over" },
    { "metadata_prefix", "metadata/", PROGRAM, "a prefix for keys that it writes itself" },
    { "lock_prefix", "locks/", PROGRAM, "the same" },
    { "session_prefix", "sessions/", PROGRAM, "the same" },

    { "monitoring" },
    { "metrics_enabled", true, NONE, "`monitor_health` and the statistics of a client are there when they are asked for" },
    { "metrics_interval", 60, NONE, "as `metrics_enabled`" },
    { "log_level", "INFO", ACTS, "DEBUG, INFO, WARN or ERROR: what the library writes to `log_file`" },
    { "log_file", nil, ACTS, "where the library writes its log, for the whole process; unset: nowhere" },
    { "log_max_size", 100, ACTS, "the size at which `log_file` is renamed to `FILE.1`, in MB" },
    { "log_max_backups", 10, ACTS, "how many of those are kept" },
    { "log_max_age", 30, ACTS, "for how many days; a new one begins each day then" },
    { "alert_enabled", true, ACTS, "whether `monitor_health` looks at `alert_threshold`" },
    { "alert_threshold", nil, ACTS, "the three that follow; each makes an issue of `monitor_health`" },

    { "monitoring.alert_threshold" },
    { "node_down_count", 2, ACTS, "so many nodes that are lost, or more" },
    { "response_time_ms", 5000, ACTS, "an answer of Consul's that takes longer" },
    { "error_rate_percent", 5, ACTS, "more failures in a hundred requests since it was asked last" },

    { "security" },
    { "enable_acl", false, NONE, "Consul's servers decide; the token is always sent" },
    { "acl_policy_file", nil, NONE, "a policy is given to Consul by an operator" },
    { "encrypt_traffic", false, ACTS, "as `consul.tls_enabled`" },
    { "encryption_key", nil, ACTS, "as `consul.encryption_key`, which wins" },
    { "audit_enabled", false, ACTS, "whether every change that is made has a line in `audit_log_file`, with `cluster.node_id` for who made it" },
    { "audit_log_file", nil, ACTS, "that file" },
}

--- The rows in their order, as tables, and by section and name.
settings.rows = {}
local by_name = {}

local section
for _, row in ipairs(ROWS) do
    if not row[3] then
        section = row[1]
        by_name[section] = {}
    else
        local setting = { section = section, name = row[1], default = row[2], effect = row[3], how = row[4] }
        settings.rows[#settings.rows + 1] = setting
        by_name[section][row[1]] = setting
    end
end

--- What applies of a setting: what `given`, the table of its section, says, or its default.
function settings.value(given, of, name)
    local value = given and given[name]
    if value == nil then
        return by_name[of][name].default
    end
    return value
end

--- A table of what applies in a section.
function settings.all(given, of)
    local values = {}
    for name in pairs(by_name[of]) do
        values[name] = settings.value(given, of, name)
    end
    return values
end

--- The settings without effect that a program has set to something of its own.
function settings.without_effect(given, of)
    local found = {}
    for _, setting in ipairs(settings.rows) do
        local value = setting.section == of and given and given[setting.name]
        if value and setting.effect == NONE and value ~= setting.default then
            found[#found + 1] = setting
        end
    end
    return found
end

local function shown(value)
    return value == nil and "" or ("`%s`"):format(tostring(value))
end

--- The table for docs/moving.md.
function settings.page()
    local lines, last = {}, nil
    for _, setting in ipairs(settings.rows) do
        if setting.section ~= last then
            last = setting.section
            lines[#lines + 1] = ("\n**%s**\n\n| setting | default | | |\n|---|---|---|---|"):format(last)
        end
        lines[#lines + 1] = ("| `%s` | %s | %s | %s |"):format(
            setting.name, shown(setting.default), setting.effect, setting.how
        )
    end
    return table.concat(lines, "\n") .. "\n"
end

return settings
