--- A session that the library keeps alive: `client.session:start(description)`.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local begin, plain = require("consul_ffi.call").begin, require("consul_ffi.call").plain
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local session_spec = require("consul_ffi.session_spec")
local shown = require("consul_ffi.shown")
local stats = require("consul_ffi.stats")

local Session = {}
Session.__index = Session

local box = result.box("session")

--- Its id. With `recreate` another one after it was lost and made anew.
function Session:id()
    local id = C.consul_session_id(self.handle)
    if id ~= nil then
        self.last_id = ffi.string(id)
    end
    return self.last_id
end

Session.__tostring = shown("session", Session.id)

--- 1, and one more each time it was recreated.
function Session:generation()
    return tonumber(C.consul_session_generation(self.handle))
end

--- True until Consul says that it is gone, or its deadline has passed. Makes no request.
function Session:is_valid()
    return C.consul_session_is_valid(self.handle)
end

--- How long it is known to live without another renewal: 0 when it is not valid, math.huge when it
--- has no TTL.
function Session:remaining_ms()
    return number.milliseconds(C.consul_session_remaining_ms(self.handle))
end

--- How its renewal is getting on (consul_ffi/stats.lua). Makes no request.
function Session:stats()
    return stats(self.handle, "session")
end

--- Has each loss of the session arrive in this queue from now on, and in no other, by the ticket that is
--- returned; at once where it is lost already. `queue:next` returns the ticket, "lost" and an error
--- that tells why; in the end, when the session is stopped, destroyed or closed, "ended". nil ends that.
function Session:set_queue(queue)
    return losses(self, C.consul_session_set_queue, queue)
end

--- Renews it no more, and leaves it at Consul, where it ends by its TTL.
function Session:stop()
    return errors.answer(C.consul_session_stop(self.handle))
end

--- Destroys it at Consul and says how that went; the locks that it holds are lost. The object is
--- closed: after a failure the library goes on trying in the background.
function Session:destroy(options)
    local call, id = begin(self, options), self:id()
    local status = C.consul_session_destroy(call.handle, id, call.settings, call.async)
    return call:conclude(status, function(problem)
        if not problem and self.handle then
            C.consul_session_stop(self.handle)
        end
        self:close()
        return plain(problem)
    end)
end

--- Ends the object, and in the background the session, unless it was stopped. Harmless when it was
--- closed before.
function Session:close()
    if self.handle then
        C.consul_session_free(ffi.gc(self.handle, nil))
        self.handle = nil
    end
end

--- The description without `recreate`, and that.
local function split(description)
    if description == nil then
        return nil, false
    end
    check.type(description, "table", "session")
    local rest = {}
    for name, value in pairs(description) do
        rest[name] = value
    end
    rest.recreate = nil
    local recreate = description.recreate
    return rest, recreate ~= nil and check.type(recreate, "boolean", "recreate")
end

--- Makes a session and keeps it alive. Its TTL is 15 s unless the description says otherwise; with
--- `recreate = true` a new one takes its place when it is lost.
return function(sessions, description, options)
    local call, out = begin(sessions, options), box()
    local rest, recreate = split(description)
    local spec = call:with(session_spec.open(rest))
    local status = C.consul_session_start(call.handle, spec, recreate, call.settings, call.async, out)
    session_spec.close(spec)
    return call:keep(status, out, "session", function(handle)
        local session = setmetatable({ client = sessions.client, handle = handle }, Session)
        session:id()
        return session
    end)
end
