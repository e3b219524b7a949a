-- Writes a hundred keys at once from one thread, which has no event loop: who awaits drives the
-- queue itself.

local consul = require("consul_ffi")

local client = assert(consul.connect())
local host = assert(require("consul_ffi.host.plain").new())
-- The same client, whose calls arrive in the host's queue.
local later = client:on(host.queue)

local written, most = 0, 0

local function write(number)
    local ticket = assert(later.kv:put("app/many/" .. number, tostring(number)))
    most = math.max(most, host.queue:count())
    -- The others of `spawn` go on meanwhile.
    local fine, err = host:await(ticket)
    if fine then
        written = written + 1
    else
        io.stderr:write(tostring(err), "\n")
    end
end

for number = 1, 100 do
    host:spawn(write, number)
end
host:run()
print(("%d keys written, %d calls in flight at most"):format(written, most))

-- Outside of a coroutine it awaits, too.
local keys = assert(host:await(later.kv:keys("app/many/")))
print(("app/many/ has %d keys"):format(#keys))
assert(host:await(later.kv:delete_prefix("app/many/")))
host:close()
client:close()
