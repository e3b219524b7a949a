--- A node that serves as the text of its id and as a table alike: `"replica: " .. node`,
--- `node == "node-1"`, `node.id`, `node.address`. Programs for the earlier module use both.
---
--- It is cdata, since Lua asks a table about `==` with a string in no case. So `type(node)` is
--- "cdata", and what needs a real string, such as `table.concat`, takes `tostring(node)` or `node.id`.
--- `pairs` goes through what is known of it, which is what JSON has of it too.

local ffi = require("ffi")

local new = ffi.typeof("struct { uint8_t unused; }")

--- What is known of each.
local infos = require("consul_ffi.json.stand_ins")

local Node = {}

local function info_of(value)
    if type(value) == "cdata" then
        return infos[value]
    end
    return type(value) == "table" and getmetatable(value) == Node and value or nil
end

local function text(value)
    local info = info_of(value)
    return info and rawget(info, "id") or value
end

--- A method of strings, for `node:sub(1, 4)`.
local function string_method(name)
    local method = string[name]
    return method and function(node, ...)
        return method(text(node), ...)
    end
end

function Node.__index(node, name)
    local value = rawget(info_of(node), name)
    if value == nil then
        return string_method(name)
    end
    return value
end

function Node.__newindex(node, name, value)
    rawset(info_of(node), name, value)
end

function Node.__concat(left, right)
    return text(left) .. text(right)
end

function Node.__len(node)
    return #text(node)
end

function Node.__eq(left, right)
    return rawequal(text(left), text(right))
end

function Node.__lt(left, right)
    return text(left) < text(right)
end

function Node.__le(left, right)
    return text(left) <= text(right)
end

--- LuaJIT asks cdata for it, as Lua 5.2 does a table.
function Node.__pairs(node)
    return next, info_of(node), nil
end

Node.__tostring = text

ffi.metatype(new, Node)

local function as_cdata(info)
    local node = new()
    infos[node] = info
    return node
end

--- Where the module `ffi` was opened twice in one Lua state, as between two files of busted's, LuaJIT
--- does not find the metatable of a type. Then nodes are tables, which are equal to no string.
local has_metatable = pcall(function()
    assert(as_cdata({ id = "a" }).id == "a")
end)

--- The node that a table describes, whose `id` is a string.
return function(info)
    return has_metatable and as_cdata(info) or setmetatable(info, Node)
end
