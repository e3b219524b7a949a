--- Base64 (RFC 4648, section 4).

local bit = require("bit")

local base64 = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function digit(value)
    return ALPHABET:sub(value + 1, value + 1)
end

local function encode_group(group)
    local a, b, c = group:byte(1, 3)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    return digit(bit.rshift(bits, 18))
        .. digit(bit.rshift(bits, 12) % 64)
        .. (b and digit(bit.rshift(bits, 6) % 64) or "=")
        .. (c and digit(bits % 64) or "=")
end

--- The base64 text of any bytes.
function base64.encode(bytes)
    return (bytes:gsub("..?.?", encode_group))
end

return base64
