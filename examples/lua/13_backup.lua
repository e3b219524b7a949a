-- Saves the state of the servers in a file, and some keys as `consul kv export` does; brings both back.
--
-- A token needs management rights for a snapshot. It is restored only with the argument `restore`: that
-- takes back whatever anybody has written since it was saved.

local consul = require("consul_ffi")

local client = assert(consul.connect())
local snapshot = os.tmpname()
assert(client.kv:put("app/backup/limit", "10"))
assert(client.kv:put("app/backup/name", "blue"))

local saved = assert(client.snapshot:save(snapshot)) -- whole and checked, or it is not there
print("saved: " .. (saved.Index and "with its index" or "without an index"))

local exported = assert(client.kv:export("app/backup/"))
assert(client.kv:delete_prefix("app/backup/"))
assert(client.kv:import(exported))
print("imported: " .. assert(client.kv:get("app/backup/limit")))

assert(client.kv:put("app/backup/limit", "20"))
if arg[1] == "restore" then
    assert(client.snapshot:restore(snapshot))
    print("restored: " .. assert(client.kv:get("app/backup/limit")))
end
assert(client.kv:delete_prefix("app/backup/"))
os.remove(snapshot)
client:close()
