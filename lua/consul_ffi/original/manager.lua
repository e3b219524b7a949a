--- `ConsulManager` of the earlier module: one client for all servers, one node of a cluster, and what a
--- program stores. There is one in a process. Its methods are called with a colon or with a dot.

local ConsulClient = require("consul_ffi.original.client")
local ConsulHACluster = require("consul_ffi.original.ha_cluster")
local check = require("consul_ffi.check")
local config = require("consul_ffi.original.config")
local connect = require("consul_ffi.client")
local connection = require("consul_ffi.original.connection")
local errors = require("consul_ffi.errors")
local health = require("consul_ffi.original.health")
local json = require("consul_ffi.json")
local kv_rows = require("consul_ffi.original.kv_rows")
local log = require("consul_ffi.log")
local new_node = require("consul_ffi.original.node")
local notes = require("consul_ffi.original.notes")
local settings = require("consul_ffi.original.settings")

local NOT_FOUND = errors.codes.NOT_FOUND
local MODES = { consistent = true, default = true, stale = true }
local LEVELS = { DEBUG = "debug", INFO = "info", WARN = "warning", ERROR = "error" }
local NOTED = { "consul", "cluster", "storage", "monitoring", "security" }

local ConsulManager = {
    config = config.new(),
    clients = {},
    cluster = nil,
    is_initialized = false,
}

--- Adds a method, for which the manager may be left out.
local function method(name, run)
    ConsulManager[name] = function(self, ...)
        if type(self) == "table" and self.get_healthy_client then
            return run(self, ...)
        end
        return run(ConsulManager, self, ...)
    end
end

--- What is wrong, without the place that errors of arguments begin with: none of the program's.
local function plain(problem)
    return (tostring(problem):gsub("^.-consul_ffi: ", ""))
end

local function outcome(failure, ok, ...)
    if ok then
        return ...
    end
    return failure, plain((...))
end

--- Adds a method that raises no error for what is wrong in the configuration: it returns `failure` and a
--- message.
local function safe_method(name, failure, run)
    method(name, function(self, ...)
        return outcome(failure, pcall(run, self, ...))
    end)
end

local function get(self, section, name)
    return config.get(self.config, section, name)
end

local function milliseconds(self, section, name)
    return math.floor(get(self, section, name) * 1000 + 0.5)
end

local MEGABYTE = 2 ^ 20

--- When the log makes room, as the library says it.
local function rotation_of(self)
    return {
        max_bytes = math.floor(get(self, "monitoring", "log_max_size") * MEGABYTE),
        max_files = get(self, "monitoring", "log_max_backups"),
        max_age_days = get(self, "monitoring", "log_max_age"),
    }
end

--- The library's log goes where the program has said; what it has set for nothing is told.
local function observe(self)
    local path = config.log_file(self.config)
    if path then
        local is_open, problem = log.set_rotation(rotation_of(self))
        if is_open then
            is_open, problem = log.set_file(path)
        end
        if is_open then
            log.set_level(LEVELS[get(self, "monitoring", "log_level")])
        else
            io.stderr:write(("consul_ffi [WARN] %s\n"):format(problem.message))
        end
    end
    for _, section in ipairs(NOTED) do
        notes(self.config[section], section, path)
    end
end

local function new_cluster(self)
    return ConsulHACluster:new({
        node_id = get(self, "cluster", "node_id"),
        node_address = get(self, "cluster", "node_address"),
        datacenter = get(self, "cluster", "datacenter"),
        lease_ttl = get(self, "cluster", "heartbeat_timeout"),
        min_nodes = get(self, "cluster", "min_nodes"),
        election_timeout = get(self, "cluster", "election_timeout"),
        lock_delay = get(self, "cluster", "lock_delay"),
        leave_after = get(self, "cluster", "leave_after"),
        join_after = get(self, "cluster", "join_after"),
        leader_key = get(self, "cluster", "leader_key"),
        nodes_prefix = get(self, "cluster", "nodes_prefix"),
        simulate = get(self, "consul", "simulate"),
        settings = get(self, "consul", "settings"),
    }, self.native)
end

--- What its clients tell a program, and go by.
local function described(self)
    return {
        timeout = milliseconds(self, "consul", "timeout"),
        simulate = get(self, "consul", "simulate"),
        is_encrypting = settings.names_prefixes(get(self, "consul", "settings")),
    }
