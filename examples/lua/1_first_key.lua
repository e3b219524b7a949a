-- Writes a key, reads it back, deletes it.

local consul = require("consul_ffi")

-- The settings of the environment, CONSUL_HTTP_ADDR and so on.
local client = assert(consul.connect())

assert(client.kv:put("app/greeting", "hello"))

local value, meta = client.kv:get("app/greeting")
if value then
    print(value .. ", modify index " .. consul.decimal(meta.modify_index))
elseif meta.code == consul.NOT_FOUND then
    print("no such key")
else
    error(tostring(meta)) -- an error: its name and its message
end

assert(client.kv:delete("app/greeting"))
client:close()
