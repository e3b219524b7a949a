--- User events, which agents pass on by gossip: `client.event`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")
local rows = require("consul_ffi.rows")

--- Whom an event is meant for.
local FILTERS = { node = true, service = true, tag = true }

local UserEvents = {}
UserEvents.__index = UserEvents

local events_box = result.box("user_events")
local take_events = result.list("user_events", rows.user_event)
local take_event = result.only("user_events", rows.user_event)

--- One of the filters in the options.
local function filter(call, options, name)
    local text = options and options[name]
    if text ~= nil then
        call:with(nil, errors.for_nul(check.type(text, "string", name), name))
    end
    return text
end

--- Fires an event, with a string of some 400 bytes at most if it is to carry one; returns it with its
--- `id`, and the answer's meta. Regular expressions in the options say whom it is meant for: `node` (its
--- name), `service` (the id of a service there), `tag` (one of that service's); everybody otherwise. The
--- error's code is ERR_TOO_LARGE when Consul does not take so much.
function UserEvents:fire(name, payload, options)
    payload = check.type(payload == nil and "" or payload, "string", "payload")
    local call, out = begin(self, options, FILTERS, "name", name), events_box()
    local status = C.consul_user_event_fire(
        call.handle, name, ffi.cast("const uint8_t *", payload), #payload,
        filter(call, options, "node"), filter(call, options, "service"), filter(call, options, "tag"),
        call.settings, call.async, out
    )
    return take_event(call, status, out)
end

--- The last events that the agent has heard of, at most 256, the oldest first, and the answer's meta;
--- with a name those of this name.
function UserEvents:list(name, options)
    local call, out = begin(self, options, nil, name ~= nil and "name", name), events_box()
    local status = C.consul_user_event_list(call.handle, name, call.settings, call.async, out)
    return take_events(call, status, out)
end

return function(client)
    return setmetatable({ client = client }, UserEvents)
end
