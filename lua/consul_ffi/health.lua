--- Which instances of services are healthy: `client.health`.

local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local rows = require("consul_ffi.rows")
local spec = require("consul_ffi.spec")

local OWN = { passing = true, tags = true }

local Health = {}
Health.__index = Health

local function instances(self, service, options, c_name)
    local call, out = begin(self, options, OWN, "service", service), rows.entries_box()
    local passing, tags = false, {}
    if options then
        passing = options.passing ~= nil and check.type(options.passing, "boolean", "passing")
        tags = options.tags or tags
    end
    local pointers, count = spec.texts(tags, "tags")
    if not pointers then
        call:with(nil, count)
        count = 0
    end
    local status = C[c_name](call.handle, service, passing, pointers, count, call.settings, call.async, out)
    return rows.take_entries(call, status, out)
end

--- The instances of a service with their node and checks: a list and the answer's meta.
--- `options.passing = true` leaves out all but healthy ones, `options.tags` those that lack a tag.
function Health:service(service, options)
    return instances(self, service, options, "consul_health_service")
end

--- As `service`, the proxies of a service and its instances that speak Connect themselves.
function Health:connect(service, options)
    return instances(self, service, options, "consul_health_connect")
end

--- As `service`, the ingress gateways of a service.
function Health:ingress(service, options)
    return instances(self, service, options, "consul_health_ingress")
end

local function checks(self, name, value, options, c_name)
    local call, out = begin(self, options, nil, name, value), rows.checks_box()
    return rows.take_checks(call, C[c_name](call.handle, value, call.settings, call.async, out), out)
end

--- The checks of a node.
function Health:node(node, options)
    return checks(self, "node", node, options, "consul_health_node")
end

--- The checks of a service.
function Health:checks(service, options)
    return checks(self, "service", service, options, "consul_health_checks")
end

--- The checks in a state: "any", "passing", "warning" or "critical".
function Health:state(state, options)
    return checks(self, "state", state, options, "consul_health_state")
end

return function(client)
    return setmetatable({ client = client }, Health)
end
