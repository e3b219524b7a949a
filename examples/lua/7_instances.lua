-- Follows a service and picks one of its instances for each request.

local consul = require("consul_ffi")
local client = assert(consul.connect())

for n = 1, 2 do
    assert(client.agent:service_register({ name = "example-web", id = "example-web-" .. n, port = 8000 + n }))
end

local watch = assert(client:watch({ service = "example-web" }))
assert(watch:wait_ready(30000))
while watch:count() < 2 do
    assert(watch:wait(30000)) -- until the catalog knows them
end

for _ = 1, 4 do
    watch:refresh() -- asks nobody: moves to the newest state that was found
    local address, port = watch:pick("round_robin")
    print("a request to " .. address .. ":" .. port)
end

-- When Consul is away the last instances stay, and the watch says how old that is.
print("the list is " .. watch:state())

watch:close()
for n = 1, 2 do
    assert(client.agent:service_deregister("example-web-" .. n))
end
client:close()
