--- The agent that the client talks to, and what is registered there: `client.agent`.
---
--- How a service and a check are described: consul_ffi/service_spec.lua, consul_ffi/check_spec.lua.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local CHECK = require("consul_ffi.check_spec")
local SERVICE = require("consul_ffi.service_spec")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local result = require("consul_ffi.result")
local rows = require("consul_ffi.rows")
local spec = require("consul_ffi.spec")

local WAN = { wan = true }
local PRUNE = { prune = true }
local CONTENT_HASH = { content_hash = true }

local Agent = {}
Agent.__index = Agent

local info_box = result.box("agent_info")
local members_box = result.box("members")

local function read_member(row)
    return {
        name = ffi.string(row.name, row.name_len),
        address = ffi.string(row.address, row.address_len),
        port = row.port,
        status = ffi.string(row.status_name, row.status_name_len),
        tags = result.map(row.tag_keys, row.tag_values, row.tag_count),
        is_server = row.is_server,
    }
end

local take_members = result.list("members", read_member, true)

local function read_info(handle)
    local row = C.consul_agent_info_row(handle)
    return {
        node_name = ffi.string(row.node_name, row.node_name_len),
        node_id = ffi.string(row.node_id, row.node_id_len),
        datacenter = ffi.string(row.datacenter, row.datacenter_len),
        version = ffi.string(row.version, row.version_len),
        is_server = row.is_server,
        json = ffi.string(row.json, row.json_len),
    }
end

local function register(self, kind, description, options, c_name)
    local call = begin(self, options)
    local native = call:with(spec.open(kind, description))
    local status = C[c_name](call.handle, native, call.settings, call.async)
    spec.close(kind, native)
    return call:done(status)
end

local function with_text(self, name, text, options, c_name)
    local call = begin(self, options, nil, name, text)
    return call:done(C[c_name](call.handle, text, call.settings, call.async))
end

--- Registers a service, with its checks, or replaces the one of the same id.
function Agent:service_register(description, options)
    return register(self, SERVICE, description, options, "consul_agent_service_register")
end

--- Removes a service with its checks.
function Agent:service_deregister(id, options)
    return with_text(self, "id", id, options, "consul_agent_service_deregister")
end

--- Registers a check of its own.
function Agent:check_register(description, options)
    return register(self, CHECK, description, options, "consul_agent_check_register")
end

--- Removes a check.
function Agent:check_deregister(id, options)
    return with_text(self, "id", id, options, "consul_agent_check_deregister")
end

local function report(self, id, note, options, c_name)
    local call = begin(self, options, nil, "id", id, note and "note", note)
    return call:done(C[c_name](call.handle, id, note, call.settings, call.async))
end

--- Reports that the subject of a TTL check is well. The note is optional; one that changes wakes all
--- who watch.
function Agent:check_pass(id, note, options)
    return report(self, id, note, options, "consul_agent_check_pass")
end

--- As `check_pass`: the check is in the state "warning" from now on.
function Agent:check_warn(id, note, options)
    return report(self, id, note, options, "consul_agent_check_warn")
end

--- As `check_pass`: the check is in the state "critical" from now on.
function Agent:check_fail(id, note, options)
    return report(self, id, note, options, "consul_agent_check_fail")
end

--- Sets a TTL check to "passing", "warning" or "critical" with an output.
function Agent:check_update(id, status, output, options)
    local call = begin(self, options, nil, "id", id, "status", status, output and "output", output)
    return call:done(C.consul_agent_check_update(call.handle, id, status, output, call.settings, call.async))
end

--- Puts the agent's node into maintenance, or takes it out.
function Agent:maintenance(enable, reason, options)
    local call = begin(self, options, nil, reason and "reason", reason)
    check.type(enable, "boolean", "enable")
    return call:done(C.consul_agent_maintenance(call.handle, enable, reason, call.settings, call.async))
end

--- Puts a service into maintenance, or takes it out. The error's code is NOT_FOUND when there is no
--- such service.
function Agent:service_maintenance(id, enable, reason, options)
    local call = begin(self, options, nil, "id", id, reason and "reason", reason)
    check.type(enable, "boolean", "enable")
    return call:done(
        C.consul_agent_service_maintenance(call.handle, id, enable, reason, call.settings, call.async)
    )
end

--- What the agent says of itself: `node_name`, `node_id`, `datacenter`, `version`, `is_server`, and all
--- of it as `json`.
function Agent:self(options)
    local call, out = begin(self, options), info_box()
    local status = C.consul_agent_self(call.handle, call.settings, call.async, out)
    return call:take(status, out, "agent_info", read_info)
end

local function switch(options, name)
    local value = options and options[name]
    return value ~= nil and check.type(value, "boolean", name)
end

--- Makes the agent join the cluster of the agent at this address; the pool that joins the datacenters
--- with `options.wan = true`.
function Agent:join(address, options)
    local call, wan = begin(self, options, WAN, "address", address), switch(options, "wan")
    return call:done(C.consul_agent_join(call.handle, address, wan, call.settings, call.async))
end

--- Makes the agent leave the cluster in order, and end.
function Agent:leave(options)
    local call = begin(self, options)
    return call:done(C.consul_agent_leave(call.handle, call.settings, call.async))
end

--- Takes a node that has failed for one that has left; with `options.prune = true` it is removed from
--- the list of members, too.
function Agent:force_leave(node, options)
    local call, prune = begin(self, options, PRUNE, "node", node), switch(options, "prune")
    return call:done(C.consul_agent_force_leave(call.handle, node, prune, call.settings, call.async))
end

--- The members of the gossip pool that this agent sees; of the pool between datacenters with
--- `options.wan = true`.
function Agent:members(options)
    local call, out = begin(self, options, WAN), members_box()
    local wan = switch(options, "wan")
    return take_members(call, C.consul_agent_members(call.handle, wan, call.settings, call.async, out), out)
end

--- The services that are registered on this agent.
function Agent:services(options)
    local call, out = begin(self, options), rows.services_box()
    return rows.take_services(call, C.consul_agent_services(call.handle, call.settings, call.async, out), out)
end

--- One service of this agent. With `options.content_hash` of an earlier answer it waits for a change.
function Agent:service(id, options)
    local hash = options and options.content_hash
    local call = begin(self, options, CONTENT_HASH, "id", id, hash and "content_hash", hash)
    local out = rows.services_box()
    local status = C.consul_agent_service(call.handle, id, hash, call.settings, call.async, out)
    return rows.take_service(call, status, out)
end

--- The checks that are registered on this agent.
function Agent:checks(options)
    local call, out = begin(self, options), rows.checks_box()
    return rows.take_checks(call, C.consul_agent_checks(call.handle, call.settings, call.async, out), out)
end

--- One service of this agent with its checks and its `status`.
function Agent:service_health(id, options)
    local call, out = begin(self, options, nil, "id", id), rows.entries_box()
    local status = C.consul_agent_service_health(call.handle, id, call.settings, call.async, out)
    return rows.take_entry(call, status, out)
end

--- The instances of a service on this agent with their checks and `status`.
function Agent:services_health(name, options)
    local call, out = begin(self, options, nil, "name", name), rows.entries_box()
    local status = C.consul_agent_services_health(call.handle, name, call.settings, call.async, out)
    return rows.take_entries(call, status, out)
end

return function(client)
    return setmetatable({ client = client }, Agent)
end
