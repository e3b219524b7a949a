--- The catalog of the datacenter: `client.catalog`. Services are usually registered at an agent, which
--- keeps the catalog up to date; what is written here stays until it is deleted here.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local REGISTRATION = require("consul_ffi.registration")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local result = require("consul_ffi.result")
local rows = require("consul_ffi.rows")
local spec = require("consul_ffi.spec")

local TAGS = { tags = true }
local SUBJECT = { node = true, service_id = true, check_id = true }

local Catalog = {}
Catalog.__index = Catalog

local names_box = result.box("service_names")

local function read_name(row)
    return { name = ffi.string(row.name, row.name_len), tags = result.texts(row.tags, row.tag_count) }
end

local take_names = result.list("service_names", read_name)

--- The nodes: a list and the answer's meta.
function Catalog:nodes(options)
    local call, out = begin(self, options), rows.nodes_box()
    return rows.take_nodes(call, C.consul_catalog_nodes(call.handle, call.settings, call.async, out), out)
end

--- The names of all services: a list of `name` and `tags`, and the answer's meta.
function Catalog:services(options)
    local call, out = begin(self, options), names_box()
    return take_names(call, C.consul_catalog_services(call.handle, call.settings, call.async, out), out)
end

local function instances(self, service, options, c_name)
    local call, out = begin(self, options, TAGS, "service", service), rows.entries_box()
    local pointers, count = spec.texts(options and options.tags or {}, "tags")
    if not pointers then
        call:with(nil, count)
        count = 0
    end
    local status = C[c_name](call.handle, service, pointers, count, call.settings, call.async, out)
    return rows.take_entries(call, status, out)
end

--- The instances of a service with their nodes, healthy or not: a list and the answer's meta.
function Catalog:service(service, options)
    return instances(self, service, options, "consul_catalog_service")
end

--- As `service`, the proxies of a service and its instances that speak Connect themselves.
function Catalog:connect(service, options)
    return instances(self, service, options, "consul_catalog_connect")
end

local function read_node_services(handle, problem)
    local meta = result.meta(C.consul_services_meta(handle))
    if problem then
        problem.meta = meta
        return nil, problem
    end
    local services = {}
    for index = 0, tonumber(C.consul_services_count(handle)) - 1 do
        services[index + 1] = rows.service(C.consul_services_at(handle, index))
    end
    return { node = rows.node(C.consul_services_node(handle)), services = services }, meta
end

--- A node and its services: a table of `node` and `services`, and the answer's meta. The error's code
--- is NOT_FOUND when there is no such node.
function Catalog:node(node, options)
    local call, out = begin(self, options, nil, "node", node), rows.services_box()
    local status = C.consul_catalog_node(call.handle, node, call.settings, call.async, out)
    return call:take(status, out, "services", read_node_services)
end

--- The names of all datacenters, the nearest first.
function Catalog:datacenters(options)
    local call, out = begin(self, options), result.strings_box()
    local status = C.consul_catalog_datacenters(call.handle, call.settings, call.async, out)
    return result.take_strings(call, status, out)
end

--- Writes a node, with a service and checks. How it is described: consul_ffi/registration.lua.
function Catalog:register(description, options)
    local call = begin(self, options)
    local native = call:with(spec.open(REGISTRATION, description))
    local status = C.consul_catalog_register(call.handle, native, call.settings, call.async)
    spec.close(REGISTRATION, native)
    return call:done(status)
end

--- Deletes a node, or of it only the service with `service_id` or the check with `check_id`.
function Catalog:deregister(subject, options)
    check.known(check.type(subject, "table", "subject"), SUBJECT, "field")
    if subject.service_id and subject.check_id then
        check.fail("either service_id or check_id, not both")
    end
    local part = subject.service_id and "service" or subject.check_id and "check"
    local id = subject.service_id or subject.check_id
    local call = begin(self, options, nil, "node", subject.node, part and part .. "_id", id)
    if not part then
        return call:done(C.consul_catalog_deregister_node(call.handle, subject.node, call.settings, call.async))
    end
    local deregister = C["consul_catalog_deregister_" .. part]
    return call:done(deregister(call.handle, subject.node, id, call.settings, call.async))
end

return function(client)
    return setmetatable({ client = client }, Catalog)
end
