--- Every setting of the earlier module: its default, and what it does here. The table in docs/moving.md
--- is made of these rows, and a test holds it to them.

local check = require("consul_ffi.check")
local kinds = require("consul_ffi.original.kinds")

local settings = {}

--- What a setting does: it acts; it is there for the program to read; or it is accepted, and a program
--- that sets it is told once that it has no effect.
local ACTS, PROGRAM, NONE = "acts", "the program's", "no effect"

local HA_DEFAULT_ADDRESS = "127.0.0.1:8080"

local number, whole = kinds.number, kinds.whole
local SECONDS = number(0.001, 86400)
local LEVEL = kinds.word({ "DEBUG", "INFO", "WARN", "ERROR" }, true)
local MODE = kinds.word({ "consistent", "default", "stale" })
local ADDRESS = { must_be = 'a text such as "10.0.0.1:8080"', take = kinds.text.take }

--- A section's rows: name, default, what it does, how; and the kind of its values where the default does
--- not say it: a number from 0, a flag, a text.
local ROWS = {
    { "consul_ffi" },
    { "consul_url", nil, ACTS, "where Consul answers; several with commas between them. `endpoint` is the same" },
    { "endpoint", nil, ACTS, "as `consul_url`" },
    { "timeout", 5000, ACTS, "how long a call may take, in ms; 0 for no limit, which is a day" },
    { "simulate", false, ACTS, "no server: an agent in memory answers, which all such clients of the process share" },
    { "acl_token", nil, ACTS, "the token of every request; unset: the variable CONSUL_HTTP_TOKEN; an empty one: none is sent" },
    { "retry_count", 0, ACTS, "how often a failed call is repeated where that does no harm; less than 0 is 0", number() },
    { "log_level", nil, ACTS, "DEBUG, INFO, WARN or ERROR: what is written to stderr; unset, nothing", LEVEL },

    { "consul_ha_cluster" },
    { "consul_url", nil, ACTS, "as of `consul_ffi`" },
    { "consul_endpoints", nil, ACTS, "a list of them: servers of one cluster, with failover", kinds.texts },
    { "node_id", nil, ACTS, "its name, also after it was started again; unset: made of the time and the process. `start` refuses one that is empty, `.` or `..`, or has a slash or an unprintable character", kinds.name },
    { "node_address", HA_DEFAULT_ADDRESS, ACTS, "what the others see of this node", ADDRESS },
    { "datacenter", nil, ACTS, "told to the others in `datacenter` of the node" },
    { "heartbeat_interval", 5, NONE, "the library renews the session at about half of its TTL" },
    { "lease_ttl", 30, ACTS, "the TTL of the sessions, in s; less than 10, which is what Consul takes at least, is taken for 10", number(0, 86400) },
    { "min_nodes", 1, PROGRAM, "a field of the cluster; `monitor_health` measures against that of section `cluster`" },
    { "leader_key", "/tsdb/cluster/leader", ACTS, "the key whose holder leads" },
    { "nodes_prefix", "/tsdb/cluster/nodes/", ACTS, "where each node has its key" },
    { "config_key", nil, ACTS, "a key that `load_cluster_config` reads into `cluster_config`" },
    { "simulate", false, ACTS, "as of `consul_ffi`" },
    { "acl_token", nil, ACTS, "as of `consul_ffi`, with the variable CONSUL_HTTP_TOKEN; new" },
    { "lock_delay", 15, ACTS, "how long nobody leads after a leader was lost, in s; new", number(0, 60) },
    { "leave_after", 5, ACTS, "how long a lost node stays in the ring, in s; new", number(0, 86400) },
    { "join_after", 10, ACTS, "how long one that comes back has to last before it is in the ring, in s; new", number(0, 86400) },
    { "election_timeout", 10, ACTS, "how long `start` waits for the membership and for a leader, in s; new" },
    { "settings", nil, ACTS, "a table of settings of the library (docs/settings.md); new", kinds.table },

    { "consul" },
    { "servers", nil, ACTS, "a list, with failover; one without a scheme takes https from `tls_enabled`. Unset: the variable CONSUL_HTTP_ADDR, or `http://127.0.0.1:8500`", kinds.texts },
    { "timeout", 10, ACTS, "how long a call may take, in s", SECONDS },
    { "retry_attempts", 3, ACTS, "how often a call goes round the servers once more, where that does no harm", whole(0, 100) },
    { "retry_interval", 1, ACTS, "how long it waits before that at first, in s", number(0.001, 60) },
    { "health_check_interval", 30, ACTS, "how often a server that failed is asked whether it serves again, in s", number(0.01, 86400) },
    { "health_check_timeout", 5, ACTS, "how long it may take to answer that, in s", SECONDS },
    { "acl_token", nil, ACTS, "the token of every request; the variable CONSUL_ACL_TOKEN, or else CONSUL_HTTP_TOKEN; an empty one: none is sent" },
    { "encryption_key", nil, ACTS, "encrypts the values of the keys that `settings.encryption_prefixes` names, which is new; the variable CONSUL_ENCRYPTION_KEY. Without prefixes nothing is encrypted, as before" },
    { "tls_enabled", false, ACTS, "https for servers without a scheme" },
    { "tls_verify", true, ACTS, "whether the certificate and the name of a server are checked" },
    { "tls_cert_file", nil, ACTS, "the client's certificate" },
    { "tls_key_file", nil, ACTS, "its key" },
    { "tls_ca_file", nil, ACTS, "the certificates of who may sign a server's" },
    { "simulate", false, ACTS, "as of `consul_ffi`; `servers` mean nothing then" },
    { "settings", nil, ACTS, "a table of settings of the library (docs/settings.md), which win; new", kinds.table },

    { "cluster" },
    { "node_id", nil, ACTS, "the variable NODE_ID, or made of the time and the process. `init` refuses what `start` of `consul_ha_cluster` does", kinds.node_id },
    { "node_address", HA_DEFAULT_ADDRESS, ACTS, "what the others see of this node; the variable NODE_ADDRESS; new", ADDRESS },
    { "datacenter", "dc1", ACTS, "as of `consul_ha_cluster`; the variable DATACENTER" },
    { "min_nodes", 3, ACTS, "fewer living nodes are an issue of `monitor_health`", whole(0) },
    { "max_nodes", 9, ACTS, "more are one", whole(0) },
    { "heartbeat_interval", 5, NONE, "the library renews the session at about half of its TTL" },
    { "heartbeat_timeout", 15, ACTS, "the TTL of the sessions, as `lease_ttl`; Consul ends one that is not renewed within twice that", number(0, 86400) },
    { "election_timeout", 10, ACTS, "how long `init` waits for the membership and for a leader, in s" },
    { "leader_lease_duration", 60, NONE, "the lead lasts as long as its session, which has the TTL of `heartbeat_timeout`" },
    { "consistency_mode", "consistent", ACTS, "of reads where nothing else is said: consistent, default or stale", MODE },
    { "read_timeout", 30, ACTS, "how long `read_data` may take, in s", SECONDS },
    { "write_timeout", 60, ACTS, "how long `store_data` may take, in s", SECONDS },
    { "failover_timeout", 30, NONE, "a call goes to another server as soon as one fails, within its own time" },
    { "recovery_interval", 60, NONE, "`health_check_interval` is how often a failed server is asked" },
    { "replication_factor", 3, ACTS, "how many nodes `store_data` names for a key; Consul itself keeps a value on each of its servers", whole(0) },
    { "write_quorum", 2, ACTS, "only where the program sets it: how many nodes must live for `store_data`", whole(0) },
    { "read_quorum", 2, ACTS, "the same of `read_data`", whole(0) },
    { "lock_delay", 15, ACTS, "as of `consul_ha_cluster`; new", number(0, 60) },
    { "leave_after", 5, ACTS, "as of `consul_ha_cluster`; new", number(0, 86400) },
    { "join_after", 10, ACTS, "as of `consul_ha_cluster`; new", number(0, 86400) },
    { "leader_key", "/tsdb/cluster/leader", ACTS, "as of `consul_ha_cluster`; new" },
    { "nodes_prefix", "/tsdb/cluster/nodes/", ACTS, "as of `consul_ha_cluster`; new" },

    { "storage" },
    { "kv_prefix", "stock-tsdb/", ACTS, "stands before the keys of `store_data` and `read_data`" },
    { "kv_consistency", nil, ACTS, "as `cluster.consistency_mode`, which it wins over", MODE },
    { "metadata_prefix", "metadata/", PROGRAM, "a prefix for keys that it writes itself" },
    { "lock_prefix", "locks/", PROGRAM, "the same" },
    { "session_prefix", "sessions/", PROGRAM, "the same" },

    { "monitoring" },
    { "metrics_enabled", true, NONE, "`monitor_health` and the statistics of a client are there when they are asked for" },
    { "metrics_interval", 60, NONE, "as `metrics_enabled`" },
    { "log_level", "INFO", ACTS, "DEBUG, INFO, WARN or ERROR: what the library writes to `log_file`", LEVEL },
    { "log_file", nil, ACTS, "where the library writes its log, for the whole process; unset: nowhere" },
    { "log_max_size", 100, ACTS, "the size at which `log_file` is renamed to `FILE.1`, in MB", number(0, 1000000) },
    { "log_max_backups", 10, ACTS, "how many of those are kept", whole(0, 1000) },
    { "log_max_age", 30, ACTS, "for how many days; a new one begins each day then", whole(0, 36500) },
    { "alert_enabled", true, ACTS, "whether `monitor_health` looks at `alert_threshold`" },
    { "alert_threshold", nil, ACTS, "the three that follow; each makes an issue of `monitor_health`", kinds.table },

    { "monitoring.alert_threshold" },
    { "node_down_count", 2, ACTS, "so many nodes that are lost, or more", number() },
    { "response_time_ms", 5000, ACTS, "an answer of Consul's that takes longer", number() },
    { "error_rate_percent", 5, ACTS, "more failures in a hundred requests since it was asked last", number() },

    { "security" },
    { "enable_acl", false, NONE, "Consul's servers decide; the token is always sent" },
    { "acl_policy_file", nil, NONE, "a policy is given to Consul by an operator" },
    { "encrypt_traffic", false, ACTS, "as `consul.tls_enabled`" },
    { "encryption_key", nil, ACTS, "as `consul.encryption_key`, which wins" },
    { "audit_enabled", false, ACTS, "whether every change that is made has a line in `audit_log_file`, with `cluster.node_id` for who made it" },
    { "audit_log_file", nil, ACTS, "that file" },
}

