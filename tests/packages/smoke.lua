-- Writes a key and reads it back: shows that module, library and Consul fit together.

local consul = require("consul_ffi")
local client = assert(consul.connect())

assert(client.kv:put("packages/lua", "h\0llo"))
local value, meta = client.kv:get("packages/lua")
assert(value == "h\0llo", meta)
assert(client.kv:delete("packages/lua"))
client:close()
print("LuaJIT " .. consul.version())
