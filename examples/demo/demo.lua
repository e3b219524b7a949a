--- Goes through the library on a Consul, a real one or one in memory. `make demo` runs it.

local consul = require("consul_ffi")
local show = require("show")

local PARTS = { "keys", "transaction", "session", "lock", "service" }

local function run_parts(client, prefix)
    local agent = assert(client.agent:self())
    local kind = client:embedded() and "an embedded agent, which answers as Consul" or "Consul"
    show.heading(("consul-ffi %s on %s %s"):format(consul.version(), kind, agent.version))
    show.line("address", "%s (%s)", client:endpoint(), os.getenv("DEMO_CONSUL") or "from the environment")
    for _, part in ipairs(PARTS) do
        require("part_" .. part)(client, prefix)
    end
end

local function main()
    local began = show.seconds()
    local client = assert(consul.connect())
    local prefix = ("consul-ffi-demo-%d"):format(math.random(1e9))
    local ok, problem = pcall(run_parts, client, prefix)
    client.kv:delete_prefix(prefix .. "/")
    client:close()
    if not ok then
        io.stderr:write("\nThe demo failed: ", tostring(problem), "\n")
        os.exit(1)
    end
    collectgarbage()
    collectgarbage()
    show.expect(consul.live_handles() == 0, "native objects were left over")
    show.heading(("All as it should be, in %.1f s."):format(show.seconds() - began))
end

math.randomseed(show.seconds() * 1e6)
main()
