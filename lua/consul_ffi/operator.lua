--- What operators do: the servers of Raft, autopilot, the gossip keys. `client.operator`.
---
--- What is Consul's own JSON comes and goes as a table with Consul's names, such as
--- `config.CleanupDeadServers`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local document = require("consul_ffi.document")
local result = require("consul_ffi.result")

local SUBJECT = { id = true, address = true }

local Operator = {}
Operator.__index = Operator

local peers_box = result.box("raft_peers")

local take_peers = result.list("raft_peers", function(row)
    return {
        id = ffi.string(row.id, row.id_len),
        node = ffi.string(row.node, row.node_len),
        address = ffi.string(row.address, row.address_len),
        protocol_version = ffi.string(row.protocol_version, row.protocol_version_len),
        is_leader = row.is_leader,
        is_voter = row.is_voter,
    }
end, true)

--- The servers of Raft, those among them that are gone included.
function Operator:raft_peers(options)
    local call, out = begin(self, options), peers_box()
    local status = C.consul_operator_raft_peers(call.handle, call.settings, call.async, out)
    return take_peers(call, status, out)
end

--- Removes a server that is gone for good from Raft: the one with this `id`, or at this `address`.
function Operator:raft_peer_remove(subject, options)
    check.known(check.type(subject, "table", "subject"), SUBJECT, "field")
    if (subject.id == nil) == (subject.address == nil) then
        check.fail("either id or address")
    end
    local name = subject.id ~= nil and "id" or "address"
    local call = begin(self, options, nil, name, subject[name])
    local remove = subject.id ~= nil and C.consul_operator_raft_peer_remove
        or C.consul_operator_raft_address_remove
    return call:done(remove(call.handle, subject[name], call.settings, call.async))
end

local function read(self, options, c_name)
    local call, out = begin(self, options), result.text_box()
    return document.take(call, C[c_name](call.handle, call.settings, call.async, out), out)
end

--- How the cluster is: `leader` and `peers`, `healthy` and `failure_tolerance`, `servers` as Raft and
--- autopilot have them, `endpoints` as this client has seen them. A part that could not be had is in
--- `missing` with the reason, and the others are there all the same.
function Operator:cluster_report(options)
    return read(self, options, "consul_operator_cluster_report")
end

--- How autopilot is configured.
function Operator:autopilot_config(options)
    return read(self, options, "consul_operator_autopilot_config")
end

--- Replaces autopilot's configuration, of which what is not in the table becomes zero or false.
function Operator:autopilot_config_set(config, options)
    local call, text = begin(self, options), document.text(config, "config")
    return call:done(C.consul_operator_autopilot_config_set(call.handle, text, call.settings, call.async))
end

--- As `autopilot_config_set`, if its `ModifyIndex` is still this one. False and CONFLICT when it is not.
function Operator:autopilot_config_cas(config, modify_index, options)
    local call, text = begin(self, options), document.text(config, "config")
    local expected = check.uint64(modify_index, "modify_index")
    local set = C.consul_operator_autopilot_config_cas
    return call:done(set(call.handle, text, expected, call.settings, call.async))
end

--- How the servers are in the eyes of autopilot. That they are not healthy is an answer, too.
function Operator:autopilot_health(options)
    return read(self, options, "consul_operator_autopilot_health")
end

--- The whole state of autopilot. The error's code is ERR_UNSUPPORTED before Consul 1.9.
function Operator:autopilot_state(options)
    return read(self, options, "consul_operator_autopilot_state")
end

--- The keys of all gossip pools, a table for each; `Keys` has how many members know each key.
function Operator:keyring(options)
    return read(self, options, "consul_operator_keyring_list")
end

local function change(self, key, options, c_name)
    local call = begin(self, options, nil, "key", key)
    return call:done(C[c_name](call.handle, key, call.settings, call.async))
end

--- Gives a new key, 16, 24 or 32 bytes in base64, to all members; it is used once `keyring_use` says so.
function Operator:keyring_install(key, options)
    return change(self, key, options, "consul_operator_keyring_install")
end

--- Makes all members encrypt gossip with a key that they have.
function Operator:keyring_use(key, options)
    return change(self, key, options, "consul_operator_keyring_use")
end

--- Takes a key that is not in use from all members.
function Operator:keyring_remove(key, options)
    return change(self, key, options, "consul_operator_keyring_remove")
end

return function(client)
    return setmetatable({ client = client }, Operator)
end
