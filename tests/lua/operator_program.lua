-- Beside an agent that denies by default, with a management token.

local consul = require("consul_ffi")

local client = assert(consul.connect())
local acl = client.acl

local function is_denied(value, problem)
    assert(not value and problem.code == consul.ERR_DENIED, tostring(problem))
end

--- Does not exist: Consul 1.8 says so of tokens and policies as of an unknown token.
local function is_gone(value, problem)
    assert(not value and (problem.code == consul.NOT_FOUND or problem.code == consul.ERR_DENIED))
end

local rules = 'key_prefix "lua-" { policy = "write" }'
local policy = assert(acl:policy_create({ Name = "lua", Rules = rules }))
assert(acl:policy_update(policy.ID, { Name = "lua", Rules = rules, Description = "d" }).Description == "d")
assert(acl:policy_read(policy.ID).Rules == rules)
assert(acl:policy_read_by_name("lua").ID == policy.ID)
assert(#acl:policy_list() >= 2)

local role = assert(acl:role_create({ Name = "lua", Policies = { { Name = "lua" } } }))
assert(acl:role_update(role.ID, { Name = "lua", Policies = { { ID = policy.ID } } }).Policies[1].Name == "lua")
assert(acl:role_read(role.ID).Name == "lua" and acl:role_read_by_name("lua").ID == role.ID)
assert(#acl:role_list() == 1)

local token = assert(acl:token_create({ Roles = { { Name = "lua" } } }))
assert(token.Policies == nil or #token.Policies == 0)
local user = assert(consul.connect({ token = token.SecretID }))
assert(user.kv:put("lua-key", "before"))
is_denied(user.kv:put("other", "v"))
local results, refused = user:txn():set("lua-key", "v"):set("other", "v"):commit()
is_denied(results, refused)
assert(#refused.errors == 1 and refused.errors[1].denied and refused.errors[1].operation == 2)
assert(refused.message:find("operation 2: Permission denied", 1, true), refused.message)
is_denied(user.agent:leave())
assert(user.acl:token_self().AccessorID == token.AccessorID)
is_denied(user.acl:logout())
user:close()
local clone = assert(acl:token_clone(token.AccessorID, "second"))
assert(clone.Description == "second" and #acl:token_list({ role_id = role.ID }) == 2)
assert(acl:token_update(token.AccessorID, { Description = "d" }).Description == "d")
assert(acl:token_read(token.AccessorID).Description == "d")
for _, each in ipairs({ token, clone }) do
    assert(acl:token_delete(each.AccessorID))
    is_gone(acl:token_read(each.AccessorID))
end
assert(acl:role_delete(role.ID))
is_gone(acl:role_read(role.ID))
assert(acl:policy_delete(policy.ID))
is_gone(acl:policy_read(policy.ID))
-- Nobody has the private key.
local trusted = [[
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENE6uu9qnQp6KuNFawWqP+QTQxMR/
kjnyvYlQMy1IXKTrolUJaPKQ8EEbeLGz1upUSleKJjwlv9oypkFRd0Zu5A==
-----END PUBLIC KEY-----
]]
local method = { Name = "jwt", Type = "jwt", Config = { JWTValidationPubKeys = { trusted } } }
assert(acl:auth_method_create(method).Name == "jwt")
assert(acl:auth_method_read("jwt").Config.JWTValidationPubKeys[1] == trusted)
assert(acl:auth_method_update("jwt", method).Type == "jwt" and #acl:auth_method_list() == 1)
local rule = { AuthMethod = "jwt", BindType = "role", BindName = "readers" }
local made = assert(acl:binding_rule_create(rule))
assert(acl:binding_rule_read(made.ID).BindName == "readers")
rule.Description = "d"
assert(acl:binding_rule_update(made.ID, rule).Description == "d")
assert(#acl:binding_rule_list() == 1 and #acl:binding_rule_list({ auth_method = "jwt" }) == 1)
assert(not acl:login("jwt", "a.b.c"))
assert(acl:binding_rule_delete(made.ID))
is_gone(acl:binding_rule_read(made.ID))
assert(acl:auth_method_delete("jwt"))
is_gone(acl:auth_method_read("jwt"))
is_denied(acl:login("none", "jwt"))
acl:bootstrap() -- works once, or was done by the agent itself
is_denied(acl:bootstrap())

local path = os.tmpname()
local saved = assert(client.snapshot:save(path))
assert(saved.Index > 0 and client.snapshot:inspect(path).ID == saved.ID)
assert(client.kv:put("lua-key", "after"))
assert(client.snapshot:restore(path).ID == saved.ID)
assert(client.kv:get("lua-key") == "before")
-- Without waiting, on a thread of its own.
local queue = assert(consul.queue())
local ticket = assert(client:on(queue).snapshot:save(path))
local _, about = queue:next(30000)
assert(ticket ~= nil and about ~= nil)
queue:close()
os.remove(path)
client:close()
