--- A node's part in a cluster: `client:cluster(options)` (docs/cluster.md).
---
---     local cluster = assert(client:cluster({ id = "node-1", address = "10.0.0.1:7000", min_nodes = 3 }))
---     assert(cluster:wait_joined(5000))
---     local node = cluster:node_for_key("AAPL")
---     print(node.id, node.address, cluster:is_leader())
---     cluster:leave()
---
--- Options: `id`, `address`, `weight`, `meta` (a table of texts), `prefix` ("tsdb/cluster/"),
--- `nodes_prefix` and `leader_key` where they are somewhere else, `min_nodes`, `campaigns` (false: does
--- not run for leader), the times `ttl_ms`, `lock_delay_ms`, `leave_after_ms`, `join_after_ms` and `outage_hold_ms`, and
--- `token`, `datacenter`, `namespace`, `partition`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin, of = require("consul_ffi.call").begin, require("consul_ffi.call").of
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local shown = require("consul_ffi.shown")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local codes = errors.codes
local box, nodes_box = result.box("cluster"), result.box("cluster_nodes")

local STATES = {
    [C.CONSUL_CLUSTER_NODE_ALIVE] = "alive",
    [C.CONSUL_CLUSTER_NODE_SUSPECT] = "suspect",
    [C.CONSUL_CLUSTER_NODE_LEFT] = "left",
}

local Cluster = {}
Cluster.__index = Cluster
Cluster.__tostring = shown("cluster node", function(cluster)
    return cluster.node_id
end)

local KIND = spec.kind({
    type = "cluster_spec",
    required = { "id", "address" },
    setters = {
        weight = spec.uint32,
        meta = spec.map("consul_cluster_spec_add_meta"),
        prefix = spec.text,
        nodes_prefix = spec.text,
        leader_key = spec.text,
        ttl_ms = spec.number,
        min_nodes = spec.uint32,
        campaigns = spec.flag,
        lock_delay_ms = spec.number,
        leave_after_ms = spec.number,
        join_after_ms = spec.number,
        outage_hold_ms = spec.number,
    },
})

local function description_of(options)
    local description = spec.part(KIND, options)
    description.address = description.address or ""
    return description
end

--- Joins a cluster: begins to, and goes on in the background until it is left. That Consul is away is no
--- error.
local function new(client, options)
    check.type(options, "table", "options")
    local call, out = begin(client, options, KIND.own, "id", options.id), box()
    local native = call:with(spec.open(KIND, description_of(options)))
    local status = call.settings and C.consul_cluster_spec_set_options(native, call.settings) or codes.OK
    if status == codes.OK then
        status = C.consul_cluster_join(call.handle, native, out)
    end
    spec.close(KIND, native)
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    return setmetatable({
        client = client,
        handle = ffi.gc(out[0], C.consul_cluster_free),
        node_id = options.id,
    }, Cluster)
end

local function check_self(cluster)
    if type(cluster) ~= "table" or not cluster.client then
        check.fail("a method is called with a colon, as in cluster:nodes()")
    end
    return cluster.handle
end

--- A node as a table: `id`, `address`, `weight`, `state` ("alive", "suspect" or "left"), `session_id`
--- (nil when its session has ended), `meta`, `since_ms` (since when its state is so, in ms since 1970),
--- `is_leader`.
local function read_node(row)
    return {
        id = ffi.string(row.id, row.id_len),
        address = ffi.string(row.address, row.address_len),
        weight = row.weight,
        state = STATES[row.state] or "unknown",
        session_id = result.optional(row.session_id, row.session_id_len),
        meta = result.map(row.meta_keys, row.meta_values, row.meta_count),
        since_ms = tonumber(row.since_ms),
        is_leader = row.is_leader,
    }
end

local function read_nodes(out)
    local list = {}
    for index = 0, tonumber(C.consul_cluster_nodes_count(out[0])) - 1 do
        list[index + 1] = read_node(C.consul_cluster_nodes_at(out[0], index))
    end
    C.consul_cluster_nodes_free(out[0])
    return list
end

--- Waits until it has joined and sees itself among the nodes, so many milliseconds at most; without a
--- number for ever. The error's code is ERR_TIMEOUT when it has not, with the last failure.
function Cluster:wait_joined(timeout_ms)
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_cluster_wait_joined_async(handle, check.patience(timeout_ms), call.async))
end

--- Waits until the version is above this one, which is to be read before what you look at. False and an
--- error with the code NO_CHANGE when it is not after so many milliseconds; without a number it waits for
--- ever.
function Cluster:wait_change(version, timeout_ms)
    local handle, call = check_self(self), of(self)
    local known, limit = check.uint64(version, "version"), check.patience(timeout_ms)
    return call:done(C.consul_cluster_wait_change_async(handle, known, limit, call.async))
end

--- Its own id; nil once it is closed.
function Cluster:id()
    local id = C.consul_cluster_id(check_self(self))
    return id ~= nil and ffi.string(id) or nil
end

