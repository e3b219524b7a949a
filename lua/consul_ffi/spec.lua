--- Descriptions of a session, a lock, a service or a check: a Lua table as a native object.
---
---     local SESSION = spec.kind("session", { name = spec.text, ttl_ms = spec.number })
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

--- A kind of description: its name, and a setter for every name that its table may have. With
--- `required`, that name is what the library's `_new` takes.
function spec.kind(name, setters, required)
    return {
        name = name,
        setters = setters,
        required = required,
        c_name = "consul_" .. name .. "_spec",
        box = ffi.typeof("consul_" .. name .. "_spec *[1]"),
    }
end

local function new(kind, given)
    local out = kind.box()
    local make = C[kind.c_name .. "_new"]
    if not kind.required then
        return make(out), out
    end
    return make(given[kind.required], out), out
end

--- nil, or the error of the text that `_new` takes.
local function required_problem(kind, given)
    if kind.required then
        local name = kind.name .. "." .. kind.required
        return errors.for_nul(check.type(given[kind.required], "string", name), name)
    end
end

local function set_all(kind, handle, given)
    for name, value in pairs(given) do
        if name ~= kind.required then
            local setter = kind.setters[name]
            local status, problem = setter(handle, value, name, kind.c_name .. "_set_" .. name)
            if status ~= OK then
                return problem or errors.from(status)
            end
        end
    end
end

--- The native object for a table, to be ended by `spec.close`; nil and an error for what is not
--- allowed.
function spec.open(kind, given)
    check.type(given, "table", kind.name)
    check.known(given, kind.setters, kind.name .. " field")
    local problem = required_problem(kind, given)
    if problem then
        return nil, problem
    end
    local status, out = new(kind, given)
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
