--- The class `ConsulHACluster` of the earlier module, on `client:cluster`: a node whose session is
--- renewed, an election that one wins, a ring that all nodes agree on.
---
--- The fields `is_leader`, `session_id`, `cluster_nodes`, `hash_ring`, `running` and `consul_client` are
--- what they say at the moment when they are read.

local ConsistentHashRing = require("consul_ffi.original.ring")
local address = require("consul_ffi.original.address")
local check = require("consul_ffi.check")
local connect = require("consul_ffi.client")
local errors = require("consul_ffi.errors")
local json = require("consul_ffi.json")
local new_id = require("consul_ffi.original.node_id")
local notes = require("consul_ffi.original.notes")
local settings = require("consul_ffi.original.settings")
local ConsulClient = require("consul_ffi.original.client")

local ALREADY_HELD = errors.codes.ERR_ALREADY_HELD
local SECTION = "consul_ha_cluster"
local TIMEOUT_MS, SLICE_MS = 5000, 200
local SHORTEST_TTL_MS = 10000

--- More nodes than a ring can have.
local ALL = 2 ^ 32

local ConsulHACluster = {}

--- What is read of an object as if it were a field.
local live = {}

function ConsulHACluster.__index(cluster, name)
    local read = live[name]
    if read then
        return read(cluster)
    end
    return ConsulHACluster[name]
end

--- A node of a cluster, which does nothing before it is started. The settings are in docs/moving.md.
--- `client` is a native one that somebody else ends.
function ConsulHACluster:new(config, client)
    config = check.type(config or {}, "table", "config")
    local values, problem = settings.read(config, SECTION)
    if not values then
        check.fail("%s", problem)
    end
    notes(config, SECTION)
    return setmetatable({
        config = config,
        values = values,
        node_id = tostring(values.node_id or new_id()),
        node_address = values.node_address,
        datacenter = values.datacenter,
        heartbeat_interval = values.heartbeat_interval,
        lease_ttl = values.lease_ttl,
        min_nodes = values.min_nodes,
        leader_key = values.leader_key,
        nodes_prefix = values.nodes_prefix,
        shards_prefix = "/tsdb/cluster/shards/",
        shared_client = client,
        client = client,
        ring = ConsistentHashRing:new(),
        is_running = false,
    }, ConsulHACluster)
end

local function milliseconds(seconds)
    return math.floor(seconds * 1000 + 0.5)
end

--- Its client, made when it is needed first; nil and a message where it cannot be made.
local function client_of(cluster)
    if cluster.client then
        return cluster.client
    end
    local wanted = {
        address = address.of(cluster.values),
        token = cluster.values.acl_token,
        timeout_ms = TIMEOUT_MS,
    }
    for name, value in pairs(cluster.values.settings or {}) do
        wanted[name] = value
    end
    local client, problem = connect(wanted)
    cluster.client = client
    return client, problem and problem.message
end

--- The TTL of its sessions. Programs ask for less than Consul takes.
local function ttl_ms(values)
    local shortest = values.settings and tonumber(values.settings.min_session_ttl_ms) or SHORTEST_TTL_MS
    return math.max(milliseconds(values.lease_ttl), shortest)
end

--- A key as Consul has it, without the slash in front.
local function key_of(key)
    return (key:gsub("^/", ""))
end

--- Joins, to run for leader or not.
local function join(cluster, campaigns)
    local client, problem = client_of(cluster)
    if not client then
        return false, problem
    end
    local values = cluster.values
    local membership, refused = client:cluster({
        id = cluster.node_id,
        address = cluster.node_address,
        meta = values.datacenter and { datacenter = values.datacenter },
        nodes_prefix = values.nodes_prefix,
        leader_key = values.leader_key,
        campaigns = campaigns,
        ttl_ms = ttl_ms(values),
        lock_delay_ms = milliseconds(values.lock_delay),
        leave_after_ms = milliseconds(values.leave_after),
        join_after_ms = milliseconds(values.join_after),
    })
    if not membership then
        return false, refused.message
    end
    cluster.membership, cluster.campaigns, cluster.ring_version = membership, campaigns, nil
    -- By which session somebody leads, the membership does not tell. The key is fine: it was just taken.
    cluster.lead = client:watch({ key = key_of(values.leader_key) })
    return true
