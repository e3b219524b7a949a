--- Access control: `client.acl`. Tokens, policies and roles are tables with Consul's names:
---
---     local policy = assert(client.acl:policy_create({ Name = "app", Rules = [[...]] }))
---     local token = assert(client.acl:token_create({ Policies = { { Name = "app" } } }))
---     local app = assert(consul.connect({ token = token.SecretID }))
---
--- A read of something that does not exist gives nil and an error with the code NOT_FOUND; for tokens
--- and policies Consul 1.8 says ERR_DENIED and "ACL not found" instead.

local C = require("consul_ffi.loader")
local begin = require("consul_ffi.call").begin
local document = require("consul_ffi.document")
local result = require("consul_ffi.result")

local METHOD = { auth_method = true }
local FILTER = { policy_id = true, role_id = true, auth_method = true }

local Acl = {}
Acl.__index = Acl

local function read(self, options, c_name)
    local call, out = begin(self, options), result.text_box()
    return document.take(call, C[c_name](call.handle, call.settings, call.async, out), out)
end

local function read_one(self, name, text, options, c_name)
    local call, out = begin(self, options, nil, name, text), result.text_box()
    return document.take(call, C[c_name](call.handle, text, call.settings, call.async, out), out)
end

local function create(self, name, value, options, c_name)
    local call, text, out = begin(self, options), document.text(value, name), result.text_box()
    return document.take(call, C[c_name](call.handle, text, call.settings, call.async, out), out)
end

local function update(self, id_name, id, name, value, options, c_name)
    local call, text = begin(self, options, nil, id_name, id), document.text(value, name)
    local out = result.text_box()
    return document.take(call, C[c_name](call.handle, id, text, call.settings, call.async, out), out)
end

local function delete(self, name, id, options, c_name)
    local call = begin(self, options, nil, name, id)
    return call:done(C[c_name](call.handle, id, call.settings, call.async))
end

--- Makes the first token, which may do anything. It works once in the life of a cluster.
function Acl:bootstrap(options)
    return read(self, options, "consul_acl_bootstrap")
end

--- Makes a token; gives it with its `AccessorID` and `SecretID`.
function Acl:token_create(token, options)
    return create(self, "token", token, options, "consul_acl_token_create")
end

--- Reads a token by its accessor id.
function Acl:token_read(accessor_id, options)
    return read_one(self, "accessor_id", accessor_id, options, "consul_acl_token_read")
end

--- Reads the token that the client or the options have.
function Acl:token_self(options)
    return read(self, options, "consul_acl_token_self")
end

--- Replaces a token: what is not in the table is empty after that.
function Acl:token_update(accessor_id, token, options)
    return update(self, "accessor_id", accessor_id, "token", token, options, "consul_acl_token_update")
end

--- Makes a token with the policies and roles of another one.
function Acl:token_clone(accessor_id, description, options)
    local call = begin(
        self, options, nil, "accessor_id", accessor_id, description and "description", description
    )
    local out = result.text_box()
    local status =
        C.consul_acl_token_clone(call.handle, accessor_id, description, call.settings, call.async, out)
    return document.take(call, status, out)
end

--- Deletes a token; true also when it does not exist.
function Acl:token_delete(accessor_id, options)
    return delete(self, "accessor_id", accessor_id, options, "consul_acl_token_delete")
end

--- Lists the tokens; with `options.policy_id`, `options.role_id` or `options.auth_method` those that
--- have them.
function Acl:token_list(options)
    local own = type(options) == "table" and options or {}
    local call = begin(
        self, options, FILTER,
        own.policy_id and "policy_id", own.policy_id, own.role_id and "role_id", own.role_id,
        own.auth_method and "auth_method", own.auth_method
    )
    local out = result.text_box()
    local status = C.consul_acl_token_list(
        call.handle, own.policy_id, own.role_id, own.auth_method, call.settings, call.async, out
    )
    return document.take(call, status, out)
end

--- Makes a policy of `Name`, `Rules` and others; gives it with its `ID`.
function Acl:policy_create(policy, options)
    return create(self, "policy", policy, options, "consul_acl_policy_create")
end

--- Reads a policy by its id.
function Acl:policy_read(id, options)
    return read_one(self, "id", id, options, "consul_acl_policy_read")
end