end

--- Its client of the earlier module's, made anew where the program has destroyed it.
local function client_of(self)
    if not (self.clients[1] and self.clients[1].initialized) then
        self.clients[1] = ConsulClient.over(self.native, described(self))
    end
    return self.clients[1]
end

--- Makes the client and starts the node. Raises an error when the configuration cannot be used.
local function begin(self)
    config.check(self.config)
    observe(self)
    local native, problem = connect(connection(self.config))
    if not native then
        error(problem.message, 0)
    end
    self.native = native
    client_of(self)
    self.cluster = new_cluster(self)
    local _, waits_for = self.cluster:start()
    if not self.cluster.membership then
        -- It has not even begun to join: it never could.
        error(waits_for, 0)
    end
    return waits_for
end

--- Whether it can be used, made so where it was not yet, and what the node waits for; nil and a message
--- when the configuration cannot be used, and everything is as before.
local function ready(self)
    if self.is_initialized then
        return true
    end
    local ok, waits_for = pcall(begin, self)
    if not ok then
        self:cleanup()
        return nil, plain(waits_for)
    end
    self.is_initialized = true
    return true, waits_for
end

--- Makes the client and starts the node. Raises an error when the configuration cannot be used. That
--- Consul is away is none: true and a message then, and the node joins when it answers.
method("init", function(self)
    local is_ready, message = ready(self)
    if not is_ready then
        check.fail("%s", message)
    end
    return true, message
end)

--- A client of the class `ConsulClient` while a server of Consul serves; nil and a message otherwise. It is
--- the manager's, and lives as long.
safe_method("get_healthy_client", nil, function(self)
    local is_ready, problem = ready(self)
    if not is_ready then
        return nil, problem
    end
    local recent_ms = milliseconds(self, "consul", "health_check_interval")
    for _, endpoint in ipairs(self.native:endpoints() or {}) do
        if endpoint.state == "up" and (endpoint.last_success_ms or math.huge) < recent_ms then
            return client_of(self)
        end
    end
    local leader, err = self.native.status:leader()
    if leader then
        return client_of(self)
    end
    return nil, err.message
end)

--- Who leads, for programs that take it as a text and such as take it as a table.
local function leader_of(cluster)
    local info = cluster:get_leader_info()
    return info and new_node({
        id = info.node_id,
        node_id = info.node_id,
        session_id = info.session_id,
        timestamp = info.timestamp,
    })
end

--- What is known of the cluster; nil before `init`.
method("get_cluster_info", function(self)
    local cluster = self.cluster
    local leader = cluster and leader_of(cluster)
    return cluster and {
        node_count = cluster:get_node_count(),
        leader_node = leader,
        current_node = cluster.node_id,
        is_leader = leader ~= nil and leader.node_id == cluster.node_id,
        nodes = cluster.cluster_nodes,
    }
end)

--- A key of Consul's for one of the program's.
local function full_key(self, key)
    local name = get(self, "storage", "kv_prefix") .. tostring(key):gsub("^/", "")
    return (name:gsub("^/", ""))
end

--- Why fewer nodes live than the program has said that must; nil when enough do.
local function short_of(self, name)
    local quorum = config.quorum(self.config, name)
    local living = quorum and #self.cluster:get_live_nodes()
    if quorum and living < quorum then
        return ("%s is %d, and %d nodes live"):format(name, quorum, living)
    end
end

--- The consistency of a call; nil and a message for one that is none.
local function consistency_of(self, options)
    local mode = options.consistency or get(self, "storage", "kv_consistency")
        or get(self, "cluster", "consistency_mode")
    if not MODES[mode] then
        return nil, ("consistency must be one of consistent, default, stale, not %s"):format(tostring(mode))
    end
    return mode
end

--- What both calls check before anything is sent: the consistency, or nil and a message.
local function prepare(self, quorum, options)
    local is_ready, problem = ready(self)
    if not is_ready then
        return nil, problem
    end
    local short = short_of(self, quorum)
    if short then
        return nil, short
    end
    return consistency_of(self, options)
end

local function text_of(value)
    if type(value) == "table" then
        return json.encode(value)
    end
    return tostring(value)
end

