--- The earlier module's cluster and ring, as programs written for it call them.

local consul = require("consul_ffi")
local ha = require("consul_ha_cluster")
local helper = require("helper")
local pause = require("consul_ffi.pause")

local with_consul = os.getenv("CONSUL_HTTP_ADDR") and describe or pending

--- What a program can do with a node, which is called `node`.
local USES = [[
    assert("replica: " .. node == "replica: node-1" and node .. "!" == "node-1!" and node .. node == "node-1node-1")
    assert(("%s %s"):format(tostring(node), node) == "node-1 node-1")
    assert(node == same and node ~= other and node ~= nil)
    assert(node < other and node <= same and other > node)
    assert(node:sub(1, 4) == "node" and node:match("%d") == "1")
    assert(node.id == "node-1" and node.address == "a:1" and node.nothing == nil)
    node.seen = true
    assert(node.seen and node.id == "node-1")
    local fields = {}
    for name, value in pairs(node) do
        fields[#fields + 1] = name .. "=" .. tostring(value)
    end
    table.sort(fields)
    assert(table.concat(fields, " ") == "address=a:1 id=node-1 seen=true")
    local json = require("consul_ffi.json")
    assert(json.encode({ owner = node }) == '{"owner":{"address":"a:1","id":"node-1","seen":true}}')
    assert(json.encode(same) == '{"id":"node-1"}')
]]

local NODES = [[
    local new_node = require("consul_ffi.original.node")
    local node, same = new_node({ id = "node-1", address = "a:1" }), new_node({ id = "node-1" })
    local other = new_node({ id = "node-2" })
]]

describe("a node of a list of replicas", function()
    it("serves as the text of its id and as a table", function()
        local texts = [[
            assert(node == "node-1" and "node-1" == node and node ~= "node-2" and node ~= 1)
            assert(node < "node-2" and "node-0" < node and #node == 6)
            local kept = {}
            for number = 1, 2000 do
                kept[number] = new_node({ id = "n" .. number, address = number .. ":1" })
            end
            collectgarbage()
            for number, each in ipairs(kept) do
                assert(each == "n" .. number and each.address == number .. ":1")
            end]]
        local output, status = helper.luajit(NODES .. USES .. texts)
        assert.equal(0, status, output)
    end)

    it("does so without a metatable for cdata, but for equality with strings", function()
        local output, status = helper.luajit('require("ffi").metatype = function() end\n' .. NODES .. USES)
        assert.equal(0, status, output)
    end)
end)

describe("ConsistentHashRing", function()
    it("is the library's ring, with what is known of each node", function()
        local ring, published = ha.ConsistentHashRing:new(), consul.ring()
        for _, id in ipairs({ "c", "a", "b" }) do
            ring:add_node(id, { address = id .. ":7000" })
            published:add(id)
        end
        for number = 1, 200 do
            local id, info = ring:get_node("key" .. number)
            assert.equal(published:node_for_key("key" .. number), id)
            assert.equal(id .. ":7000", info.address)
            local replicas = ring:get_replica_nodes("key" .. number, 3)
            assert.equal(3, #replicas)
            assert.equal(id, replicas[1].id)
            assert.equal(replicas[2].id .. ":7000", replicas[2].address)
        end
        assert.equal(160, ring.virtual_nodes)
        assert.equal(2, #ring:get_replica_nodes("key"))
        assert.equal(3, #ring:get_replica_nodes("key", 9))
        ring:remove_node("a")
        assert.equal(2, #ring:get_replica_nodes("key", 9))
        assert.is_nil(ring.nodes.a)
    end)

    it("has no node before one is added", function()
        local ring = ha.ConsistentHashRing:new(40)
        assert.is_nil((ring:get_node("key")))
        assert.same({}, ring:get_replica_nodes("key", 2))
        assert.error_matches(function() ring:get_node() end, "key must be a string, not nothing")
        assert.error_matches(function() ring:get_replica_nodes() end, "key must be a string, not nothing")
        ring:remove_node("nobody")
        ring:add_node("a")
        assert.same({ "a", {} }, { ring:get_node(17) })
        assert.has_error(function()
            ring:add_node("a", { weight = 1001 })
        end)
    end)
end)

local function cluster_of(id, more)
    local config = {
        node_id = id, node_address = id .. ":7000", simulate = true, datacenter = "dc7",
        leader_key = "/cluster/leader", nodes_prefix = "/cluster/nodes/", config_key = "/cluster/config",
    }
    for name, value in pairs(more or {}) do
        config[name] = value
    end
    return ha.new(config)
end

--- Waits until it holds.
local function wait_until(holds)
    for _ = 1, 1500 do
        if holds() then
            return
        end
        pause(20)
    end
    error("not within 30 s", 2)
end

describe("ConsulHACluster", function()
    after_each(function()
        assert.equal(0, helper.live_handles())
    end)

    it("has the earlier module's defaults, and does nothing before it is started", function()
        local cluster = ha.ConsulHACluster:new({ simulate = true })
        assert.equal(ha.ConsulHACluster, getmetatable(cluster))
        assert.matches("^node%-%d+", cluster.node_id)
        assert.equal("127.0.0.1:8080", cluster.node_address)
        assert.equal("/tsdb/cluster/leader", cluster.leader_key)
        assert.equal("/tsdb/cluster/nodes/", cluster.nodes_prefix)
        assert.equal("/tsdb/cluster/shards/", cluster.shards_prefix)
        assert.same({ 5, 30 }, { cluster.heartbeat_interval, cluster.lease_ttl })
        assert.same({ false, false }, { cluster.running, cluster.is_leader })
        assert.same({}, cluster.cluster_nodes)
        assert.equal(0, cluster:get_node_count())
        assert.is_nil(cluster.session_id)
        assert.is_nil(cluster:get_leader_info())
        assert.is_nil((cluster:get_node_for_key("k")))
        assert.same({}, cluster:get_replica_nodes("k", 2))
        assert.is_true(cluster:stop())
        cluster = nil
    end)

    it("says why it cannot start", function()
        local nobody = ha.new({ consul_url = "http://127.0.0.1:1", node_id = "a", election_timeout = 1 })
        local started, message = nobody:start()
        assert.is_false(started)
        assert.matches("connection refused", message)
        assert.matches("^node a has not joined within 1 s: ", message)
        assert.is_true(nobody.running)
        nobody:stop()
        assert.is_false(nobody.running)

        local wrong
        started, message = ha.new({ consul_endpoints = { "ftp://x" }, node_id = "a" }):start()
        assert.is_false(started)
        assert.matches("unknown scheme", message)
        wrong = ha.new({ simulate = true, node_id = "a/b" })
        started, message = wrong:start()
        assert.is_false(started)
        assert.matches("id", message)
        wrong:stop()
        nobody, wrong = nil, nil
    end)

    it("takes numbers as texts, and says which setting cannot be used", function()
        local cluster = cluster_of("texts", {
            lease_ttl = "10", lock_delay = "0", leave_after = "1", join_after = "1", election_timeout = "2.5",
            min_nodes = "2", simulate = "true", settings = { min_session_ttl_ms = "10000" },
        })
        assert.same({ 10, 2 }, { cluster.lease_ttl, cluster.min_nodes })
        assert.same({ true }, { cluster:start() })
        cluster:stop()
        for expected, config in pairs({
            ['lease_ttl must be a number from 0 to 86400, not "long"'] = { lease_ttl = "long" },
            ["lease_ttl must be a number from 0 to 86400, not -1"] = { lease_ttl = -1 },
            ["election_timeout must be a number from 0, not a table"] = { election_timeout = {} },
            ["lock_delay must be a number from 0 to 60, not 61"] = { lock_delay = 61 },
            ['node_address must be a text such as "10.0.0.1:8080", not 8080'] = { node_address = 8080 },
            ["consul_endpoints must be a list of texts, not \"http://a\""] = { consul_endpoints = "http://a" },
            ["settings must be a table, not 5"] = { settings = 5 },
        }) do
            local ok, message = pcall(function() ha.ConsulHACluster:new(config) end)
            assert.is_false(ok)
            assert.equal("consul_ffi: " .. expected, message:match("consul_ffi: .*"))
            assert.matches("ha_cluster_spec", message)
        end
        cluster = nil
    end)

    it("has a client that decrypts what it has encrypted", function()
        local cluster = cluster_of("encrypts", { settings = {
            encryption_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", encryption_prefixes = { "secret/" },
        } })
        assert.same({ true, "true" }, { cluster.consul_client:kv_put("secret/a", "plain") })
        local _, body = cluster.consul_client:kv_get("secret/a")
        assert.equal(cluster.consul_client:base64_encode("plain"), consul.json.decode(body)[1].Value)
        assert.is_true((cluster.consul_client:kv_delete("secret/a")))
        cluster:stop()
        cluster = nil
    end)

    it("has three nodes in one process, of which one leads", function()
        local ids = { "node1", "node2", "node3" }
        local nodes = {}
        for position, id in ipairs(ids) do
            nodes[position] = cluster_of(id)
            assert.is_true(nodes[position]:start())
        end
        wait_until(function()
            return nodes[1]:get_node_count() == 3 and nodes[2]:get_node_count() == 3 and nodes[3]:get_node_count() == 3
        end)
        assert.is_true(nodes[1]:is_leader_node() and nodes[1].is_leader)
        assert.is_false(nodes[2].is_leader or nodes[3].is_leader)
        local leader = nodes[2]:get_leader_info()
        assert.equal("node1", leader.node_id)
        for _, node in ipairs(nodes) do
            wait_until(function()
                local _, body = node.consul_client:kv_get("/cluster/leader")
                return node:get_leader_info().session_id == consul.json.decode(body)[1].Session
            end)
            assert.are_not.equal(nodes[1].session_id, node:get_leader_info().session_id)
        end
        assert.is_true(math.abs(os.time() - leader.timestamp) < 60)
        assert.equal("Leader: node1", "Leader: " .. leader)

        local live = nodes[3]:get_live_nodes()
        assert.equal(3, #live)
        assert.equal("node2", live[2].id)
        assert.same({ "node2:7000", "alive", "dc7" }, { live[2].address, live[2].status, live[2].datacenter })
        assert.is_true(math.abs(os.time() - live[2].last_seen) < 60)
        assert.equal(nodes[2].session_id, live[2].session_id)
        assert.equal(live[1].address, nodes[1].cluster_nodes.node1.address)

        local owners = {}
        for number = 1, 100 do
            local key = "stock:" .. number
            local id, info = nodes[1]:get_node_for_key(key)
            owners[key] = id
            assert.equal(id .. ":7000", info.address)
            assert.same({ id }, { (nodes[2].hash_ring:get_node(key)) })
            local replicas = nodes[3]:get_replica_nodes(key, 2)
            assert.is_true(#replicas == 2 and replicas[1].id == id and replicas[2].id ~= id)
        end

        local client = nodes[2].consul_client
        assert.same({ true, "true" }, { client:kv_put("/cluster/config", { shards = 8 }) })
        assert.is_true(nodes[2]:load_cluster_config())
        assert.same({ shards = 8 }, nodes[2].cluster_config)
        assert.same({ true, "true" }, { client:kv_delete("cluster/config") })
        assert.is_true(nodes[2]:update_hash_ring())

        assert.is_true(nodes[1]:stop())
        assert.is_false(nodes[1].is_leader or nodes[1].running)
        wait_until(function()
            return nodes[2].is_leader or nodes[3].is_leader
        end)
        wait_until(function()
            return nodes[2]:get_node_count() == 2 and nodes[2].hash_ring.nodes.node1 == nil
        end)
        for key, owner in pairs(owners) do
            local id = nodes[2]:get_node_for_key(key)
            assert.is_true(id == owner or owner == "node1")
        end

        assert.is_true(nodes[1]:start())
        assert.is_false(nodes[1].is_leader)
        for _, node in ipairs(nodes) do
            assert.is_true(node:stop())
        end
        nodes, client = nil, nil
    end)

    it("starts while its id is held by a process that was killed, and joins when that one's session ends", function()
        local KEY, places = "again/nodes/again", { nodes_prefix = "/again/nodes/", leader_key = "/again/leader" }
        local client = assert(consul.connect({ address = "embedded:simulate", environment = false }))
        local before = cluster_of("again", places)
        assert.is_true(before:start())
        -- What it leaves when it is killed.
        local record = assert(client.kv:get(KEY))
        before:stop()
        local session = assert(client.session:create({ ttl_ms = 60000, lock_delay_ms = 0 }))
        assert.is_true(client.kv:acquire(KEY, record, session))

        -- It does not wait for that session, nor for a leader: not as long as it might.
        places.election_timeout = 3600
        local after = cluster_of("again", places)
        assert.same({ true }, { after:start() })
        wait_until(function()
            return after.cluster_nodes.again ~= nil
        end)
        assert.equal(session, after.cluster_nodes.again.session_id)
        assert.is_nil(after.session_id)
        assert.is_true(client.session:destroy(session))
        wait_until(function()
            return after.session_id ~= nil
        end)
        assert.are_not.equal(session, after.session_id)
        assert.equal(after.session_id, after.cluster_nodes.again.session_id)
        after:stop()
        client:close()
        before, after, client = nil, nil, nil
    end)

    it("registers without running for leader when only that is asked for", function()
        -- A shorter TTL than Consul takes.
        local cluster = cluster_of("alone", { lease_ttl = 1 })
        assert.is_true(cluster:register_node())
        assert.is_true(cluster:register_node())
        assert.equal(1, cluster:get_node_count())
        assert.is_nil(cluster:get_leader_info())
        assert.is_true(cluster:unregister_node())
        assert.is_true(cluster:unregister_node())
        assert.equal(0, cluster:get_node_count())
        assert.is_true(cluster:register_node())
        assert.is_true(cluster:start())
        assert.is_true(cluster.is_leader)
        cluster:stop()
        cluster = nil
    end)
end)

--- A process of `cluster_node.lua`, and what it saw last.
local function start_node(id, prefix)
    local command = "echo $$; exec luajit %stests/lua/cluster_node.lua %s %s 60"
    local pipe = assert(io.popen(command:format(helper.root, id, prefix)))
    return { id = id, pipe = pipe, pid = assert(pipe:read("*l")) }
end

--- What a node sees now: what it said before waits in the pipe while nobody reads it.
local function look(node)
    local now = helper.milliseconds()
    local said, leader, leads, living, owners
    repeat
        local line = assert(node.pipe:read("*l"), node.id .. " has ended")
        said, leader, leads, living, owners = line:match("^(%d+)\t(%S+)\t(%S+)\t(%d+)\t(.*)$")
        assert(said, line)
    until tonumber(said) >= now
    node.leader, node.leads, node.living = leader, leads == "true", tonumber(living)
    node.owners, node.in_ring = {}, {}
    for owner in owners:gmatch("%S+") do
        table.insert(node.owners, owner)
        node.in_ring[owner] = true
    end
end

local function kill(node)
    helper.must("kill -KILL " .. node.pid)
    node.pipe:close()
end

--- Looks until all of them see it so: who leads, and who owns keys.
local function wait_for(nodes, holds)
    local deadline = helper.milliseconds() + 180000
    while helper.milliseconds() < deadline do
        local all = true
        for _, node in ipairs(nodes) do
            look(node)
        end
        local leaders = 0
        for _, node in ipairs(nodes) do
            all = all and node.leader == nodes[1].leader and node.leads == (node.leader == node.id) and holds(node)
            leaders = leaders + (node.leads and 1 or 0)
        end
        if all and leaders == 1 then
            return
        end
    end
    error("not within three minutes", 2)
end

with_consul("three processes of a cluster", function()
    it("go on without a leader that was killed, which comes back as a follower", function()
        local prefix = helper.prefix()
        local nodes = {}
        finally(function()
            for _, node in ipairs(nodes) do
                pcall(kill, node)
            end
            local client = consul.connect()
            client.kv:delete_prefix(prefix)
            client:close()
        end)
        for position, id in ipairs({ "one", "two", "three" }) do
            nodes[position] = start_node(id, prefix)
        end
        local function sees_all(node)
            return node.living == 3 and node.in_ring.one and node.in_ring.two and node.in_ring.three
        end
        wait_for(nodes, sees_all)
        local before = nodes[1].owners

        local dead
        for position, node in ipairs(nodes) do
            if node.leads then
                dead = table.remove(nodes, position)
                break
            end
        end
        kill(dead)
        wait_for(nodes, function(node)
            return node.leader ~= dead.id and node.living == 2 and not node.in_ring[dead.id]
        end)
        for key, owner in ipairs(before) do
            assert.is_true(nodes[1].owners[key] == owner or owner == dead.id)
            assert.equal(nodes[1].owners[key], nodes[2].owners[key])
        end

        table.insert(nodes, start_node(dead.id, prefix))
        wait_for(nodes, function(node)
            return sees_all(node) and node.leader ~= dead.id
        end)
        assert.same(before, nodes[3].owners)
        assert.is_false(nodes[3].leads)
    end)
end)
