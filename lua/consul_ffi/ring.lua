--- A ring of consistent hashes: `consul.ring()` tells which node a key belongs to, the same in every
--- program and language (docs/cluster.md).
---
---     local ring = consul.ring()
---     ring:set({ ["cache-1"] = 1, ["cache-2"] = 2 })      -- names with their weights
---     local node = ring:node_for_key("user/17")
---     local replicas = ring:replicas_for_key("user/17", 2)
---
--- Options: `virtual_nodes`, the points of a node for each unit of its weight: 160 unless set.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")
local shown = require("consul_ffi.shown")

local codes = errors.codes
local box, strings_box = result.box("ring"), result.strings_box
local names_array, weights_array = ffi.typeof("const char *[?]"), ffi.typeof("uint32_t[?]")

local Ring = {}
Ring.__index = Ring
Ring.__tostring = shown("ring", nil, function(ring)
    return ring:count() .. " nodes"
end)

--- Makes a ring without nodes; nil and an error for a number of virtual nodes that cannot be.
local function new(options)
    options = check.type(options or {}, "table", "options")
    check.known(options, { virtual_nodes = true }, "option")
    local out = box()
    local status = C.consul_ring_new(check.uint32(options.virtual_nodes or 0, "virtual_nodes"), out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    return setmetatable({ handle = ffi.gc(out[0], C.consul_ring_free) }, Ring)
end

local function check_self(ring)
    if type(ring) ~= "table" or getmetatable(ring) ~= Ring then
        check.fail("a method is called with a colon, as in ring:node_for_key(key)")
    end
    return ring.handle
end

--- Adds a node of this weight, 1 unless given and 1,000 at most, or gives one that is there this weight.
function Ring:add(node, weight)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(node, "string", "node"), "node")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_ring_add(handle, node, check.uint32(weight or 1, "weight")))
end

--- Removes a node. False and an error with the code NOT_FOUND when it was not there.
function Ring:remove(node)
    local handle = check_self(self)
    local problem = errors.for_nul(check.type(node, "string", "node"), "node")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_ring_remove(handle, node))
end

--- Gives the ring these nodes and no others, in one step: a table of weights by name, or a list of
--- names of weight 1.
function Ring:set(nodes)
    local handle, names, weights = check_self(self), {}, {}
    for name, weight in pairs(check.type(nodes, "table", "nodes")) do
        if type(name) == "number" then
            name, weight = weight, 1
        end
        local problem = errors.for_nul(check.type(name, "string", "a name in nodes"), "a name in nodes")
        if problem then
            return nil, problem
        end
        names[#names + 1] = name
        weights[#weights + 1] = check.uint32(weight, "the weight of " .. name)
    end
    -- The list keeps the names alive, which C reads by their address.
    local pointers, numbers = names_array(#names + 1, names), weights_array(#names + 1, weights)
    return errors.answer(C.consul_ring_set(handle, pointers, #names, numbers))
end

--- The node that a key belongs to; nil where there are no nodes.
function Ring:node_for_key(key)
    local node = C.consul_ring_node_for_key(check_self(self), check.type(key, "string", "key"), #key)
    return node ~= nil and ffi.string(node) or nil
end

local function strings(status, out)
    if status ~= codes.OK then
        return nil, errors.from(status)
    end
    local list = {}
    for index = 0, tonumber(C.consul_keys_count(out[0])) - 1 do
        local row = C.consul_keys_at(out[0], index)
        list[index + 1] = ffi.string(row.data, row.len)
    end
    C.consul_keys_free(out[0])
    return list
end

--- A list of the node that a key belongs to, and those that it would belong to without the ones before:
--- `count` different nodes, or all where there are fewer.
function Ring:replicas_for_key(key, count)
    local handle, out = check_self(self), strings_box()
    check.type(key, "string", "key")
    local most = check.uint64(count, "count")
    return strings(C.consul_ring_replicas_for_key(handle, key, #key, most, out), out)
end

--- The names of the nodes, sorted.
function Ring:nodes()
    local handle, out = check_self(self), strings_box()
    return strings(C.consul_ring_nodes(handle, out), out)
end

--- The weight of a node; nil when it is not there.
function Ring:weight(node)
    local weight = C.consul_ring_weight(check_self(self), check.type(node, "string", "node"))
    return weight ~= 0 and weight or nil
end

--- How many nodes there are.
function Ring:count()
    return tonumber(C.consul_ring_count(check_self(self)))
end

--- 0 for a ring that never had a node, and one more with each change.
function Ring:version()
    return tonumber(C.consul_ring_version(check_self(self)))
end

--- Ends the ring. Harmless when it was closed before.
function Ring:close()
    local handle = check_self(self)
    if handle then
        C.consul_ring_free(ffi.gc(handle, nil))
        self.handle = nil
    end
end

return new