--- Writes a value, a table as its JSON. True and the nodes that the key belongs to, `replication_factor` of
--- them where there are so many; false and a message when it was not written. Every write is agreed on by
--- a majority of Consul's servers, whatever the consistency.
safe_method("store_data", false, function(self, key, value, options)
    options = options or {}
    if key == nil or value == nil then
        return false, (key == nil and "key" or "value") .. " is missing"
    end
    local mode, problem = prepare(self, "write_quorum", options)
    if not mode then
        return false, problem
    end
    local is_text, text = pcall(text_of, value)
    if not is_text then
        return false, text
    end
    local timeout_ms = milliseconds(self, "cluster", "write_timeout")
    local count = get(self, "cluster", "replication_factor")
    if options.replication_factor ~= nil then
        count = settings.of_call(options.replication_factor, "cluster", "replication_factor")
    end
    local written, err = self.native.kv:put(full_key(self, key), text, { timeout_ms = timeout_ms })
    if not written then
        return false, err.message
    end
    return true, self.cluster:get_replica_nodes(key, count)
end)

--- A value: what JSON says where it is an object or an array, the text itself otherwise. Then the body of
--- the HTTP API. nil and a message when there is none, or it could not be read.
safe_method("read_data", nil, function(self, key, options)
    options = options or {}
    if key == nil then
        return nil, "key is missing"
    end
    local mode, problem = prepare(self, "read_quorum", options)
    if not mode then
        return nil, problem
    end
    local name = full_key(self, key)
    local value, meta = self.native.kv:get(name, {
        consistency = mode,
        timeout_ms = milliseconds(self, "cluster", "read_timeout"),
    })
    if not value then
        return nil, meta.code == NOT_FOUND and name .. ": 404, not found" or meta.message
    end
    local decoded = value:find("^%s*[%[{]") and json.decode(value) or nil
    -- The body of Consul's answer, which the earlier module returned.
    meta.key, meta.value = name, value
    return decoded or value, kv_rows({ meta })
end)

--- The node that a key belongs to, which serves as its id and as a table, and what is known of it; nil
--- before anything was found.
method("get_consistent_node", function(self, key)
    local id, info
    if self.cluster then
        id, info = self.cluster:get_node_for_key(key)
    end
    if not id then
        return nil
    end
    return self.cluster:get_replica_nodes(key, 1)[1], info
end)

--- How the cluster and Consul are: `timestamp`, `node_count`, `leader_node`, `is_healthy`, and a list of
--- `issues`. False and a message before `init`.
safe_method("monitor_health", false, function(self)
    if not self.cluster then
        return false, "the manager was not initialized"
    end
    local issues = health.issues(self)
    return {
        timestamp = os.time(),
        node_count = self.cluster:get_node_count(),
        leader_node = leader_of(self.cluster),
        is_healthy = #issues == 0,
        issues = json.array(issues),
    }
end)

--- Takes a changed configuration while work goes on: what `new_config` says, the rest stays; without one,
--- what was changed in `config`. Servers, token, TLS, times and limits change for calls that begin then:
--- none fails for it, and sessions, the lead and the node live on. What describes the node itself (its
--- id, its address, its keys) changes with the next `init`. False and a message when it cannot be
--- used: nothing has changed then.
method("reload_config", function(self, new_config)
    local changes = new_config == nil and {} or new_config
    local ok, problem = pcall(function()
        config.check_changes(self.config, changes)
        local changed = config.change(config.copy(self.config), changes)
        config.check(changed)
        if config.get(changed, "monitoring", "log_file") ~= config.get(self.config, "monitoring", "log_file") then
            config.check_log_file(changed)
        end
        local wanted = connection(changed)
        return self.native and select(2, self.native:reload(wanted))
    end)
    if not ok or problem then
        return false, ok and problem.message or plain(problem)
    end
    config.change(self.config, changes)
    observe(self)
    if self.native then
        ConsulClient.describe(client_of(self), described(self))
    end
    return true
end)

--- Takes the node out of the cluster and ends the client. Harmless when it was called before.
method("cleanup", function(self)
    if self.cluster then
        self.cluster:stop()
    end
    for _, client in ipairs(self.clients) do
        client:destroy()
    end
    if self.native then
        self.native:close()
    end
    self.cluster, self.native, self.counted = nil, nil, nil
    self.clients = {}
    self.is_initialized = false
    return true
end)

return ConsulManager
