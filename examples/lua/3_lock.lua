-- One process at a time does the work, however many run: start it twice.

local consul = require("consul_ffi")
local ffi = require("ffi")

ffi.cdef("int poll(void *, unsigned long, int);")

local client = assert(consul.connect())
local lock = assert(client:lock("app/leader", { value = "worker" }))

local ok, err = lock:acquire(30000)
if not ok then
    print(err.code == consul.HELD and "somebody else leads" or err)
    os.exit(1)
end

-- A store that refuses lower tokens than it has seen is safe from a holder that was too slow.
print("leading, fencing token " .. consul.decimal(lock:fencing_token()))
io.stdout:flush()

-- Work goes here. A long one asks lock:is_held() between its steps.
ffi.C.poll(nil, 0, 200)

-- Written only while the lock is held, whatever this process believes.
assert(lock:put("app/last-leader", "worker"))
print("done")
io.stdout:flush()

assert(lock:release())
client:close()
