-- Reads settings in place: a watch keeps asking Consul, and what it found is there to be read, so that
-- reading costs no request.

local consul = require("consul_ffi")

local client = assert(consul.connect())
local key = "app/view/limit"

-- What was found stays when Consul is away; the watch says how old it is.
local function show(watch)
    local old = watch:state() == "stale" and "as of " .. watch:age_ms() .. " ms ago: " or ""
    local limit = watch:value(key)
    print(old .. (limit and "limit = " .. limit or "no limit"))
end

assert(client.kv:put(key, "10"))
local watch = assert(client:watch({ prefix = "app/view/" }))
assert(watch:wait_ready(30000))
show(watch)

-- Somebody changes a setting. Who has nothing else to do waits for the news.
assert(client.kv:put(key, "20"))
assert(watch:wait())
show(watch)

-- Who has refreshes the watch before each piece of work: nothing is asked, no lock is taken.
local sum = 0
for _ = 1, 100000 do
    watch:refresh()
    sum = sum + #watch:value(key)
end
print(sum / 2 .. " requests served")

assert(client.kv:delete_prefix("app/view/"))
assert(watch:wait())
show(watch)
watch:close()
client:close()
