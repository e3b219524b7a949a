-- Two processes at a time do the work, however many run: start it three times.

local consul = require("consul_ffi")
local ffi = require("ffi")

ffi.cdef("int poll(void *, unsigned long, int);")

local client = assert(consul.connect())
local semaphore = assert(client:semaphore{ prefix = "app/imports", limit = 2 })

local ok, err = semaphore:acquire(30000)
if not ok then
    print(err.code == consul.HELD and "two others are at it" or err)
    os.exit(1)
end
print("one of two")
io.stdout:flush()

-- Work goes here. A long one asks semaphore:is_held() between its steps.
ffi.C.poll(nil, 0, 200)

print("done")
io.stdout:flush()

assert(semaphore:release())
client:close()