end

--- Waits until it has joined. True too when it goes on waiting in the background for the session of
--- the process that it replaces to end.
local function wait_joined(cluster, deadline)
    local membership, last = cluster.membership, nil
    repeat
        if membership:wait_joined(SLICE_MS) then
            return true
        end
        last = membership:stats().last_error
        if last and last.code == ALREADY_HELD then
            return true
        elseif last and not last.retryable then
            return false, last.message
        end
    until os.time() >= deadline
    return false, ("node %s has not joined within %g s: %s"):format(
        cluster.node_id, cluster.values.election_timeout, last and last.message or "Consul has not answered yet"
    )
end

--- The session that holds the leader key for the node of this id; nil where that is not known yet.
local function leading_session(cluster, id)
    if not cluster.lead then
        return nil
    end
    cluster.lead:refresh()
    local pair = cluster.lead:find(key_of(cluster.values.leader_key))
    return pair and pair.value == id and pair.session or nil
end

--- Waits until somebody leads, and by which session, if that does not take too long.
local function wait_leader(cluster, deadline)
    local membership = cluster.membership
    local seen = membership:version()
    while not membership:leader() and os.time() < deadline do
        membership:wait_change(seen, SLICE_MS)
        seen = membership:version()
    end
    local id = membership:leader()
    if cluster.lead and id and not leading_session(cluster, id) then
        cluster.lead:wait(SLICE_MS)
    end
end

--- Registers the node, keeps it alive, and runs for leader, all in the background from now on. True when
--- it has joined; false and a message when it has not until now, though it goes on trying.
function ConsulHACluster:start()
    if self.membership and not self.campaigns then
        self:unregister_node()
    end
    if not self.membership then
        local begun, problem = join(self, true)
        if not begun then
            return false, problem
        end
    end
    self.is_running = true
    local deadline = os.time() + self.values.election_timeout
    local joined, problem = wait_joined(self, deadline)
    if not joined then
        return false, problem
    end
    -- One that waits for the session of a dead process has no leader to wait for.
    if self.membership:wait_joined(0) then
        wait_leader(self, deadline)
    end
    return self:load_cluster_config()
end

--- Gives up the lead, takes the node out of the cluster, and frees what it uses. What the ring knew stays.
function ConsulHACluster:stop()
    self.is_running = false
    local left, problem = self:unregister_node()
    if self.client and not self.shared_client then
        self.client:close()
        self.client = nil
    end
    return left, problem
end

--- Registers the node without running for leader, which `start` does.
function ConsulHACluster:register_node()
    if not self.membership then
        local begun, problem = join(self, false)
        if not begun then
            return false, problem
        end
    end
    return wait_joined(self, os.time() + self.values.election_timeout)
end

--- Takes the node out of the cluster; the others know at once.
function ConsulHACluster:unregister_node()
    local membership = self.membership
    if not membership then
        return true
    end
    local left, problem = membership:leave()
    membership:close()
    if self.lead then
        self.lead:close()
    end
    self.membership, self.lead = nil, nil
    return left and true or false, problem and problem.message
end

--- What is known of a node, as a table of this module's.
local function info_of(node, age_ms)
    local seen_ms = node.state == "alive" and age_ms < math.huge and os.time() * 1000 - age_ms or node.since_ms
    return {
        id = node.id,
        address = node.address,
        status = node.state,
        last_seen = math.floor(seen_ms / 1000),
        session_id = node.session_id,
        datacenter = node.meta.datacenter,
        weight = node.weight,
    }
end

--- What is known of each of these nodes by its id; those that have left are left out.
local function by_id(membership, nodes)
    local infos, age_ms = {}, membership:age_ms()
    for _, node in ipairs(nodes) do
        if node.state ~= "left" then
            infos[node.id] = info_of(node, age_ms)
        end
    end
    return infos
