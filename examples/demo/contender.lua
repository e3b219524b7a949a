--- The second process of the demo's lock: contender.lua KEY GO.

local consul = require("consul_ffi")
local show = require("show")

local key, go = arg[1], arg[2]
io.stdout:setvbuf("line")

local client = assert(consul.connect())
local lock = assert(client:lock(key, { value = "second" }))

local ok, err = lock:try_acquire()
show.expect(ok == false and err.code == consul.HELD, "the lock is free")
print("held " .. lock:holder())

assert(lock:acquire(20000))
print(("acquired %s %.6f"):format(show.number(lock:fencing_token()), show.seconds()))

local value, meta = client.kv:get(go)
while not value do
    value, meta = client.kv:get(go, { index = meta.meta.index, wait_ms = 10000 })
end
assert(lock:release())
print("released")
lock:close()
client:close()
