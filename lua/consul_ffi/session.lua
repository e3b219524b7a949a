--- Sessions: `client.session`. How one is described: consul_ffi/session_spec.lua.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local start = require("consul_ffi.kept_session")
local result = require("consul_ffi.result")
local session_id = require("consul_ffi.session_id")
local session_spec = require("consul_ffi.session_spec")

local Sessions = {}
Sessions.__index = Sessions

local box = result.box("sessions")

local function read_service_checks(row)
    local ids = result.texts(row.service_checks, row.service_check_count)
    local namespaces = result.texts(row.service_check_namespaces, row.service_check_count)
    local checks = {}
    for position, id in ipairs(ids) do
        checks[position] = { id = id, namespace = namespaces[position] }
    end
    return checks
end

local function read_session(row)
    return {
        id = ffi.string(row.id, row.id_len),
        name = ffi.string(row.name, row.name_len),
        node = ffi.string(row.node, row.node_len),
        namespace = result.optional(row.namespace_name, row.namespace_name_len),
        partition = result.optional(row.partition, row.partition_len),
        node_checks = result.texts(row.node_checks, row.node_check_count),
        service_checks = read_service_checks(row),
        ttl_ms = tonumber(row.ttl_ms),
        lock_delay_ms = tonumber(row.lock_delay_ms),
        behavior = session_spec.behavior_name(row.behavior),
        create_index = row.create_index,
        modify_index = row.modify_index,
    }
end

local take_list = result.list("sessions", read_session)

local take_one = result.only("sessions", read_session)

--- Makes a session and returns its id; nobody renews it but its maker. Without a description it has
--- Consul's defaults.
function Sessions:create(description, options)
    local call, out = begin(self, options), result.text_box()
    local spec = call:with(session_spec.open(description))
    local status = C.consul_session_create(call.handle, spec, call.settings, call.async, out)
    session_spec.close(spec)
    return result.take_text(call, status, out)
end

--- Makes a session that the library keeps alive and returns an object for it.
Sessions.start = start

--- Starts the TTL of a session anew and returns the session. The error's code is ERR_SESSION_INVALID
--- when it does not exist any more.
function Sessions:renew(session, options)
    local id = session_id(session)
    local call, out = begin(self, options, nil, "session", id), box()
    return take_one(call, C.consul_session_renew(call.handle, id, call.settings, call.async, out), out)
end

--- Ends a session: its keys are released or deleted, as its behavior says. True also when it did not
--- exist.
function Sessions:destroy(session, options)
    local id = session_id(session)
    local call = begin(self, options, nil, "session", id)
    return call:done(C.consul_session_destroy(call.handle, id, call.settings, call.async))
end

--- Reads a session and the answer's meta. The error's code is NOT_FOUND when it does not exist.
function Sessions:info(session, options)
    local id = session_id(session)
    local call, out = begin(self, options, nil, "session", id), box()
    return take_one(call, C.consul_session_info(call.handle, id, call.settings, call.async, out), out)
end

--- Reads the sessions of a node: a list, and the answer's meta.
function Sessions:node(node, options)
    local call, out = begin(self, options, nil, "node", node), box()
    return take_list(call, C.consul_session_node(call.handle, node, call.settings, call.async, out), out)
end

--- Reads all sessions: a list, and the answer's meta.
function Sessions:list(options)
    local call, out = begin(self, options), box()
    return take_list(call, C.consul_session_list(call.handle, call.settings, call.async, out), out)
end

return function(client)
    return setmetatable({ client = client }, Sessions)
end
