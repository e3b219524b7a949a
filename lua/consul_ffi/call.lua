--- One call into the library, from the checks before it to what it returns.
---
---     local call = begin(self, options, nil, "key", key)
---     return call:done(C.consul_kv_delete(call.handle, key, call.settings, nil))
---
--- Where the checks have found something, the handle is NULL, so the library does nothing, and what
--- they found is returned in place of its answer.

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local check = require("consul_ffi.check")
local errors = require("consul_ffi.errors")
local options = require("consul_ffi.options")

local codes = errors.codes
local OK = codes.OK

local Call = {}
Call.__index = Call

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
    if not problem and not object.client.handle then
        problem = errors.new(codes.ERR_CLOSED, "the client was closed")
    end
    return setmetatable({
        handle = not problem and object.client.handle or nil,
        settings = settings,
        problem = problem,
    }, Call)
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
        problem = errors.from(status)
    end
    options.close(self.settings)
    return problem
end

--- Ends a call without a result: true; false and an error for an honest no; nil and an error for a
--- failure.
function Call:done(status)
    local problem = self:finish(status)
    if not problem then
        return true
    elseif problem.code > 0 then
        return false, problem
    end
    return nil, problem
end

--- Ends a call with a result in a box: what `read(handle, problem)` makes of it, after which it is
--- freed; nil and an error when there is none. `problem` is an error that came with a result, such
--- as NOT_FOUND.
function Call:take(status, box, free, read)
    local problem = self:finish(status)
    if box[0] == nil then
        return nil, problem
    end
    -- Should Lua run out of memory while it copies, the collector frees it.
    local handle = ffi.gc(box[0], free)
    local first, second = read(handle, problem)
    free(ffi.gc(handle, nil))
    return first, second
end

return begin
