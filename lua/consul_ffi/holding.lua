--- What locks and semaphores have alike: `holding.class("lock")` is the class of one of them.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local of, plain = require("consul_ffi.call").of, require("consul_ffi.call").plain
local check = require("consul_ffi.check")
local declarations = require("consul_ffi.cdef").declarations
local errors = require("consul_ffi.errors")
local losses = require("consul_ffi.losses")
local number = require("consul_ffi.number")
local result = require("consul_ffi.result")
local session_spec = require("consul_ffi.session_spec")
local shown = require("consul_ffi.shown")
local spec = require("consul_ffi.spec")
local stats = require("consul_ffi.stats")

local codes = errors.codes
local FOR_EVER = 0xffffffffffffffffULL

local LOST = {}
for name, value in declarations:gmatch("CONSUL_LOST_([%u_]+) = (%d+);") do
    LOST[tonumber(value)] = name:lower()
end

local holding = {}

local function set_own_session(handle, description, c_name)
    local own, problem = session_spec.open(description)
    if not own then
        return nil, problem
    end
    local status = C[c_name .. "_spec"](handle, own)
    session_spec.close(own)
    return status
end

--- The setter of the session to hold it with: an id, a session object, or the description of its own.
function holding.set_session(handle, session, name, c_name)
    if type(session) == "string" then
        return spec.text(handle, session, name, c_name .. "_id")
    elseif type(session) == "table" and session.is_valid then
        return C[c_name](handle, session.handle)
    elseif type(session) == "table" then
        return set_own_session(handle, session, c_name)
    end
    check.fail("session must be an id, a session object or a description, not %s", check.kind(session))
end

--- Makes an object of a class from its description, for a call that has begun. Sends nothing.
function holding.make(class, call, kind, description)
    local functions, out = class.functions, class.box()
    local native = call:with(spec.open(kind, description))
    local status = codes.OK
    if call.settings then
        status = C[kind.c_name .. "_set_options"](native, call.settings)
    end
    if status == codes.OK then
        status = C[functions.new](call.handle, native, out)
    end
    spec.close(kind, native)
    local problem = call:finish(status)
    if problem then
        return nil, problem
    end
    return setmetatable({
        client = call.object,
        handle = ffi.gc(out[0], C[functions.free]),
        name = description.key or description.prefix,
        -- A session object that is collected destroys its session.
        session = description.session,
    }, class)
end

--- The class of what the library calls `consul_<name>`.
function holding.class(name)
    --- The names of the library's functions, by their verbs.
    local functions = setmetatable({}, {
        __index = function(functions, verb)
            functions[verb] = "consul_" .. name .. "_" .. verb
            return rawget(functions, verb)
        end,
    })
    local Class = { functions = functions, box = result.box(name) }
    Class.__index = Class
    Class.__tostring = shown(name, function(object)
        return object.name
    end)

    local function check_self(object)
        if type(object) ~= "table" or not object.client then
            check.fail("a method is called with a colon, as in %s:acquire(5000)", name)
        end
        return object.handle
    end
    Class.check_self = check_self

    --- Acquires it, waiting so many milliseconds at most; without a number, for ever. False and an error
    --- with the code HELD when others held it, or its lock-delay lasted, until then.
    function Class:acquire(timeout_ms)
        local handle = check_self(self)
        local limit = FOR_EVER
        if timeout_ms ~= nil and timeout_ms ~= math.huge then
            limit = check.uint64(timeout_ms, "timeout_ms")
        end
        local call = of(self)
        return call:done(C[functions.acquire](handle, limit, call.async))
    end

    --- Acquires it if that needs no waiting.
    function Class:try_acquire()
        local handle, call = check_self(self), of(self)
        return call:done(C[functions.try_acquire](handle, call.async))
    end

    --- Releases it. The error's code is ERR_NOT_HELD when it was not held, ERR_LOCK_LOST when it was lost
    --- before.
    function Class:release()
        local handle, call = check_self(self), of(self)
        return call:done(C[functions.release](handle, call.async))
    end

    --- Ends acquire and wait_lost of other threads with ERR_CANCELLED; what is held stays held.
    function Class:stop()
        return errors.answer(C[functions.stop](check_self(self)))
    end

    --- Deletes what stands at Consul if nobody holds it. False and HELD when somebody does.
    function Class:destroy()
        local handle, call = check_self(self), of(self)
        return call:done(C[functions.destroy](handle, call.async))
    end

    --- True while it is held, judged by the clock at this moment. Makes no request.
    function Class:is_held()
        return C[functions.is_held](check_self(self))
    end

    --- How long it is known to be held if nothing is heard of Consul from now on: 0 when it is not held,
    --- math.huge when its session has no TTL.
    function Class:remaining_ms()
        return number.milliseconds(C[functions.remaining_ms](check_self(self)))
    end

    --- Why it was lost: "session_invalid", "key_deleted", "key_taken", "key_released", "deadline" or
    --- "closed"; nil when it was not.
    function Class:lost_reason()
        local reason = C[functions.lost_reason](check_self(self))
        return reason ~= C.CONSUL_LOST_NONE and (LOST[reason] or "unknown") or nil
    end

    --- How it is getting on to see that it is still held (consul_ffi/stats.lua). Makes no request.
    function Class:stats()
        return stats(check_self(self), name)
    end

    --- The id of the session that holds it; nil when it is not held.
    function Class:session_id()
        local out = result.text_box()
        if C[functions.session_id](check_self(self), out) == codes.OK then
            return result.copy_text(out)
        end
    end

    --- Waits until it is lost, and returns the reason. False and an error with the code NO_CHANGE when it
    --- is still held after so many milliseconds; without a number it waits for ever.
    function Class:wait_lost(timeout_ms)
        local handle, call = check_self(self), of(self)
        local status = C[functions.wait_lost_async](handle, check.patience(timeout_ms), call.async)
        return call:conclude(status, function(problem)
            if problem and problem.code == codes.ERR_LOCK_LOST then
                return self:lost_reason()
            end
            return plain(problem)
        end)
    end

    --- Has each loss arrive in this queue from now on, and in no other, by the ticket that is returned; at
    --- once where it is lost already. `queue:next` returns the ticket, "lost" and an error that tells why;
    --- in the end, when it or its client is closed, "ended". A release is no loss. nil ends that.
    function Class:set_queue(queue)
        check_self(self)
        return losses(self, C[functions.set_queue], queue)
    end

    --- The same one, whose calls arrive in this queue.
    function Class:on(queue)
        check_self(self)
        local client = self.client:on(queue)
        return setmetatable({
            client = client,
            handle = self.handle,
            name = self.name,
            original = self,
        }, Class)
    end

    --- Ends the object: what is held is released in the background. Harmless when it was closed before.
    function Class:close()
        local handle = check_self(self)
        if handle then
            C[functions.free](ffi.gc(handle, nil))
            self.handle = nil
        end
    end

    return Class
end

return holding
