--- The description of a session as a Lua table: `name`, `node`, `ttl_ms` (10,000 to 86,400,000; 0 or
--- nothing: it needs no renewal), `lock_delay_ms` (0 to 60,000), `behavior` ("release" or "delete"),
--- `node_checks` (ids; an empty list means no check at all), `service_checks` (ids, or tables
--- { id = ..., namespace = ... }).

local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local spec = require("consul_ffi.spec")

local BEHAVIORS = { release = C.CONSUL_BEHAVIOR_RELEASE, delete = C.CONSUL_BEHAVIOR_DELETE }

local session_spec = {}

--- The name of a behavior that a row holds.
function session_spec.behavior_name(number)
    return number == C.CONSUL_BEHAVIOR_DELETE and "delete" or "release"
end

local function set_behavior(handle, value, name, c_name)
    local number = BEHAVIORS[value]
    if not number then
        check.fail('%s must be "release" or "delete", not %s', name, tostring(value))
    end
    return C[c_name](handle, number)
end

local function add_service_check(handle, value, name)
    local id, namespace = value, nil
    if type(value) == "table" then
        id, namespace = value.id, value.namespace
    end
    local problem = errors.for_nul(check.type(id, "string", name .. ".id"), name)
    if namespace ~= nil then
        problem = problem or errors.for_nul(check.type(namespace, "string", name .. ".namespace"), name)
    end
    if problem then
        return nil, problem
    end
    return C.consul_session_spec_add_service_check(handle, id, namespace)
end

local KIND = spec.kind({
    type = "session_spec",
    setters = {
        name = spec.text,
        node = spec.text,
        ttl_ms = spec.number,
        lock_delay_ms = spec.number,
        behavior = set_behavior,
        node_checks = spec.list,
        service_checks = spec.each(add_service_check),
    },
})

--- The native description of a table, nil for none; nil and an error for what is not allowed.
function session_spec.open(description)
    if description == nil then
        return nil
    end
    return spec.open(KIND, description)
end

--- Ends what `open` made; nil is fine.
function session_spec.close(handle)
    spec.close(KIND, handle)
end

return session_spec
