--- JSON (RFC 8259), exact for bytes and 64-bit numbers.
---
--- json.encode(value) → text. Raises an error for what JSON cannot hold, naming the place.
--- json.decode(text)  → value, or nil and a message. `null` becomes `json.null`; a whole number
---                      that a Lua number cannot hold becomes int64_t or uint64_t cdata.
--- json.array(t)      → t, which is written as an array even when it is empty.
--- json.compact(text) → the same JSON without white space between its tokens.

local json = {
    null = require("consul_ffi.json.null"),
    array = require("consul_ffi.json.array").mark,
    encode = require("consul_ffi.json.encode"),
    decode = require("consul_ffi.json.decode"),
    compact = require("consul_ffi.json.compact"),
}

return json