--- 0 before anything was found; it grows with each change of nodes, leader or ring.
function Cluster:version()
    return tonumber(C.consul_cluster_version(check_self(self)))
end

--- The same of the ring alone: it grows when some keys belong to another node than before.
function Cluster:ring_version()
    return tonumber(C.consul_cluster_ring_version(check_self(self)))
end

--- How long ago Consul confirmed the list of nodes: math.huge when it never did.
function Cluster:age_ms()
    return number.milliseconds(C.consul_cluster_age_ms(check_self(self)))
end

--- Everybody who is or was a member, by id: a list of tables, as above.
function Cluster:nodes()
    local out = nodes_box()
    local status = C.consul_cluster_list_nodes(check_self(self), out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    return read_nodes(out)
end

--- How many nodes live.
function Cluster:living()
    return tonumber(C.consul_cluster_living(check_self(self)))
end

--- Whether as many nodes live as `min_nodes` says.
function Cluster:has_enough_nodes()
    return C.consul_cluster_has_enough_nodes(check_self(self))
end

--- The node that a key belongs to, as a table; nil before anything was found. Makes no request.
function Cluster:node_for_key(key)
    local row = C.consul_cluster_node_for_key(check_self(self), check.type(key, "string", "key"), #key)
    return row ~= nil and read_node(row) or nil
end

--- A list of the node that a key belongs to, and those that it would belong to without the ones before:
--- `count` different ones, or all of the ring where there are fewer.
function Cluster:replicas_for_key(key, count)
    local handle, out = check_self(self), nodes_box()
    check.type(key, "string", "key")
    local most = check.uint64(count, "count")
    local status = C.consul_cluster_replicas_for_key(handle, key, #key, most, out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    return read_nodes(out)
end

--- Whether this node leads, judged by the clock at this moment. Makes no request.
function Cluster:is_leader()
    return C.consul_cluster_is_leader(check_self(self))
end

--- The id of the node that leads, as it was seen last; nil when none does.
function Cluster:leader()
    local out = result.text_box()
    if C.consul_cluster_leader(check_self(self), out) == codes.OK then
        return result.copy_text(out)
    end
end

--- Changes its weight, 1 to 1,000. Returns at once.
function Cluster:set_weight(weight)
    return errors.answer(C.consul_cluster_set_weight(check_self(self), check.uint32(weight, "weight")))
end

--- Says something of itself; a nil takes it back. Returns at once.
function Cluster:set_meta(key, value)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(key, "string", "key"), "key")
        or value ~= nil and errors.for_nul(check.type(value, "string", "value"), "value") or nil
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_cluster_set_meta(handle, key, value))
end

local LISTS = {
    [C.CONSUL_EVENT_CLUSTER_JOINED] = "joined",
    [C.CONSUL_EVENT_CLUSTER_LEFT] = "left",
    [C.CONSUL_EVENT_CLUSTER_CHANGED] = "changed",
}

--- What an event of the queue says: whether it is the last one, and what is to be told.
local function hear(ticket, event)
    local kind = C.consul_event_type(event)
    if LISTS[kind] then
        local out = nodes_box()
        local taken = C.consul_event_take_cluster_nodes(event, out) == codes.OK
        return false, LISTS[kind], taken and read_nodes(out) or {}
    elseif kind == C.CONSUL_EVENT_CLUSTER_LEADER then
        local out = result.text_box()
        local taken = C.consul_event_take_text(event, out) == codes.OK
        return false, "leader", taken and result.copy_text(out) or nil
    elseif kind == C.CONSUL_EVENT_CLUSTER_RING then
        return false, "ring", ticket.object:ring_version()
    end
    return true, "ended", errors.of(C.consul_event_status(event), C.consul_event_error(event))
end

--- Has each change arrive in this queue from now on, and in no other, by the ticket that is returned:
--- `queue:next` returns the ticket and "joined", "left" or "changed" with a list of nodes, "leader" with
--- the id of the one that leads, "ring" with its version, and in the end "ended". nil ends that.
function Cluster:set_queue(queue)
    check_self(self)
    return losses(self, C.consul_cluster_set_queue, queue, hear)
end

--- How its own part is getting on (consul_ffi/stats.lua). Makes no request.
function Cluster:stats()
    return stats(check_self(self), "cluster")
end

--- The same cluster, whose calls arrive in this queue.
function Cluster:on(queue)
    check_self(self)
    return setmetatable({
        client = self.client:on(queue),
        handle = self.handle,
        node_id = self.node_id,
        original = self,
    }, Cluster)
end

--- Leaves: gives up the lead, deletes its key, so that the others know at once, destroys its session, and
--- says how that went. What was found stays to be read.
function Cluster:leave()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_cluster_leave(handle, call.async))
end

--- Ends the object: it is left in the background. Harmless when it was closed before.
function Cluster:close()
    local handle = check_self(self)
    if handle then
        C.consul_cluster_free(ffi.gc(handle, nil))
        self.handle = nil
    end
end

return new
