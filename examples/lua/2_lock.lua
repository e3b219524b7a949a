-- One process at a time does the work, however many run.

local consul = require("consul_ffi")
local client = assert(consul.connect())
local lock = assert(client:lock("app/leader", { value = "worker-1" }))

local ok, err = lock:acquire(5000)
if not ok then
    print(err.code == consul.HELD and "held by session " .. tostring(lock:holder()) or err)
    os.exit(1)
end

-- A store that refuses lower tokens than it has seen is safe from a holder that was too slow.
print("leading, fencing token " .. consul.decimal(lock:fencing_token()))

-- Written only while the lock is held, whatever this process believes.
assert(lock:put("app/last-leader", "worker-1"))

assert(lock:release())
client:close()
