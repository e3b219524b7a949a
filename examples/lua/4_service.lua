-- Registers a service with a TTL check, keeps it alive, finds it, deregisters it.

local consul = require("consul_ffi")
local ffi = require("ffi")

ffi.cdef("int poll(void *, unsigned long, int);")

local client = assert(consul.connect())

local function register()
    return client.agent:service_register({
        name = "web",
        address = "127.0.0.1",
        port = 8080,
        -- It turns critical when nobody reports on it for 15 s. What was critical for 10 minutes is
        -- gone: a program that crashed leaves nothing behind.
        check = { ttl_ms = 15000, deregister_after_ms = 600000 },
    })
end

-- Waits for healthy instances, by blocking queries.
local function find(name)
    local index = 0
    while true do
        local instances, meta = client.health:service(name, { passing = true, index = index })
        if not instances then
            error(tostring(meta))
        elseif #instances > 0 then
            return instances
        end
        index = meta.index
    end
end

assert(register())
assert(client.agent:check_pass("service:web"))

for _, instance in ipairs(find("web")) do
    print(("%s at %s:%d is %s"):format(
        instance.service.id, instance.address, instance.port, instance.status
    ))
end

-- A program that lives longer reports every few seconds, well within the TTL.
for _ = 1, 3 do
    local ok, err = client.agent:check_pass("service:web")
    if not ok and err.code == consul.NOT_FOUND then
        ok, err = register() -- the agent forgot the service
    end
    if not ok then
        io.stderr:write(tostring(err), "\n") -- the next one may work
    end
    ffi.C.poll(nil, 0, 100)
end

assert(client.agent:service_deregister("web"))
print("deregistered")
client:close()
