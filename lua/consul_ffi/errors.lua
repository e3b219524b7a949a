--- Errors as values: `nil, err`, with everything a program decides by.
---
--- err.code             one of the numbers in `errors.codes`: above 0 an honest answer (NOT_FOUND,
---                      CONFLICT, HELD, NO_CHANGE), below 0 an error
--- err.name             its name, such as "ERR_TIMEOUT"
--- err.message          one line for people, without secrets
--- err.http_status      the HTTP status that came with it, 0 where there was none
--- err.retryable        the same call may succeed later
--- err.outcome_unknown  a change was sent and may have been applied, now or within minutes
--- err.endpoint         the address of the agent it concerns, "" where there is none

local ffi = require("ffi")
local C = require("consul_ffi.loader")
local declarations = require("consul_ffi.cdef").declarations

local errors = {}

local Error = {}
Error.__index = Error

function Error:__tostring()
    return self.name .. ": " .. self.message
end

function Error.__concat(left, right)
    return tostring(left) .. tostring(right)
end

local function name_of(code)
    return (ffi.string(C.consul_status_name(code)):gsub("^CONSUL_", ""))
end

--- Every code by its name without the `CONSUL_` prefix.
errors.codes = {}
for name, code in declarations:gmatch("CONSUL_([%u_]+) = (%-?%d+);") do
    code = tonumber(code)
    if name_of(code) == name then
        errors.codes[name] = code
    end
end

--- An error found on this side; nothing was sent.
function errors.new(code, message)
    return setmetatable({
        code = code,
        name = name_of(code),
        message = message,
        http_status = 0,
        retryable = false,
        outcome_unknown = false,
        endpoint = "",
    }, Error)
end

--- An error for a text with a NUL, where C would cut it; nil for any other text.
function errors.for_nul(text, name)
    local position = text:find("\0", 1, true)
    if position then
        local message = ("%s has a NUL at byte %d, which Consul cannot hold"):format(name, position)
        return errors.new(errors.codes.ERR_ARGUMENT, message)
    end
end

--- The error behind a status that a call has just returned.
function errors.from(status)
    if status > 0 then
        return errors.new(status, ffi.string(C.consul_status_message(status)))
    end
    return errors.of(status, C.consul_last_error())
end

--- What a program knows by other words than C.
local CALLED = { view = "watch", kept_service = "service" }

--- What is wrong with a handle, in a program's words: an object that was closed has none any more, and
--- the same one of another queue has a freed one.
local function of_handle(message)
    local kind = message:match("^expected a consul_([%l_]+) handle, got NULL$")
        or message:match("^expected a consul_([%l_]+) handle, got one that was freed already$")
    return kind and ("the %s was closed"):format(CALLED[kind] or kind:gsub("_", " ")) or message
end

--- The error of a status and the library's row about it.
function errors.of(status, row)
    if status > 0 then
        return errors.new(status, ffi.string(C.consul_status_message(status)))
    end
    local message = ffi.string(row.message, row.message_len)
    if status == errors.codes.ERR_HANDLE then
        message = of_handle(message)
    end
    local endpoint = ffi.string(row.endpoint, row.endpoint_len)
    return setmetatable({
        code = status,
        name = name_of(status),
        message = message,
        http_status = row.http_status,
        retryable = row.retryable,
        outcome_unknown = row.outcome_unknown,
        endpoint = endpoint,
    }, Error)
end

--- The same error, whose message says of what an honest no is: `key "app/limit": ...`. Those of
--- failures tell the request.
function errors.about(problem, name, text)
    if name and problem.code > 0 then
        problem.message = ('%s "%s": %s'):format(name, text, problem.message)
    end
    return problem
end

--- What a call without a result returns: true; false and an error for an honest no; nil and an error
--- for a failure.
function errors.answer(status)
    if status == errors.codes.OK then
        return true
    elseif status > 0 then
        return false, errors.from(status)
    end
    return nil, errors.from(status)
end

return errors