end

function live.cluster_nodes(cluster)
    local membership = cluster.membership
    return membership and by_id(membership, membership:nodes() or {}) or {}
end

function live.is_leader(cluster)
    return cluster.membership ~= nil and cluster.membership:is_leader()
end

function live.running(cluster)
    return cluster.is_running
end

--- nil until it has joined: what the list of nodes has before that is the session of the process that it
--- replaces.
function live.session_id(cluster)
    if not cluster.membership or not cluster.membership:wait_joined(0) then
        return nil
    end
    local me = live.cluster_nodes(cluster)[cluster.node_id]
    return me and me.session_id
end

--- The ring, with the nodes that it has at this moment.
function live.hash_ring(cluster)
    local membership = cluster.membership
    local version = membership and membership:version()
    if version and version ~= cluster.ring_version then
        local infos, age_ms = {}, membership:age_ms()
        for _, node in ipairs(membership:replicas_for_key("", ALL) or {}) do
            infos[node.id] = info_of(node, age_ms)
        end
        cluster.ring:set_nodes(infos)
        cluster.ring_version = version
    end
    return cluster.ring
end

--- A client of the earlier module's, which goes with the cluster.
function live.consul_client(cluster)
    local client = client_of(cluster)
    return client and ConsulClient.over(client, {
        timeout = TIMEOUT_MS,
        simulate = cluster.values.simulate,
        is_encrypting = settings.names_prefixes(cluster.values.settings),
    })
end

--- Whether this node leads, judged by the clock at this moment.
function ConsulHACluster:is_leader_node()
    return live.is_leader(self)
end

local Leader = {}

function Leader.__tostring(leader)
    return leader.node_id
end

function Leader.__concat(left, right)
    return tostring(left) .. tostring(right)
end

--- Who leads: `node_id`, `session_id`, which holds the leader key, nil until that was seen, and
--- `timestamp`, since when this program has seen it lead. nil when nobody does.
function ConsulHACluster:get_leader_info()
    local id = self.membership and self.membership:leader()
    if not id then
        self.leader_seen = nil
        return nil
    end
    if not self.leader_seen or self.leader_seen.id ~= id then
        self.leader_seen = { id = id, at = os.time() }
    end
    return setmetatable({
        node_id = id,
        session_id = leading_session(self, id),
        timestamp = self.leader_seen.at,
    }, Leader)
end

--- How many nodes there are: those that live, and those that were lost a moment ago.
function ConsulHACluster:get_node_count()
    local count = 0
    for _ in pairs(live.cluster_nodes(self)) do
        count = count + 1
    end
    return count
end

--- The nodes that live, in the order of their ids.
function ConsulHACluster:get_live_nodes()
    local list = {}
    for _, info in pairs(live.cluster_nodes(self)) do
        if info.status == "alive" then
            list[#list + 1] = info
        end
    end
    table.sort(list, function(left, right)
        return left.id < right.id
    end)
    return list
end

--- The id of the node that a key belongs to, and what is known of it; nil before anything was found.
function ConsulHACluster:get_node_for_key(key)
    return live.hash_ring(self):get_node(key)
end

--- As `get_replica_nodes` of the ring.
function ConsulHACluster:get_replica_nodes(key, count)
    return live.hash_ring(self):get_replica_nodes(key, count)
end

--- Reads `config_key`, where there is one, into `cluster_config`. The membership is always as it is.
function ConsulHACluster:load_cluster_config()
    local key = self.values.config_key
    if not key then
        return true
    end
    local client, problem = client_of(self)
    if not client then
        return false, problem
    end
    local text, err = client.kv:get(key_of(key))
    if not text and err.code ~= errors.codes.NOT_FOUND then
        return false, err.message
    end
    self.cluster_config = text and (json.decode(text) or text)
    return true
end

--- Brings the ring up to date, as every look-up does.
function ConsulHACluster:update_hash_ring()
    live.hash_ring(self)
    return true
end

return ConsulHACluster