local KINDS = { number = number(0), boolean = kinds.flag, string = kinds.text, ["nil"] = kinds.text }

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
        setting.kind = setting.effect ~= ACTS and kinds.any or row[5] or KINDS[type(setting.default)]
        settings.rows[#settings.rows + 1] = setting
        by_name[section][row[1]] = setting
    end
end

--- A value as messages show it.
local function shown(value)
    return type(value) == "string" and ('"%s"'):format(value) or check.shown(value)
end

--- Raises an error, which names the setting, for a value that cannot be. It points to no line: the program
--- has written it elsewhere.
local function taken(setting, value, name)
    local kept = setting.kind.take(value)
    if kept == nil then
        local is_text = setting.kind.must_be == kinds.text.must_be
        error(("%s must be %s, not %s"):format(name, setting.kind.must_be, is_text and check.kind(value) or shown(value)), 0)
    end
    return kept
end

--- Of the two modules that have one section only, a program knows the names without it.
local BARE = { consul_ffi = true, consul_ha_cluster = true }

--- What applies of a setting: what `given`, the table of its section, says, or its default; `false` is
--- nothing where it is no flag. Raises an error for what cannot be.
function settings.value(given, of, name)
    local setting = by_name[of][name]
    local value = given and given[name]
    if value == nil or (value == false and setting.kind.take(false) == nil) then
        return setting.default
    end
    return taken(setting, value, BARE[of] and name or of .. "." .. name)
end

--- A value that a call has for a setting, such as its `replication_factor`.
function settings.of_call(value, of, name)
    return taken(by_name[of][name], value, name)
end

--- A table of what applies in a section. Raises an error for what cannot be.
function settings.all(given, of)
    local values = {}
    for name in pairs(by_name[of]) do
        values[name] = settings.value(given, of, name)
    end
    return values
end

--- The same; nil and a message for what cannot be.
function settings.read(given, of)
    local ok, values = pcall(settings.all, given, of)
    if not ok then
        return nil, values
    end
    return values
end

--- Whether settings of the library name prefixes of keys whose values are encrypted: a text or a list.
function settings.names_prefixes(of_library)
    local prefixes = of_library and of_library.encryption_prefixes
    return prefixes ~= nil and prefixes ~= "" and true or false
end

--- The settings without effect that a program has set to something of its own.
function settings.without_effect(given, of)
    local found = {}
    for _, setting in ipairs(settings.rows) do
        local value = setting.section == of and given and given[setting.name]
        if value and setting.effect == NONE and tostring(value) ~= tostring(setting.default) then
            found[#found + 1] = setting
        end
    end
    return found
end

local function cell(value)
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
            setting.name, cell(setting.default), setting.effect, setting.how
        )
    end
    return table.concat(lines, "\n") .. "\n"
end

return settings
