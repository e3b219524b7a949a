-- Gives a program a token that may do what it needs and nothing else, where all else is denied.
--
-- CONSUL_HTTP_TOKEN is a token that may change tokens, for example that of `acl:bootstrap()`.

local consul = require("consul_ffi")

-- A resource and its name, or a prefix of names: without `_prefix` a rule is about one key alone.
local RULES = [[
key_prefix "stock-tsdb/" { policy = "write" }
key_prefix "metadata/"   { policy = "write" }
key_prefix "locks/"      { policy = "write" }
key_prefix "cluster/"    { policy = "write" } # where the programs find each other
session_prefix ""        { policy = "write" }
service_prefix "stock-"  { policy = "write" }
service_prefix ""        { policy = "read" }
node_prefix ""           { policy = "read" }
agent_prefix ""          { policy = "read" }
]]

local admin = assert(consul.connect())
local policy = assert(admin.acl:policy_create({ Name = "stock-tsdb", Rules = RULES }))
local token = assert(admin.acl:token_create({
    Description = "the stock programs",
    Policies = { { Name = "stock-tsdb" } },
}))
print("token: " .. token.Policies[1].Name)

local program = assert(consul.connect({ token = token.SecretID }))
for _, prefix in ipairs({ "stock-tsdb/", "metadata/", "locks/", "cluster/" }) do
    assert(program.kv:put(prefix .. "example", "1"))
    assert(program.kv:delete(prefix .. "example"))
end
print("keys: written")

local id = assert(program.session:create({ name = "stock" }))
assert(program.session:destroy(id))
print("session: created")

assert(program.agent:service_register({ name = "stock-reader" }))
assert(program.agent:service_deregister("stock-reader"))
print("service: registered")

print("nodes: " .. #assert(program.catalog:nodes()))

local _, err = program.kv:put("others/example", "1")
print("another's key: " .. (err and err.code == consul.ERR_DENIED and "denied" or "written"))

program:close()
assert(admin.acl:token_delete(token.AccessorID))
assert(admin.acl:policy_delete(policy.ID))
admin:close()
