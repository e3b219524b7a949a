--- JSON as Lua values.

local bit = require("bit")
local ffi = require("ffi")
local array = require("consul_ffi.json.array")
local check = require("consul_ffi.check")
local null = require("consul_ffi.json.null")
local number = require("consul_ffi.number")

local MAX_DEPTH = 512
local MAX_EXACT = 2 ^ 53
local int64_t = ffi.typeof("int64_t")
local MIN_INT64 = "9223372036854775808"

local ESCAPED = {
    ['"'] = '"',
    ["\\"] = "\\",
    ["/"] = "/",
    b = "\b",
    f = "\f",
    n = "\n",
    r = "\r",
    t = "\t",
}

local function refuse(what, position)
    error({ message = ("%s at byte %d"):format(what, position) }, 0)
end

local function utf8(code)
    if code < 0x80 then
        return string.char(code)
    elseif code < 0x800 then
        return string.char(0xC0 + bit.rshift(code, 6), 0x80 + code % 64)
    elseif code < 0x10000 then
        return string.char(0xE0 + bit.rshift(code, 12), 0x80 + bit.rshift(code, 6) % 64, 0x80 + code % 64)
    end
    return string.char(
        0xF0 + bit.rshift(code, 18),
        0x80 + bit.rshift(code, 12) % 64,
        0x80 + bit.rshift(code, 6) % 64,
        0x80 + code % 64
    )
end

local function hex4(text, position)
    local digits = text:match("^%x%x%x%x", position)
    if not digits then
        refuse("a \\u without four hexadecimal digits", position)
    end
    return tonumber(digits, 16), position + 4
end

--- The character of a `\u` escape whose digits start here; a pair of surrogates is one character,
--- half of a pair becomes U+FFFD.
local function unicode(text, position)
    local code, after = hex4(text, position)
    if code < 0xD800 or code > 0xDFFF then
        return utf8(code), after
    end
    if code < 0xDC00 and text:sub(after, after + 1) == "\\u" then
        local low, beyond = hex4(text, after + 2)
        if low >= 0xDC00 and low <= 0xDFFF then
            return utf8(0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)), beyond
        end
    end
    return utf8(0xFFFD), after
end

local function read_escape(text, position)
    local char = text:sub(position, position)
    if char == "u" then
        return unicode(text, position + 1)
    end
    local plain = ESCAPED[char]
    if not plain then
        refuse("an unknown escape", position - 1)
    end
    return plain, position + 1
end

--- The string whose opening quote is before this position.
local function read_string(text, position)
    local parts = {}
    while true do
        local stop = text:find('[%z\1-\31"\\]', position)
        if not stop then
            refuse("a string without its end", #text)
        end
        parts[#parts + 1] = text:sub(position, stop - 1)
        local char = text:sub(stop, stop)
        if char == '"' then
            return table.concat(parts), stop + 1
        elseif char ~= "\\" then
            refuse("a control character in a string", stop)
        end
        parts[#parts + 1], position = read_escape(text, stop + 1)
    end
end

local function whole(digits, negative)
    local value = tonumber((negative and "-" or "") .. digits)
    if math.abs(value) < MAX_EXACT then
        return value
    end
    local exact = number.uint64(digits)
    if exact and not negative then
        return exact
    elseif exact and (#digits < #MIN_INT64 or (#digits == #MIN_INT64 and digits <= MIN_INT64)) then
        return -int64_t(exact)
    end
    return value
end

local function read_number(text, position)
    local minus, digits, after = text:match("^(%-?)(%d+)()", position)
    if not digits or (digits:sub(1, 1) == "0" and #digits > 1) then
        refuse("not a value", position)
    end
    local fraction = text:match("^%.%d+", after) or ""
    local exponent = text:match("^[eE][+-]?%d+", after + #fraction) or ""
    if fraction == "" and exponent == "" then
        return whole(digits, minus == "-"), after
    end
    return tonumber(minus .. digits .. fraction .. exponent), after + #fraction + #exponent
end

local function skip(text, position)
    return text:match("^[ \t\r\n]*()", position)
end

local read_value

local function read_array(text, position, depth)
    local list = {}
    position = skip(text, position)
    if text:sub(position, position) == "]" then
        return array.mark(list), position + 1
    end
    while true do
        list[#list + 1], position = read_value(text, position, depth)
        local char = text:sub(position, position)
        if char == "]" then
            return list, position + 1
        elseif char ~= "," then
            refuse("no comma or bracket", position)
        end
        position = position + 1
    end
end

local function read_name(text, position)
    position = skip(text, position)
    if text:sub(position, position) ~= '"' then
        refuse("no name in quotes", position)
    end
    local name, after = read_string(text, position + 1)
    after = skip(text, after)
    if text:sub(after, after) ~= ":" then
        refuse("no colon after a name", after)
    end
    return name, after + 1
end

local function read_object(text, position, depth)
    local object = {}
    position = skip(text, position)
    if text:sub(position, position) == "}" then
        return object, position + 1
    end
    while true do
        local name
        name, position = read_name(text, position)
        object[name], position = read_value(text, position, depth)
        local char = text:sub(position, position)
        if char == "}" then
            return object, position + 1
        elseif char ~= "," then
            refuse("no comma or brace", position)
        end
        position = position + 1
    end
end

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = null }

local function read_bare(text, position, depth)
    local char = text:sub(position, position)
    if char == '"' then
        return read_string(text, position + 1)
    elseif char == "{" then
        return read_object(text, position + 1, depth + 1)
    elseif char == "[" then
        return read_array(text, position + 1, depth + 1)
    end
    local word = text:match("^%l+", position)
    if word and WORDS[word] ~= nil then
        return WORDS[word], position + #word
    end
    return read_number(text, position)
end

--- The value at this position and where the next token starts.
function read_value(text, position, depth)
    if depth > MAX_DEPTH then
        refuse(("nested deeper than %d"):format(MAX_DEPTH), position)
    end
    local value, after = read_bare(text, skip(text, position), depth)
    return value, skip(text, after)
end

local function read_all(text)
    local value, after = read_value(text, 1, 0)
    if after <= #text then
        refuse("something after the value", after)
    end
    return value
end

--- The value of a JSON text, or nil and what is wrong with it.
return function(text)
    check.type(text, "string", "text")
    local ok, value = pcall(read_all, text)
    if ok then
        return value
    elseif type(value) == "table" and value.message then
        return nil, "not JSON: " .. value.message
    end
    error(value, 0)
end
