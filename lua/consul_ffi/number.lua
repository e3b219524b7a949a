--- 64-bit numbers, which a Lua number cannot hold above 2^53.

local ffi = require("ffi")

local number = {}

local uint64_t = ffi.typeof("uint64_t")
local MAX_EXACT = 2 ^ 53
local MAX_DIGITS = "18446744073709551615"

local function from_number(value)
    if value ~= math.floor(value) or value < 0 then
        return nil, ("must be a whole number from 0, not %.17g"):format(value)
    end
    if value > MAX_EXACT then
        return nil, "is above 2^53, where Lua numbers are not exact: use 5ULL or a string of digits"
    end
    return uint64_t(value)
end

local function from_cdata(value)
    if ffi.istype(uint64_t, value) then
        return value
    end
    if not ffi.istype("int64_t", value) then
        return nil, "must be a number, not " .. tostring(ffi.typeof(value))
    end
    if value < 0 then
        return nil, ("must be a whole number from 0, not %s"):format(number.decimal(value))
    end
    return uint64_t(value)
end

local function from_digits(text)
    if not text:find("^%d+$") then
        return nil, ("must be a number, not %q"):format(text)
    end
    local digits = text:match("^0*(%d+)$")
    if #digits > #MAX_DIGITS or (#digits == #MAX_DIGITS and digits > MAX_DIGITS) then
        return nil, "must be below 2^64, not " .. text
    end
    local value = 0ULL
    for position = 1, #digits do
        value = value * 10 + (digits:byte(position) - 48)
    end
    return value
end

--- A whole Lua number up to 2^53, a 64-bit cdata number or a string of digits as uint64_t cdata;
--- nil and what is wrong with it, when it is none of these.
function number.uint64(value)
    local kind = type(value)
    if kind == "number" then
        return from_number(value)
    elseif kind == "cdata" then
        return from_cdata(value)
    elseif kind == "string" then
        return from_digits(value)
    end
    return nil, "must be a number, not a " .. kind
end

--- The digits of a number, for messages and JSON: no exponent, and no LuaJIT suffix after them.
function number.decimal(value)
    if type(value) == "cdata" then
        return (tostring(value):gsub("U?LL$", ""))
    end
    return ("%.0f"):format(value)
end

--- Milliseconds as a Lua number; the highest number of C's, which means "for ever", as math.huge.
function number.milliseconds(value)
    if value == 0xffffffffffffffffULL then
        return math.huge
    end
    return tonumber(value)
end

return number
