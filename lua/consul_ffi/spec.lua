--- Descriptions of a session, a lock, a service or a check: a Lua table as a native object.
---
---     local SESSION = spec.kind({
---         type = "session_spec",
---         setters = { name = spec.text, ttl_ms = spec.number },
---     })
---     local handle, problem = spec.open(SESSION, { name = "worker", ttl_ms = 15000 })
---     ...
---     spec.close(SESSION, handle)
---
--- The setter of a name is called as setter(handle, value, name, c_name), where c_name is the name of
--- the library's function for it, and returns a status, or nil and an error.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")

local spec = {}

local OK = errors.codes.OK

function spec.text(handle, value, name, c_name)
    local problem = errors.for_nul(check.type(value, "string", name), name)
    if problem then
        return nil, problem
    end
    return C[c_name](handle, value)
end

function spec.bytes(handle, value, name, c_name)
    check.type(value, "string", name)
    return C[c_name](handle, value, #value)
end

function spec.number(handle, value, name, c_name)
    return C[c_name](handle, check.uint64(value, name))
end

function spec.uint32(handle, value, name, c_name)
    return C[c_name](handle, check.uint32(value, name))
end

function spec.flag(handle, value, name, c_name)
    return C[c_name](handle, check.type(value, "boolean", name))
end

--- A list of strings as C's array of pointers and its length; nil and an error for a NUL in one. The
--- pointers are good as long as the list.
function spec.texts(list, name)
    check.type(list, "table", name)
    local pointers = ffi.new("const char *[?]", #list + 1)
    for position, text in ipairs(list) do
        local each = ("%s[%d]"):format(name, position)
        local problem = errors.for_nul(check.type(text, "string", each), each)
        if problem then
            return nil, problem
        end
        pointers[position - 1] = text
    end
    return pointers, #list
end

--- A setter for a list of strings.
function spec.list(handle, value, name, c_name)
    local pointers, count = spec.texts(value, name)
    if not pointers then
        return nil, count
    end
    return C[c_name](handle, pointers, count)
end

--- A setter that sets every element of a list by another one.
function spec.each(setter)
    return function(handle, value, name, c_name)
        check.type(value, "table", name)
        for position, element in ipairs(value) do
            local status, problem = setter(handle, element, ("%s[%d]"):format(name, position), c_name)
            if status ~= OK then
                return status, problem
            end
        end
        return OK
    end
end

--- A setter for a table of texts by their names, which `add(handle, name, value)` takes one by one.
function spec.map(add)
    return function(handle, value, name)
        for key, text in pairs(check.type(value, "table", name)) do
            local place = name .. "." .. tostring(key)
            check.type(key, "string", "a name in " .. name)
            local problem = errors.for_nul(key, place)
                or errors.for_nul(check.type(text, "string", place), place)
            if problem then
                return nil, problem
            end
            local status = C[add](handle, key, text)
            if status ~= OK then
                return status
            end
        end
        return OK
    end
end

--- A setter for a table that is JSON to the library.
function spec.json(c_name)
    return function(handle, value, name)
        return C[c_name](handle, check.json(check.type(value, "table", name), name))
    end
end

--- A setter for a description within a description.
function spec.nested(kind, c_name)
    return function(handle, value)
        local inner, problem = spec.open(kind, value)
        if not inner then
            return nil, problem
        end
        local status = C[c_name](handle, inner)
        spec.close(kind, inner)
        return status
    end
end

--- A kind of description. `type` is the library's without `consul_`, `setters` has one for every name
--- that the table may have, `required` lists those that the library's `_new` takes, of which `numbers`
--- has those that are no text, `optional` is one that it takes too and that may be missing.
function spec.kind(kind)
    kind.name = kind.type:gsub("_spec$", "")
    kind.c_name = "consul_" .. kind.type
    kind.box = ffi.typeof("consul_" .. kind.type .. " *[1]")
    kind.first = kind.required or { kind.optional }
    for _, name in ipairs(kind.first) do
        kind.setters[name] = false
    end
    kind.own = {}
    for name in pairs(kind.setters) do
        kind.own[name] = true
    end
    return kind
end

--- What of these options describes the object; all others say how to call.
function spec.part(kind, options)
    local description = {}
    for name in pairs(kind.own) do
        description[name] = options[name]
    end
    return description
end

--- What `_new` takes, or nil and the error of a text with a NUL.
local function first_arguments(kind, given)
    local arguments = {}
    for position, name in ipairs(kind.first) do
        local text = given[name]
        if text ~= nil or kind.required then
            local place = kind.name .. "." .. name
            if kind.numbers and kind.numbers[name] then
                text = check.uint64(text, place)
            else
                local problem = errors.for_nul(check.type(text, "string", place), place)
                if problem then
                    return nil, problem
                end
            end
        end
        arguments[position] = text
    end
    return arguments
end

local function new(kind, arguments, base)
    local out, count = kind.box(), #kind.first
    if base ~= nil then
        return C[kind.c_name .. "_new"](base, out), out
    end
    arguments[count + 1] = out
    return C[kind.c_name .. "_new"](unpack(arguments, 1, count + 1)), out
end

local function set_all(kind, handle, given)
    for name, value in pairs(given) do
        local setter = kind.setters[name]
        if setter then
            local status, problem = setter(handle, value, name, kind.c_name .. "_set_" .. name)
            if status ~= OK then
                return problem or errors.from(status)
            end
        end
    end
end

--- The native object for a table, to be ended by `spec.close`; nil and an error for what is not
--- allowed. `base` is a native object that it is made of, for a kind that has one.
function spec.open(kind, given, base)
    check.type(given, "table", kind.name)
    check.known(given, kind.setters, kind.name .. " field")
    local arguments, problem = first_arguments(kind, given)
    if not arguments then
        return nil, problem
    end
    local status, out = new(kind, arguments, base)
    if status ~= OK then
        return nil, errors.from(status)
    end
    local handle = ffi.gc(out[0], C[kind.c_name .. "_free"])
    problem = set_all(kind, handle, given)
    if not problem then
        return handle
    end
    spec.close(kind, handle)
    return nil, problem
end

--- Ends what `spec.open` made; nil is fine.
function spec.close(kind, handle)
    if handle ~= nil then
        C[kind.c_name .. "_free"](ffi.gc(handle, nil))
    end
end

return spec
