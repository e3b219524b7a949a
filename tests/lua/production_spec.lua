--- The earlier module's production configuration and its manager, as programs written for it call them.

local config = require("consul_ffi.original.config")
local connection = require("consul_ffi.original.connection")
local consul = require("consul_ffi")
local helper = require("helper")
local pause = require("consul_ffi.pause")
local settings = require("consul_ffi.original.settings")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

--- The module as a process has it that requires it first.
local function fresh()
    package.loaded["consul_production_config"] = nil
    package.loaded["consul_ffi.original.manager"] = nil
    return require("consul_production_config")
end

describe("the production configuration", function()
    it("has the earlier module's sections and defaults", function()
        local given = fresh().config
        assert.same({ 10, 3, 1, 30, 5 }, {
            given.consul.timeout, given.consul.retry_attempts, given.consul.retry_interval,
            given.consul.health_check_interval, given.consul.health_check_timeout,
        })
        assert.same({ 3, 9, 5, 15, 10, 60 }, {
            given.cluster.min_nodes, given.cluster.max_nodes, given.cluster.heartbeat_interval,
            given.cluster.heartbeat_timeout, given.cluster.election_timeout, given.cluster.leader_lease_duration,
        })
        assert.same({ "consistent", 30, 60, 30, 60, 3, 2, 2 }, {
            given.cluster.consistency_mode, given.cluster.read_timeout, given.cluster.write_timeout,
            given.cluster.failover_timeout, given.cluster.recovery_interval, given.cluster.replication_factor,
            given.cluster.write_quorum, given.cluster.read_quorum,
        })
        assert.same({ "stock-tsdb/", "metadata/", "locks/", "sessions/" }, {
            given.storage.kv_prefix, given.storage.metadata_prefix, given.storage.lock_prefix,
            given.storage.session_prefix,
        })
        assert.same({ 60, "INFO", 100, 10, 30 }, {
            given.monitoring.metrics_interval, given.monitoring.log_level, given.monitoring.log_max_size,
            given.monitoring.log_max_backups, given.monitoring.log_max_age,
        })
        local limits = given.monitoring.alert_threshold
        assert.same({ 2, 5000, 5 }, { limits.node_down_count, limits.response_time_ms, limits.error_rate_percent })
        assert.is_table(given.security)
        assert.is_table(given.consul.servers)
    end)

    it("takes secrets from the environment, where an empty one is none", function()
        local program = [[
            local given = require("consul_production_config").config
            print(given.consul.acl_token, given.consul.encryption_key, given.cluster.node_id, given.cluster.datacenter)]]
        assert.equal("t\tnil\tn\td\n", (helper.luajit(
            program, "env CONSUL_ACL_TOKEN=t CONSUL_ENCRYPTION_KEY= NODE_ID=n DATACENTER=d"
        )))
    end)

    it("is the library's settings", function()
        local given = config.new()
        given.consul.servers = { "a:8500", "http://b:8500", "unix:///run/consul.sock" }
        given.consul.acl_token = ""
        given.consul.tls_ca_file = "/ca.pem"
        given.consul.settings = { min_session_ttl_ms = 2000 }
        local wanted = connection(given)
        assert.equal("http://a:8500,http://b:8500,unix:///run/consul.sock", wanted.address)
        -- Said to be none: the variable CONSUL_HTTP_TOKEN is not taken for it.
        assert.equal("", wanted.token)
        assert.is_nil(wanted.tls_ca_file)
        assert.same({ 10000, 3, 1000, 30000, 5000, 2000 }, {
            wanted.timeout_ms, wanted.retry_attempts, wanted.retry_interval_ms, wanted.health_check_interval_ms,
            wanted.health_check_timeout_ms, wanted.min_session_ttl_ms,
        })

        given.consul.tls_enabled, given.consul.acl_token = true, "t"
        wanted = connection(given)
        assert.equal("https://a:8500,http://b:8500,unix:///run/consul.sock", wanted.address)
        assert.same({ "t", "/ca.pem", true }, { wanted.token, wanted.tls_ca_file, wanted.tls_verify })

        given.consul.tls_enabled, given.security.encrypt_traffic = false, true
        assert.matches("^https://a", connection(given).address)
        given.consul.simulate = true
        assert.equal("embedded:simulate", connection(given).address)
        given.consul.timeout = "2.5"
        assert.equal(2500, connection(given).timeout_ms)
        given.consul.timeout = "soon"
        assert.has_error(function()
            connection(given)
        end, 'consul.timeout must be a number from 0.001 to 86400, not "soon"')
    end)

    it("encrypts what it has prefixes for, and takes any text for a key where it has none", function()
        local given = config.new()
        given.consul.encryption_key = "any text"
        assert.equal("", connection(given).encryption_key)
        given.consul.settings = { encryption_prefixes = "stock-tsdb/" }
        assert.equal("any text", connection(given).encryption_key)
        given.consul.encryption_key, given.security.encryption_key = "", "other"
        assert.equal("other", connection(given).encryption_key)
    end)

    it("may be replaced section by section", function()
        local wanted = connection({ consul = { servers = { "a:1" } } })
        assert.same({ "http://a:1", 10000 }, { wanted.address, wanted.timeout_ms })
    end)

    it("is described in docs/moving.md, setting by setting", function()
        local path = helper.root .. "docs/moving.md"
        local file = assert(io.open(path))
        local page = file:read("*a")
        file:close()
        local before, after = page:match("^(.-<!%-%- settings %-%->\n).-(<!%-%- end of settings %-%->.*)$")
        local wanted = before .. settings.page() .. after
        if os.getenv("BLESS") then
            helper.write(path, wanted)
        end
        assert(page == wanted or os.getenv("BLESS"), "docs/moving.md is stale: run the specs with BLESS=1")
    end)

    it("says once which settings have no effect, where a program has set them", function()
        local output, status = helper.luajit([[
            local production = require("consul_production_config")
            local given, manager = production.config, production.ConsulManager
            given.consul.simulate = true
            given.cluster.failover_timeout = 7
            given.cluster.heartbeat_interval = 5
            given.security.enable_acl = true
            manager:init()
            manager:cleanup()
            manager:init()
            require("consul_ha_cluster").new({ heartbeat_interval = 2, simulate = true })
            manager:cleanup()]])
        assert.equal(0, status, output)
        local lines = {}
        for name in output:gmatch("the setting (%S+) has no effect: ") do
            lines[#lines + 1] = name
        end
        table.sort(lines)
        assert.same(
            { "cluster.failover_timeout", "consul_ha_cluster.heartbeat_interval", "security.enable_acl" }, lines
        )
    end)
end)

--- The text of a file, which is removed.
local function taken(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    os.remove(path)
    return text
end

describe("the logs of a production configuration", function()
    it("are the library's, in the files that the program names", function()
        local path = os.tmpname()
        local output, status = helper.luajit(([[
            local production = require("consul_production_config")
            production.config.consul.simulate = true
            production.config.cluster.node_id = "logged"
            production.config.cluster.recovery_interval = 1
            production.config.monitoring.log_file = %q
            production.config.security.audit_enabled = true
            production.config.security.audit_log_file = %q
            production.ConsulManager:init()
            assert(production.ConsulManager:store_data("audited", "secret"))
            production.ConsulManager:cleanup()]]):format(path, path .. ".audit"))
        assert.equal(0, status, output)
        assert.equal("", output)
        local log, audit = taken(path), taken(path .. ".audit")
        assert.matches("stock%-tsdb/audited", audit)
        assert.matches("logged", audit)
        assert.is_nil(audit:find("secret", 1, true))
        assert.matches("tsdb/cluster/nodes/logged has joined", log)
        assert.matches("cluster.recovery_interval has no effect", log)
    end)
end)

--- The same with an agent in memory and with a real one.
local function behaves(simulate)
    local manager, given

    before_each(function()
        local production = fresh()
        manager, given = production.ConsulManager, production.config
        local prefix = helper.prefix()
        given.consul.simulate = simulate
        given.cluster.node_id, given.cluster.node_address = "tsdb-1", "127.0.0.1:8081"
        given.cluster.nodes_prefix, given.cluster.leader_key = "/" .. prefix .. "nodes/", "/" .. prefix .. "leader"
        given.cluster.min_nodes = 1
        given.storage.kv_prefix = prefix
        assert.is_true(manager:init())
    end)

    after_each(function()
        if manager.native then
            manager.native.kv:delete_prefix(given.storage.kv_prefix)
        end
        manager:cleanup()
        manager:cleanup()
        manager, given = nil, nil
        assert.equal(0, helper.live_handles())
    end)

    it("stores and reads", function()
        local tick = { symbol = "AAPL", price = 150.25, volume = 1000000 }
        local stored, nodes = manager:store_data("/stocks/AAPL/1", tick, { consistency = "consistent", replication_factor = 3 })
        assert.is_true(stored)
        assert.same({ 1, "tsdb-1" }, { #nodes, nodes[1].id })
        for _, mode in ipairs({ "consistent", "default", "stale" }) do
            assert.same(tick, (manager:read_data("stocks/AAPL/1", { consistency = mode })))
        end
        local _, body = manager:read_data("stocks/AAPL/1")
        local pair = consul.json.decode(body)[1]
        assert.equal(given.storage.kv_prefix .. "stocks/AAPL/1", pair.Key)
        assert.equal(manager.clients[1]:base64_encode(consul.json.encode(tick)), pair.Value)

        assert.is_true(manager.store_data("text", "12"))
        assert.equal("12", (manager.read_data("text")))
        assert.is_true((manager:store_data("not json", "[x")))
        assert.equal("[x", (manager:read_data("not json")))

        assert.same({ false, "key is missing" }, { manager:store_data(nil, "value") })
        assert.same({ false, "value is missing" }, { manager:store_data("k") })
        assert.same({ nil, "key is missing" }, { manager:read_data() })
        local data, message = manager:read_data("none")
        assert.is_nil(data)
        assert.matches("404", message)
        stored, message = manager:store_data("k", { print })
        assert.is_false(stored)
        assert.matches("function", message)
        data, message = manager:read_data("k", { consistency = "eventual" })
        assert.is_nil(data)
        assert.matches("consistent, default, stale", message)
    end)

    it("tells of the cluster and of keys", function()
        local info = manager:get_cluster_info()
        assert.equal("leader: tsdb-1", "leader: " .. (info.leader_node or "none"))
        assert.equal("tsdb-1", info.leader_node.node_id)
        assert.equal(info.current_node, tostring(info.leader_node))
        assert.is_true(info.is_leader)
        assert.equal(1, info.node_count)
        assert.equal("127.0.0.1:8081", info.nodes["tsdb-1"].address)
        assert.equal("tsdb-1", manager.config.cluster.node_id)

        local node, known = manager:get_consistent_node("AAPL")
        assert.equal("tsdb-1 (127.0.0.1:8081)", node.id .. " (" .. node.address .. ")")
        assert.equal("node tsdb-1", "node " .. node)
        assert.equal("alive", known.status)
    end)

    it("finds issues", function()
        -- Whatever the machine is doing.
        given.monitoring.alert_threshold.response_time_ms = 600000
        local found = manager:monitor_health()
        assert.same({}, found.issues)
        assert.is_true(found.is_healthy)
        assert.same({ 1, "tsdb-1" }, { found.node_count, tostring(found.leader_node) })
        assert.is_true(math.abs(os.time() - found.timestamp) < 60)

        given.cluster.min_nodes = 3
        given.monitoring.alert_threshold.response_time_ms = -1
        given.monitoring.alert_threshold.node_down_count = 0
        found = manager:monitor_health()
        assert.is_false(found.is_healthy)
        local issues = table.concat(found.issues, "\n")
        assert.matches("1 nodes live, fewer than min_nodes, 3", issues)
        assert.matches("Consul took %d+ ms to answer", issues)
        assert.matches("0 nodes are down", issues)
        given.monitoring.alert_enabled = false
        assert.equal(1, #manager:monitor_health().issues)
        given.cluster.min_nodes, given.cluster.max_nodes = 0, 0
        assert.matches("more than max_nodes, 0", manager:monitor_health().issues[1])
    end)

    it("gives tables that can be stored", function()
        given.monitoring.alert_threshold.response_time_ms = 600000
        local _, nodes = manager:store_data("k", "v")
        for name, status in pairs({
            nodes = nodes, info = manager:get_cluster_info(), health = manager:monitor_health(),
            leader = manager.cluster:get_leader_info(), live = manager.cluster:get_live_nodes(),
        }) do
            assert.is_true((manager:store_data(name, status)))
            assert.equal(consul.json.encode(status), manager:get_healthy_client():table_to_json(status))
        end
        assert.equal("tsdb-1", manager:read_data("nodes")[1].id)
        assert.equal("tsdb-1", manager:read_data("info").leader_node.node_id)
        assert.equal("127.0.0.1:8081", manager:read_data("info").nodes["tsdb-1"].address)
        assert.matches('"issues":%[%]', (manager.native.kv:get(given.storage.kv_prefix .. "health")))
    end)

    it("asks for a quorum only when the program has set one", function()
        assert.is_true((manager:store_data("k", "v")))
        given.cluster.write_quorum = 2
        local stored, message = manager:store_data("k", "w")
        assert.is_false(stored)
        assert.equal("write_quorum is 2, and 1 nodes live", message)
        assert.equal("v", (manager:read_data("k")))
        given.cluster.read_quorum = 2
        assert.same({ nil, "read_quorum is 2, and 1 nodes live" }, { manager:read_data("k") })
        given.cluster.read_quorum = 1
        assert.equal("v", (manager:read_data("k")))
    end)

    it("gives a client of the earlier module's", function()
        local client = manager:get_healthy_client()
        assert.equal(consul.ConsulClient, getmetatable(client))
        assert.is_true(client.initialized)
        assert.same({ true, "true" }, { client:kv_put(given.storage.kv_prefix .. "x", "y") })
        assert.equal("y", (manager:read_data("x")))
        client:destroy()
        assert.is_true((manager:store_data("x", "z")))
        client = nil
    end)

    it("gives a client anew when one was destroyed, which goes by the configuration", function()
        local client = manager:get_healthy_client()
        assert.equal(client, manager:get_healthy_client())
        assert.equal(10000, client.timeout)
        assert.is_true(manager:reload_config({ consul = { timeout = "2.5" } }))
        assert.same({ 2500, simulate }, { client.timeout, client.simulate })
        client:destroy()
        local another = manager:get_healthy_client()
        assert.same({ true, 2500, simulate }, { another.initialized, another.timeout, another.simulate })
        assert.equal(manager.native:endpoint(), another.consul_url)
        assert.is_true((another:kv_get(given.storage.kv_prefix .. "x")))
        assert.is_false((client:kv_get(given.storage.kv_prefix .. "x")))
        client, another = nil, nil
    end)

    it("refuses to be reloaded with what cannot be used, and says what may be", function()
        local before = consul.json.encode(given)
        for expected, changes in pairs({
            ['cluster.consistency_mode must be one of consistent, default, stale, not "bogus"'] =
                { cluster = { consistency_mode = "bogus" } },
            ['storage.kv_consistency must be one of consistent, default, stale, not "bogus"'] =
                { storage = { kv_consistency = "bogus" } },
            ['cluster.write_timeout must be a number from 0.001 to 86400, not "soon"'] =
                { cluster = { read_timeout = 5, write_timeout = "soon" } },
            ["cluster.min_nodes must be a whole number from 0, not a table"] = { cluster = { min_nodes = {} } },
            ["cluster.write_quorum must be a whole number from 0, not 1.5"] = { cluster = { write_quorum = 1.5 } },
            ["cluster.node_id must be a text that is not empty, without a slash and control characters, "
                .. "and not . or .., not \"a/b\""] = { cluster = { node_id = "a/b" } },
            ['cluster.node_address must be a text such as "10.0.0.1:8080", not 8080'] =
                { cluster = { node_address = 8080 } },
            ['monitoring.alert_threshold.response_time_ms must be a number, not "slow"'] =
                { monitoring = { alert_threshold = { node_down_count = 9, response_time_ms = "slow" } } },
            ["monitoring.alert_threshold must be a table, not 5"] = { monitoring = { alert_threshold = 5 } },
            ["consul.servers must be a list of texts, not \"http://a\""] = { consul = { servers = "http://a" } },
            ["consul.tls_enabled must be true or false, not \"maybe\""] = { consul = { tls_enabled = "maybe" } },
            ['monitoring.log_file must be a file that can be written: /nowhere/log: No such file or directory'] =
                { monitoring = { log_file = "/nowhere/log" } },
            ["new_config.config is no section of a configuration: cluster, consul, monitoring, security, storage"] =
                { config = { cluster = { read_timeout = 5 } } },
            ["new_config.timeout is no section of a configuration: cluster, consul, monitoring, security, storage"] =
                { timeout = 5, cluster = { read_timeout = 5 } },
            ["new_config.consul must be a table, not a number"] = { consul = 1 },
            ["new_config must be a table, not a string"] = "consul",
        }) do
            assert.same({ false, expected }, { manager:reload_config(changes) })
            assert.equal(before, consul.json.encode(given))
        end
        local done, message = manager:reload_config({
            security = { audit_enabled = true, audit_log_file = "/nowhere/a" },
        })
        assert.is_false(done)
        assert.matches("the audit log /nowhere/a", message)
        assert.equal(before, consul.json.encode(given))
        given.extra = { of = "the program" }
        assert.is_true(manager:reload_config(given))
        given.extra = nil
        assert.is_true((manager:store_data("k", "v")))
    end)

    it("keeps what a reload does not name, also of tables within sections", function()
        local limits = given.monitoring.alert_threshold
        limits.response_time_ms = 7
        given.consul.settings = { max_connections = 8 }
        assert.is_true(manager:reload_config({
            monitoring = { alert_threshold = { node_down_count = "5" } }, consul = { settings = { wait_ms = 1000 } },
        }))
        assert.same({ node_down_count = "5", response_time_ms = 7, error_rate_percent = 5 }, limits)
        assert.equal(limits, given.monitoring.alert_threshold)
        assert.same({ max_connections = 8, wait_ms = 1000 }, given.consul.settings)
        assert.is_table(manager:monitor_health())
    end)

    it("never raises an error for a setting, but says which it is", function()
        for _, setting in ipairs({ "write_timeout", "read_timeout", "write_quorum", "read_quorum", "min_nodes" }) do
            given.cluster[setting] = "1"
        end
        given.monitoring.alert_threshold.error_rate_percent = "5"
        given.consul.health_check_interval = "30"
        assert.is_true((manager:store_data("k", "v", { replication_factor = "2" })))
        assert.equal("v", (manager:read_data("k")))
        assert.is_table(manager:monitor_health())
        assert.is_table(manager:get_healthy_client())
        given.cluster.write_timeout, given.cluster.read_timeout = {}, "x"
        assert.same(
            { false, "cluster.write_timeout must be a number from 0.001 to 86400, not a table" },
            { manager:store_data("k", "w") }
        )
        assert.same(
            { nil, 'cluster.read_timeout must be a number from 0.001 to 86400, not "x"' }, { manager:read_data("k") }
        )
        local found, message = manager:monitor_health()
        assert.is_false(found)
        assert.matches("^cluster%.%a+_timeout must be a number", message)
        given.cluster.write_timeout, given.cluster.read_timeout = 5, 5
        assert.same(
            { false, "replication_factor must be a whole number from 0, not -1" },
            { manager:store_data("k", "w", { replication_factor = -1 }) }
        )
        assert.equal("v", (manager:read_data("k")))
        given.consul.health_check_interval = "x"
        assert.is_nil((manager:get_healthy_client()))
    end)

    it("is reloaded while it works, or not at all", function()
        local session, queue = manager.cluster.session_id, consul.queue()
        local lock = assert(manager.native:lock(given.storage.kv_prefix .. "lock"))
        assert.is_true(lock:acquire(helper.PATIENCE_MS))
        local watch = assert(manager.native:watch({ key = given.storage.kv_prefix .. "watched" }))
        assert.is_true(watch:wait_ready(helper.PATIENCE_MS))
        local later = manager.native:on(queue)
        for number = 1, 50 do
            assert(later.kv:put(given.storage.kv_prefix .. number, "v"))
        end
        assert.is_true(manager:reload_config({ consul = { timeout = 25, retry_attempts = 1 }, cluster = { read_timeout = 7 } }))
        for number = 51, 100 do
            assert(later.kv:put(given.storage.kv_prefix .. number, "v"))
        end
        for _ = 1, 100 do
            local ticket, stored, problem = queue:next(30000)
            assert(ticket)
            assert.is_true(stored, tostring(problem))
        end
        assert.same({ 25, 7, 30 }, { given.consul.timeout, given.cluster.read_timeout, given.consul.health_check_interval })

        local done, message = manager:reload_config({ consul = { retry_attempts = -1 } })
        assert.is_false(done)
        assert.matches("retry_attempts", message)
        assert.equal(1, given.consul.retry_attempts)
        done, message = manager:reload_config({ monitoring = { log_level = "LOUD" } })
        assert.is_false(done)
        assert.matches("DEBUG, INFO, WARN, ERROR", message)
        done, message = manager:reload_config({ consul = 1 })
        assert.is_false(done)
        assert.matches("new_config.consul must be a table", message)
        given.consul.timeout = 26
        assert.is_true(manager:reload_config())

        assert.is_true(manager:store_data("watched", "now"))
        assert.is_true(watch:wait(30000))
        assert.equal("now", watch:value(given.storage.kv_prefix .. "watched"))
        assert.is_true(lock:is_held() and manager.cluster.is_leader)
        assert.equal(session, manager.cluster.session_id)
        watch:close()
        lock:release()
        lock:close()
        queue:close()
        lock, watch, queue, later = nil, nil, nil, nil
    end)
end

describe("ConsulManager in memory", function()
    behaves(true)
end)

describe("ConsulManager with a key for values", function()
    it("reads what it has stored, which nobody else can", function()
        local production = fresh()
        local given, manager = production.config, production.ConsulManager
        given.consul.simulate = true
        given.consul.encryption_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        given.consul.settings = { encryption_prefixes = given.storage.kv_prefix }
        assert.is_true(manager:init())
        assert.is_true((manager:store_data("secret", "plain text")))
        assert.equal("plain text", (manager:read_data("secret")))
        local key = given.storage.kv_prefix .. "secret"
        local stored = assert(manager.native:request("GET", "/v1/kv/" .. key .. "?raw")).body
        assert.is_nil(stored:find("plain", 1, true))
        local client = manager:get_healthy_client()
        local _, body = client:kv_get(key)
        assert.equal(client:base64_encode("plain text"), consul.json.decode(body)[1].Value)
        assert.same({ body }, { (select(2, manager:read_data("secret"))) })
        assert.same({ true, "true" }, { client:kv_put(key, "by kv_put") })
        assert.equal("by kv_put", (manager:read_data("secret")))
        assert(manager.native.kv:delete(key))
        manager:cleanup()
    end)
end)

describe("ConsulManager", function()
    it("gives tables with nodes that can be stored, in a program that loads the module once", function()
        local output, status = helper.luajit([[
            local production = require("consul_production_config")
            local manager = production.ConsulManager
            production.config.consul.simulate = true
            production.config.cluster.node_id = "n"
            manager:init()
            local _, nodes = manager:store_data("a", "b")
            assert(type(nodes[1]) == "cdata")
            assert(manager:store_data("nodes", nodes) and manager:read_data("nodes")[1].id == "n")
            assert(manager:store_data("info", manager:get_cluster_info()))
            assert(manager:read_data("info").leader_node.node_id == "n")
            assert(manager:store_data("health", manager:monitor_health()))
            assert(manager:store_data("node", nodes[1]) and manager:read_data("node") == "n")
            manager:cleanup()]])
        assert.equal(0, status, output)
    end)

    it("is not there before it is initialized, and initializes itself", function()
        local production = fresh()
        local manager = production.ConsulManager
        assert.is_nil(manager:get_cluster_info())
        assert.is_nil(manager:get_consistent_node("k"))
        assert.same({ false, "the manager was not initialized" }, { manager:monitor_health() })
        assert.is_true(manager:cleanup())
        production.config.consul.simulate = true
        assert.is_true((manager:store_data("k", "v")))
        assert.is_true(manager.is_initialized)
        assert.is_true(manager.init())
        manager.cleanup()
        assert.is_false(manager.is_initialized)
    end)

    it("has a client whose address follows a reload", function()
        local production = fresh()
        local manager = production.ConsulManager
        production.config.consul.simulate = true
        assert.is_true(manager:init())
        local client = manager:get_healthy_client()
        assert.same({ true, "embedded:simulate" }, { client.simulate, client.consul_url })
        assert.is_true(manager:reload_config({ consul = {
            simulate = false, servers = { "127.0.0.1:1" }, retry_attempts = 0,
        } }))
        assert.same({ false, "http://127.0.0.1:1" }, { client.simulate, client.consul_url })
        assert.is_true(manager:reload_config({ consul = { simulate = true } }))
        assert.same({ true, "embedded:simulate" }, { client.simulate, client.consul_url })
        manager:cleanup()
    end)

    it("takes every number as a text, as the environment has it", function()
        local production = fresh()
        local given, manager = production.config, production.ConsulManager
        for name, section in pairs(given) do
            for setting, value in pairs(section) do
                given[name][setting] = type(value) == "number" and tostring(value) or value
            end
        end
        given.consul.simulate, given.cluster.write_quorum = "true", "1"
        assert.same({ true }, { manager:init() })
        assert.is_true((manager:store_data("k", "v")))
        assert.equal("v", (manager:read_data("k")))
        assert.is_table(manager:monitor_health())
        manager:cleanup()
    end)

    it("tries everything anew after it could not be initialized", function()
        local production = fresh()
        local given, manager = production.config, production.ConsulManager
        given.consul.simulate = true
        for setting, wrong in pairs({
            node_id = "dc1/node", node_address = 8080, lock_delay = "x", leader_key = "a//b", heartbeat_timeout = {},
        }) do
            local right = given.cluster[setting]
            given.cluster[setting] = wrong
            for _ = 1, 2 do
                local ok, message = pcall(function() manager:init() end)
                assert.is_false(ok)
                assert.matches(setting == "leader_key" and "a//b" or setting, message)
                assert.is_false(manager.is_initialized)
                assert.is_nil(manager.cluster)
                assert.equal(0, helper.live_handles())
            end
            given.cluster[setting] = right
        end
        for _, id in ipairs({ "", "a/b", "..", "a\nb" }) do
            given.cluster.node_id = id
            assert.error_matches(function() manager:init() end, "cluster.node_id must be a text that is not empty")
        end
        given.cluster.node_id = "right"
        -- A variable that is empty is one that is not set.
        given.monitoring.log_file = ""
        assert.same({ true }, { manager:init() })
        manager:cleanup()
    end)

    it("begins without a log where it cannot be written, and does not change to such a one", function()
        local output = helper.luajit([[
            local production = require("consul_production_config")
            local manager = production.ConsulManager
            production.config.consul.simulate = true
            production.config.monitoring.log_file = "/nowhere/log"
            print(manager:init())
            print(manager:reload_config({ monitoring = { log_level = "DEBUG" } }))
            print(manager:reload_config({ monitoring = { log_file = "/nowhere/other" } }))
            manager:cleanup()
        ]])
        assert.matches("/nowhere/log", output)
        local refused = "false\tmonitoring.log_file must be a file that can be written: /nowhere/other"
        assert.matches("true\tnil\ntrue.*" .. refused, output)
    end)

    it("raises an error for a configuration that cannot be", function()
        local production = fresh()
        production.config.consul.servers = { "ftp://x" }
        assert.has_error(function()
            production.ConsulManager:init()
        end)
        local stored, message = production.ConsulManager:store_data("k", "v")
        assert.is_false(stored)
        assert.matches("unknown scheme", message)
        assert.is_nil((production.ConsulManager:get_healthy_client()))
    end)
end)

with_consul("ConsulManager with a server", function()
    behaves(false)
end)

with_consul("ConsulManager with servers that are away", function()
    it("goes from servers that are away to one that serves by a reload, and joins then", function()
        local production = fresh()
        local manager, given, prefix = production.ConsulManager, production.config, helper.prefix()
        local servers = given.consul.servers
        given.consul.servers = { "127.0.0.1:1", "127.0.0.1:2" }
        given.consul.retry_attempts = 0
        given.cluster.election_timeout, given.cluster.min_nodes = 1, 1
        given.cluster.nodes_prefix, given.cluster.leader_key = prefix .. "nodes/", prefix .. "leader"
        given.storage.kv_prefix = prefix
        local begun, waits_for = manager:init()
        assert.is_true(begun)
        assert.matches("connection refused", waits_for)
        assert.is_nil((manager:get_healthy_client()))
        assert.is_false((manager:store_data("k", "v")))
        local issues = table.concat(manager:monitor_health().issues, "\n")
        assert.matches("Consul does not answer", issues)
        assert.matches("no node leads", issues)
        assert.matches("0 of 2 servers of Consul serve", issues)

        assert.is_true(manager:reload_config({ consul = { servers = { servers[1], "127.0.0.1:1" } } }))
        assert.is_true((manager:store_data("k", "v")))
        for _ = 1, 1500 do
            if manager.cluster.is_leader then
                break
            end
            pause(20)
        end
        assert.is_true(manager.cluster.is_leader)
        assert(manager.native.kv:delete_prefix(prefix .. "k"))
        manager:cleanup()
        manager = nil
        assert.equal(0, helper.live_handles())
    end)
end)
