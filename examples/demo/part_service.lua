local show = require("show")

local TTL_MS = 10000

--- Waits until the only instance has this status, or with "gone" until there is none: the agent tells
--- the catalog in its own time.
local function wait_for_status(client, name, wanted)
    local entries, meta = assert(client.health:service(name))
    for _ = 1, 20 do
        local status = entries[1] and entries[1].status or "gone"
        if status == wanted then
            return entries[1]
        end
        entries, meta = assert(client.health:service(name, { index = meta.index, wait_ms = 1000 }))
    end
    show.expect(false, "the service is not " .. wanted)
end

local function go_through(client, name)
    show.line("registered", "%s, with a check that must report every %d s", name, TTL_MS / 1000)

    local entry = wait_for_status(client, name, "critical")
    show.line("before its first report", "%s at %s:%d", entry.status, entry.address, entry.port)
    show.expect(#client.health:service(name, { passing = true }) == 0, "a critical instance is offered")
    show.line("healthy instances", "0")

    assert(client.agent:check_pass("service:" .. name, "all is well"))
    entry = wait_for_status(client, name, "passing")
    show.line("after it", "%s, tags %s", entry.status, table.concat(entry.service.tags, ", "))
    local healthy = client.health:service(name, { passing = true, tags = { "demo" } })
    show.expect(#healthy == 1, "the healthy instance is not offered")
    show.line("healthy instances", "1, on node %s", healthy[1].node.name)
end

return function(client, prefix)
    show.heading("A service and its health")
    assert(client.agent:service_register({
        name = prefix,
        address = "127.0.0.1",
        port = 8080,
        tags = { "demo", "v1" },
        check = { ttl_ms = TTL_MS },
    }))
    local ok, problem = pcall(go_through, client, prefix)
    assert(client.agent:service_deregister(prefix))
    if not ok then
        error(problem, 0)
    end
    wait_for_status(client, prefix, "gone")
    show.line("deregistered", "no instance left")
end
