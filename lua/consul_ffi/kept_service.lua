--- A service that stays registered: `client:service(description, options)`.
---
---     local web = assert(client:service({ name = "web", port = 8080, deregister_after_ms = 600000 }))
---     local ok, err = web:start()      -- on failure the library goes on trying all the same
---     web:set_status("warning", "cache is cold")
---     web:close()                      -- deregisters it
---
--- The description is that of a service (consul_ffi/service_spec.lua), and of its heartbeat: `ttl_ms`
--- (15000; 0 for none), `status` and `note` at first, `must_pat` for one that turns critical unless
--- the program calls `pat` at least once a TTL, and `deregister_after_ms`, after which the agent
--- removes what a killed program leaves behind. Options: `token`, `namespace`, `partition`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local SERVICE = require("consul_ffi.service_spec")
local calls = require("consul_ffi.call")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local result = require("consul_ffi.result")
local shown = require("consul_ffi.shown")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local codes = errors.codes
local begin, of = calls.begin, calls.of
local box = result.box("kept_service")

local KIND = spec.kind({
    type = "kept_service_spec",
    setters = {
        ttl_ms = spec.number,
        must_pat = spec.flag,
        status = spec.text,
        note = spec.text,
        deregister_after_ms = spec.number,
    },
})

local Service = {}
Service.__index = Service
Service.__tostring = shown("service", function(service)
    return service.name
end)

--- The parts of a description: of the service, and of how it is kept.
local function split(description)
    check.type(description, "table", "service")
    local service, kept = {}, {}
    for name, value in pairs(description) do
        local part = KIND.setters[name] and kept or service
        part[name] = value
    end
    return service, kept
end

--- Makes a service to keep registered. Sends nothing.
local function new(client, description, options)
    local call, out = begin(client, options), box()
    local service, kept = split(description)
    local native = call:with(spec.open(SERVICE, service))
    local wanted = native and call:with(spec.open(KIND, kept, native))
    spec.close(SERVICE, native)
    local status = codes.OK
    if wanted and call.settings then
        status = C.consul_kept_service_spec_set_options(wanted, call.settings)
    end
    if status == codes.OK then
        status = C.consul_kept_service_new(call.handle, wanted, out)
    end
    spec.close(KIND, wanted)
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    return setmetatable({
        client = client,
        handle = ffi.gc(out[0], C.consul_kept_service_free),
        name = description.id or description.name,
    }, Service)
end

local function check_self(service)
    if type(service) ~= "table" or not service.client then
        check.fail("a method is called with a colon, as in service:start()")
    end
    return service.handle
end

--- An optional text, or nil and an error for a NUL in it.
local function text(value, name)
    return value ~= nil and errors.for_nul(check.type(value, "string", name), name) or nil
end

--- Registers it, and keeps it registered from then on. An error says how the first try went: the
--- library goes on trying all the same.
function Service:start()
    local handle, call = check_self(self), of(self)
    return call:done(C.consul_kept_service_start(handle, call.async))
end

--- Lets it alone: it stays registered, and its heartbeat ends.
function Service:stop()
    return errors.answer(C.consul_kept_service_stop(check_self(self)))
end

--- Says how the program is from now on: "passing", "warning" or "critical". Returns at once. A note
--- that changes wakes all who watch the service.
function Service:set_status(status, note)
    local handle = check_self(self)
    local problem = text(check.type(status, "string", "status"), "status") or text(note, "note")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_kept_service_set_status(handle, status, note))
end

--- Says that the program is as it said last; with `must_pat` at least once a TTL.
function Service:pat()
    return errors.answer(C.consul_kept_service_pat(check_self(self)))
end

--- What the program said last, or "critical" when it must pat and was silent; nil once it is closed.
function Service:status()
    local word = C.consul_kept_service_status(check_self(self))
    return word ~= nil and ffi.string(word) or nil
end

--- Changes what is registered; nothing is sent when it is the same. Returns at once.
function Service:update(description)
    local handle = check_self(self)
    local native, problem = spec.open(SERVICE, description)
    if not native then
        return nil, problem
    end
    local done, refused = errors.answer(C.consul_kept_service_set_spec(handle, native))
    spec.close(SERVICE, native)
    return done, refused
end

--- Registers it anew with this token, and uses it from then on; nil for the client's.
function Service:set_token(token)
    local handle, problem = check_self(self), text(token, "token")
    if problem then
        return nil, problem
    end
    return errors.answer(C.consul_kept_service_set_token(handle, token))
end

--- Puts it into maintenance, or ends that. An agent that loses it gets it back in maintenance.
function Service:maintenance(enable, reason)
    local handle, problem = check_self(self), text(reason, "reason")
    check.type(enable, "boolean", "enable")
    if problem then
        return nil, problem
    end
    local call = of(self)
    return call:done(C.consul_kept_service_maintenance(handle, enable, reason, call.async))
end

--- The id that it is registered by; nil once it is closed.
function Service:id()
    local id = C.consul_kept_service_id(check_self(self))
    return id ~= nil and ffi.string(id) or nil
end

--- The id of the TTL check that the library reports on; nil once it is closed.
function Service:check_id()
    local id = C.consul_kept_service_check_id(check_self(self))
    return id ~= nil and ffi.string(id) or nil
end

--- Whether the agent is known to have it. Makes no request.
function Service:is_registered()
    return C.consul_kept_service_is_registered(check_self(self))
end

--- How often it was written to an agent: 1 after the start, more when it was lost or changed.
function Service:registrations()
    return tonumber(C.consul_kept_service_registrations(check_self(self)))
end

--- How it is getting on (consul_ffi/stats.lua). Makes no request.
function Service:stats()
    return stats(check_self(self), "kept_service")
end

--- The same service, whose calls arrive in this queue.
function Service:on(queue)
    check_self(self)
    return setmetatable({
        client = self.client:on(queue),
        handle = self.handle,
        name = self.name,
        service = self,
    }, Service)
end

--- Deregisters it, also when it was stopped, and ends the object. nil and an error when that failed:
--- the library goes on trying in the background. Harmless when it was closed before.
function Service:close()
    local handle = check_self(self)
    if not handle then
        return true
    end
    self.handle = nil
    local call = of(self)
    return call:conclude(C.consul_kept_service_close(handle, call.async), function(problem)
        C.consul_kept_service_free(ffi.gc(handle, nil))
        return calls.plain(problem)
    end)
end

return new
