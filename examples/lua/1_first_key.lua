-- Writes a key and reads it back.

local consul = require("consul_ffi")
local client = assert(consul.connect())

assert(client.kv:put("app/greeting", "hello"))

local value, meta = client.kv:get("app/greeting")
if value then
    print(value, "modify index " .. consul.decimal(meta.modify_index))
elseif meta.code == consul.NOT_FOUND then
    print("no such key")
else
    print(meta) -- an error: its name and its message
end

assert(client.kv:delete("app/greeting"))
client:close()
