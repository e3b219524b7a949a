--- The class `ConsistentHashRing` of the earlier module: nodes with what is known of them, on the
--- library's ring.

local check = require("consul_ffi.check")
local new_node = require("consul_ffi.original.node")
local new_ring = require("consul_ffi.ring")

local ConsistentHashRing = {}
ConsistentHashRing.__index = ConsistentHashRing

local REPLICAS = 2

--- A ring whose nodes have so many points for each unit of their weight, 160 unless given.
function ConsistentHashRing:new(virtual_nodes)
    local native, problem = new_ring({ virtual_nodes = virtual_nodes })
    if not native then
        check.fail("%s", problem.message)
    end
    return setmetatable({
        native = native,
        virtual_nodes = virtual_nodes or 160,
        nodes = {},
    }, ConsistentHashRing)
end

local function must(done, problem)
    if done == nil then
        check.fail("%s", problem.message)
    end
end

--- Adds a node, or says anew what is known of it: a table, of which `address` and `weight` (1) mean
--- something here.
function ConsistentHashRing:add_node(id, info)
    info = check.type(info or {}, "table", "info")
    must(self.native:add(id, info.weight))
    self.nodes[id] = info
end

function ConsistentHashRing:remove_node(id)
    must(self.native:remove(id))
    self.nodes[id] = nil
end

--- Gives the ring these nodes and no others: what is known of each by its id.
function ConsistentHashRing:set_nodes(nodes)
    local weights = {}
    for id, info in pairs(nodes) do
        weights[id] = info.weight or 1
    end
    must(self.native:set(weights))
    self.nodes = nodes
end

local function text_of(key)
    if key == nil then
        check.fail("key must be a string, not nothing")
    end
    return tostring(key)
end

--- The node that a key belongs to, and what is known of it; nil where there are no nodes.
function ConsistentHashRing:get_node(key)
    local id = self.native:node_for_key(text_of(key))
    return id, id and self.nodes[id]
end

local function described(id, info)
    local copy = { id = id }
    for name, value in pairs(info) do
        copy[name] = value
    end
    return new_node(copy)
end

--- The node that a key belongs to and those that follow on the ring: `count` (2) different ones, or all
--- where there are fewer. Each serves as a string and as a table (consul_ffi/original/node.lua).
function ConsistentHashRing:get_replica_nodes(key, count)
    local ids, problem = self.native:replicas_for_key(text_of(key), count or REPLICAS)
    must(ids, problem)
    local list = {}
    for position, id in ipairs(ids) do
        list[position] = described(id, self.nodes[id] or {})
    end
    return list
end

return ConsistentHashRing