--- Reads a policy by its name.
function Acl:policy_read_by_name(name, options)
    return read_one(self, "name", name, options, "consul_acl_policy_read_by_name")
end

--- Replaces a policy.
function Acl:policy_update(id, policy, options)
    return update(self, "id", id, "policy", policy, options, "consul_acl_policy_update")
end

--- Deletes a policy; true also when it does not exist.
function Acl:policy_delete(id, options)
    return delete(self, "id", id, options, "consul_acl_policy_delete")
end

--- Lists the policies, without their rules.
function Acl:policy_list(options)
    return read(self, options, "consul_acl_policy_list")
end

--- Makes a role of `Name`, `Policies` and others; gives it with its `ID`.
function Acl:role_create(role, options)
    return create(self, "role", role, options, "consul_acl_role_create")
end

--- Reads a role by its id.
function Acl:role_read(id, options)
    return read_one(self, "id", id, options, "consul_acl_role_read")
end

--- Reads a role by its name.
function Acl:role_read_by_name(name, options)
    return read_one(self, "name", name, options, "consul_acl_role_read_by_name")
end

--- Replaces a role.
function Acl:role_update(id, role, options)
    return update(self, "id", id, "role", role, options, "consul_acl_role_update")
end

--- Deletes a role; true also when it does not exist.
function Acl:role_delete(id, options)
    return delete(self, "id", id, options, "consul_acl_role_delete")
end

--- Lists the roles.
function Acl:role_list(options)
    return read(self, options, "consul_acl_role_list")
end

--- Makes an auth method of `Name`, `Type`, `Config` and others; gives it as Consul has it.
function Acl:auth_method_create(auth_method, options)
    return create(self, "auth_method", auth_method, options, "consul_acl_auth_method_create")
end

--- Reads an auth method by its name.
function Acl:auth_method_read(name, options)
    return read_one(self, "name", name, options, "consul_acl_auth_method_read")
end

--- Replaces an auth method.
function Acl:auth_method_update(name, auth_method, options)
    return update(self, "name", name, "auth_method", auth_method, options, "consul_acl_auth_method_update")
end

--- Deletes an auth method; true also when it does not exist.
function Acl:auth_method_delete(name, options)
    return delete(self, "name", name, options, "consul_acl_auth_method_delete")
end

--- Makes a binding rule of `AuthMethod`, `Selector`, `BindType` and `BindName`; gives it as Consul has it.
function Acl:binding_rule_create(binding_rule, options)
    return create(self, "binding_rule", binding_rule, options, "consul_acl_binding_rule_create")
end

--- Reads a binding rule by its id.
function Acl:binding_rule_read(id, options)
    return read_one(self, "id", id, options, "consul_acl_binding_rule_read")
end

--- Replaces a binding rule.
function Acl:binding_rule_update(id, binding_rule, options)
    return update(self, "id", id, "binding_rule", binding_rule, options, "consul_acl_binding_rule_update")
end

--- Deletes a binding rule; true also when it does not exist.
function Acl:binding_rule_delete(id, options)
    return delete(self, "id", id, options, "consul_acl_binding_rule_delete")
end

--- Lists the auth methods, without their configuration.
function Acl:auth_method_list(options)
    return read(self, options, "consul_acl_auth_method_list")
end

--- Lists the binding rules, of one auth method with `auth_method` in the options.
function Acl:binding_rule_list(options)
    local own = type(options) == "table" and options or {}
    local method = own.auth_method
    local call = begin(self, options, METHOD, method and "auth_method", method)
    local out = result.text_box()
    local status = C.consul_acl_binding_rule_list(call.handle, method, call.settings, call.async, out)
    return document.take(call, status, out)
end

--- Logs in by an auth method with what proves who the caller is, such as a JWT. Gives a token, which
--- ends with `logout`. It needs no token itself.
function Acl:login(auth_method, bearer_token, options)
    local call = begin(
        self, options, nil, "auth_method", auth_method, "bearer_token", bearer_token
    )
    local out = result.text_box()
    local status =
        C.consul_acl_login(call.handle, auth_method, bearer_token, call.settings, call.async, out)
    return document.take(call, status, out)
end

--- Ends the token that the client or the options have, which must come from a login.
function Acl:logout(options)
    local call = begin(self, options)
    return call:done(C.consul_acl_logout(call.handle, call.settings, call.async))
end

return function(client)
    return setmetatable({ client = client }, Acl)
end
