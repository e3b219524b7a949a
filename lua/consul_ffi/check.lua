--- Arguments: what is a mistake in the program raises an error at the line that made the call.

local encode = require("consul_ffi.json.encode")
local number = require("consul_ffi.number")

local check = {}

local here = (debug.getinfo(1, "S").source:gsub("check%.lua$", ""))
local entry = here:gsub("[/\\]$", "") .. ".lua"

--- The level of the first caller that is not part of this library, as `error` counts levels
--- inside `fail`.
local function level_of_program()
    for level = 3, 100 do
        local frame = debug.getinfo(level, "S")
        if not frame then
            return 0
        end
        local ours = frame.source == entry or frame.source:sub(1, #here) == here
        if not ours then
            return level - 1
        end
    end
    return 0
end

--- Raises an error that points to the program's line.
function check.fail(message, ...)
    if select("#", ...) > 0 then
        message = message:format(...)
    end
    error("consul_ffi: " .. message, level_of_program())
end

--- A value's type, as messages name it.
function check.kind(value)
    if value == nil then
        return "nothing"
    end
    return "a " .. type(value)
end

--- A value as messages show it.
function check.shown(value)
    if type(value) == "number" or type(value) == "boolean" then
        return tostring(value)
    end
    return check.kind(value)
end

--- Raises an error unless the value has this Lua type.
function check.type(value, expected, name)
    if type(value) ~= expected then
        check.fail("%s must be a %s, not %s", name, expected, check.kind(value))
    end
    return value
end

--- A number without loss as uint64_t cdata: a whole Lua number up to 2^53, a 64-bit cdata number or
--- a decimal string.
function check.uint64(value, name)
    local exact, problem = number.uint64(value)
    if not exact then
        check.fail("%s %s", name, problem)
    end
    return exact
end

--- A whole number that 32 bits hold, such as a port.
function check.uint32(value, name)
    local exact = check.uint64(value, name)
    if exact > 0xffffffffULL then
        check.fail("%s must be below 2^32, not %s", name, number.decimal(exact))
    end
    return tonumber(exact)
end

--- As `check.uint64`, with a value for nil.
function check.optional_uint64(value, name, default)
    if value == nil then
        return default
    end
    return check.uint64(value, name)
end

--- How long to wait, in milliseconds, as the library takes it: nil is for ever.
function check.patience(timeout_ms)
    return timeout_ms == nil and -1 or tonumber(check.uint64(timeout_ms, "timeout_ms"))
end

--- The JSON of a table.
function check.json(value, name)
    local ok, text = pcall(encode, value)
    if not ok then
        check.fail("%s: %s", name, text)
    end
    return text
end

local function append_names(names, set)
    for name in pairs(set) do
        names[#names + 1] = tostring(name)
    end
end

--- The names of one or two tables in alphabetical order, for messages.
function check.names(set, other)
    local names = {}
    append_names(names, set)
    append_names(names, other or {})
    table.sort(names)
    return table.concat(names, ", ")
end

--- Raises an error for a name in `given` that is not in `allowed`.
function check.known(given, allowed, what)
    for name in pairs(given) do
        if allowed[name] == nil then
            check.fail("unknown %s %q; allowed are %s", what, tostring(name), check.names(allowed))
        end
    end
end

return check
