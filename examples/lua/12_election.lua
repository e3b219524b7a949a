-- Of all processes one leads, and everybody knows which: start it on several machines.

local consul = require("consul_ffi")

local client = assert(consul.connect())

-- Who only wants to know observes, without campaigning.
local observer = assert(client:election({ key = "app/election", observe_only = true }))
local seen = assert(observer:wait_change(0, 30000))

local function show()
    print(seen.present and "the leader is " .. seen.value or "nobody leads")
end

show()

-- A candidate campaigns in the background until it resigns, also while Consul is away.
local candidate = assert(client:election({ key = "app/election", value = "node-1" }))
if not candidate:wait_elected(30000) then
    print("somebody else leads")
    os.exit(1)
end

-- A store that refuses lower tokens than it has seen is safe from a leader that was too slow.
print("leading, fencing token " .. consul.decimal(candidate:fencing_token()))

-- Work goes here. A long one asks candidate:is_leader() between its steps.
seen = assert(observer:wait_change(seen.version, 30000))
show()

-- Another candidate leads at once.
assert(candidate:resign())
seen = assert(observer:wait_change(seen.version, 30000))
show()
client:close()
