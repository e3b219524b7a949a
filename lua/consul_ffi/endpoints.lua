--- The addresses of a client: how they are getting on, and when that changes.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local result = require("consul_ffi.result")
local stats = require("consul_ffi.stats")

local codes = errors.codes
local changes_box = result.box("endpoint_changes")

local STATES = {
    [C.CONSUL_ENDPOINT_UP] = "up",
    [C.CONSUL_ENDPOINT_NO_LEADER] = "no leader",
    [C.CONSUL_ENDPOINT_DOWN] = "down",
}

local endpoints = {}

--- The list of `client:endpoints()`.
function endpoints.list(handle)
    local list = {}
    for position = 0, tonumber(C.consul_client_endpoint_count(handle)) - 1 do
        local row, problem = stats(handle, "client_endpoint", position)
        if not row then
            return nil, problem
        end
        list[#list + 1] = row
    end
    return list
end

local function read_change(row)
    local reason = row.reason
    return {
        address = ffi.string(row.address, row.address_len),
        state = STATES[row.condition],
        state_before = STATES[row.condition_before],
        is_in_use = row.is_in_use,
        was_in_use = row.was_in_use,
        changes = row.changes,
        reason = reason.status ~= codes.OK and errors.of(reason.status, reason) or nil,
    }
end

local function read(handle)
    local changes, list = ffi.gc(handle, C.consul_endpoint_changes_free), {}
    for index = 0, tonumber(C.consul_endpoint_changes_count(changes)) - 1 do
        list[index + 1] = read_change(C.consul_endpoint_changes_at(changes, index))
    end
    C.consul_endpoint_changes_free(ffi.gc(changes, nil))
    return list
end

--- What an event of the queue says: whether it is the last one, and what is to be told.
local function hear(_, event)
    if C.consul_event_type(event) == C.CONSUL_EVENT_ENDPOINT_CHANGED then
        local out = changes_box()
        local taken = C.consul_event_take_endpoint_changes(event, out) == codes.OK
        return false, "changed", taken and read(out[0]) or {}
    end
    local status = C.consul_event_status(event)
    return true, "ended", errors.of(status, C.consul_event_error(event))
end

--- The ticket of `client:set_endpoint_queue(queue)`.
function endpoints.follow(client, queue)
    return losses(client, C.consul_client_set_endpoint_queue, queue, hear)
end

return endpoints
