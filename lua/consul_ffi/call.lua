--- One call into the library, from the checks before it to what it returns.
---
---     local call = begin(self, options, nil, "key", key)
---     return call:done(C.consul_kv_delete(call.handle, key, call.settings, call.async))
---
--- Where the checks have found something, the handle is NULL, so the library does nothing, and what
--- they found is returned in place of its answer.
---
--- The client of `client:on(queue)` makes it an asynchronous call: what it returns is a ticket, and
--- what it would have returned comes with the ticket from the queue.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local options = require("consul_ffi.options")

local codes = errors.codes
local OK, PENDING = codes.OK, codes.PENDING

local Call = {}
Call.__index = Call

--- A call of an object that needs no more than the object's own handle.
local function of(object)
    local queue = object.client.queue
    return setmetatable({
        object = object,
        queue = queue,
        async = queue and queue:async() or nil,
    }, Call)
end

--- Begins a call of an object that has a `client`. `given` is the caller's table of options, `own`
--- holds the names in it that the method reads itself. Up to three texts, each after its name, are
--- checked.
local function begin(object, given, own, name1, text1, name2, text2, name3, text3)
    if type(object) ~= "table" or not object.client then
        check.fail("a method is called with a colon, as in client.kv:get(key)")
    end
    local problem = name1 and errors.for_nul(check.type(text1, "string", name1), name1)
        or name2 and errors.for_nul(check.type(text2, "string", name2), name2)
        or name3 and errors.for_nul(check.type(text3, "string", name3), name3)
    local settings, refused = options.open(given, own)
    problem = problem or refused
    local handle = object.client.handle
    if not problem and not handle then
        problem = errors.new(codes.ERR_CLOSED, "the client was closed")
    end
    local call = of(object)
    call.handle = not problem and handle or nil
    call.settings = settings
    call.problem = problem
    call.what, call.which = name1, text1
    return call
end

--- Takes in what a further check made, or why it refused: `call:with(spec.open(...))`.
function Call:with(value, problem)
    if problem then
        self.handle = nil
        self.problem = self.problem or problem
    end
    return value
end

--- Ends the call: nil when it came to its end, else what is wrong.
function Call:finish(status)
    local problem = self.problem
    if not problem and status ~= OK then
        problem = errors.about(errors.from(status), self.what, self.which)
    end
    options.close(self.settings)
    return problem
end

--- What a call without a result returns: true; false and an error for an honest no; nil and an
--- error for a failure.
local function plain(problem)
    if not problem then
        return true
    elseif problem.code > 0 then
        return false, problem
    end
    return nil, problem
end

--- What frees a result of type `consul_<name>`, by its name.
local frees = setmetatable({}, {
    __index = function(frees, name)
        local free = C["consul_" .. name .. "_free"]
        frees[name] = free
        return free
    end,
})

--- What a call returns whose result, of type `consul_<name>`, is in a box: what
--- `read(handle, problem)` makes of it, after which it is freed; nil and an error when there is none.
--- `problem` is an error that came with a result, such as NOT_FOUND.
local function copied(problem, box, name, read)
    if box[0] == nil then
        return nil, problem
    end
    local free = frees[name]
    -- Should Lua run out of memory while it copies, the collector frees it.
    local handle = ffi.gc(box[0], free)
    local first, second = read(handle, problem)
    free(ffi.gc(handle, nil))
    return first, second
end

--- The same for a result that lives on: `make(handle)` makes an object of it.
local function kept(problem, box, name, make)
    if problem then
        return nil, problem
    end
    return make(ffi.gc(box[0], frees[name]))
end

--- Ends a call with what `finish(problem, box, name, read)` returns, now or later: then it returns a
--- ticket.
function Call:conclude(status, finish, box, name, read)
    if self.queue and status == PENDING and not self.problem then
        options.close(self.settings)
        local ticket = self.queue:expect(self.object, finish, name, read)
        ticket.call.what, ticket.call.which = self.what, self.which
        return ticket
    end
    return finish(self:finish(status), box, name, read)
end

--- Ends a call without a result.
function Call:done(status)
    return self:conclude(status, plain)
end

--- Ends a call with a result of type `consul_<name>` in a box, which is read and freed.
function Call:take(status, box, name, read)
    return self:conclude(status, copied, box, name, read)
end

--- Ends a call with a result of type `consul_<name>` in a box, of which an object is made.
function Call:keep(status, box, name, make)
    return self:conclude(status, kept, box, name, make)
end

return { begin = begin, of = of, plain = plain }
