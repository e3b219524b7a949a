--- A node that serves as the text of its id and as a table alike: `"replica: " .. node`,
--- `node == "node-1"`, `node.id`, `node.address`. Programs for the earlier module use both.
---
--- It is cdata, since Lua asks a table about `==` with a string in no case. So `type(node)` is
--- "cdata", and what needs a real string, such as `table.concat`, takes `tostring(node)` or `node.id`.

local ffi = require("ffi")

local new = ffi.typeof("struct { uint8_t unused; }")

--- What is known of each, as long as it lives.
local infos = setmetatable({}, { __mode = "k" })

local function text(value)
    local info = type(value) == "cdata" and infos[value]
    return info and info.id or value
end

--- A method of strings, for `node:sub(1, 4)`.
local function string_method(name)
    local method = string[name]
    return method and function(node, ...)
        return method(text(node), ...)
    end
end

ffi.metatype(new, {
    __index = function(node, name)
        local value = infos[node][name]
        if value == nil then
            return string_method(name)
        end
        return value
    end,
    __newindex = function(node, name, value)
        infos[node][name] = value
    end,
    __tostring = text,
    __concat = function(left, right)
        return text(left) .. text(right)
    end,
    __len = function(node)
        return #text(node)
    end,
    __eq = function(left, right)
        return rawequal(text(left), text(right))
    end,
    __lt = function(left, right)
        return text(left) < text(right)
    end,
    __le = function(left, right)
        return text(left) <= text(right)
    end,
})

--- The node that a table describes, whose `id` is a string.
return function(info)
    local node = new()
    infos[node] = info
    return node
end
