/// Access control: tokens, policies and roles.

#ifndef CONSUL_FFI_ACL_HPP
#define CONSUL_FFI_ACL_HPP

#include "answers.hpp"
#include "calls.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// `client.acl()`. Tokens, policies and roles are Consul's JSON objects. A read of something that
/// does not exist is `not_found`; for tokens and policies Consul 1.8 says `err_denied` instead.
class acl_calls : detail::calls<consul_client> {
public:
    using calls::calls;

    /// Makes the first token, which may do anything. It works once in the life of a cluster:
    /// `err_denied` after that.
    result<std::string> bootstrap(const options &settings = {}) const {
        return get_text(consul_acl_bootstrap, settings);
    }

    /// Makes a token of a JSON object; gives it with its ids.
    result<std::string> token_create(const c_text &token, const options &settings = {}) const {
        return get_text(consul_acl_token_create, token, settings);
    }

    /// Reads a token by its accessor id.
    result<std::string> token_read(const c_text &accessor_id, const options &settings = {}) const {
        return get_text(consul_acl_token_read, accessor_id, settings);
    }

    /// Reads the token that the client or the options have.
    result<std::string> token_self(const options &settings = {}) const {
        return get_text(consul_acl_token_self, settings);
    }

    /// Replaces a token by a JSON object: what is not there is empty after that.
    result<std::string> token_update(const c_text &accessor_id, const c_text &token,
                                     const options &settings = {}) const {
        return get_text(consul_acl_token_update, accessor_id, token, settings);
    }

    /// Makes a token with the policies and roles of another one.
    result<std::string> token_clone(const c_text &accessor_id, const c_text &description = nullptr,
                                    const options &settings = {}) const {
        return get_text(consul_acl_token_clone, accessor_id, description, settings);
    }

    /// Deletes a token. `ok` also when it does not exist.
    result<void> token_delete(const c_text &accessor_id, const options &settings = {}) const {
        return run(consul_acl_token_delete, accessor_id, settings);
    }

    /// Lists the tokens: an array; where a policy, a role or an auth method is named, only those
    /// that have it.
    result<std::string> token_list(const c_text &policy_id = nullptr,
                                   const c_text &role_id = nullptr,
                                   const c_text &auth_method = nullptr,
                                   const options &settings = {}) const {
        return get_text(consul_acl_token_list, policy_id, role_id, auth_method, settings);
    }

    /// Makes a policy of a JSON object; gives it with its ids.
    result<std::string> policy_create(const c_text &policy, const options &settings = {}) const {
        return get_text(consul_acl_policy_create, policy, settings);
    }

    /// Reads a policy by its id.
    result<std::string> policy_read(const c_text &id, const options &settings = {}) const {
        return get_text(consul_acl_policy_read, id, settings);
    }

    /// Reads a policy by its name.
    result<std::string> policy_read_by_name(const c_text &name,
                                            const options &settings = {}) const {
        return get_text(consul_acl_policy_read_by_name, name, settings);
    }

    /// Replaces a policy by a JSON object: what is not there is empty after that.
    result<std::string> policy_update(const c_text &id, const c_text &policy,
                                      const options &settings = {}) const {
        return get_text(consul_acl_policy_update, id, policy, settings);
    }

    /// Deletes a policy. `ok` also when it does not exist.
    result<void> policy_delete(const c_text &id, const options &settings = {}) const {
        return run(consul_acl_policy_delete, id, settings);
    }

    /// Lists policies, without their rules: an array.
    result<std::string> policy_list(const options &settings = {}) const {
        return get_text(consul_acl_policy_list, settings);
    }

    /// Makes a role of a JSON object; gives it with its ids.
    result<std::string> role_create(const c_text &role, const options &settings = {}) const {
        return get_text(consul_acl_role_create, role, settings);
    }

    /// Reads a role by its id.
    result<std::string> role_read(const c_text &id, const options &settings = {}) const {
        return get_text(consul_acl_role_read, id, settings);
    }

    /// Reads a role by its name.
    result<std::string> role_read_by_name(const c_text &name, const options &settings = {}) const {
        return get_text(consul_acl_role_read_by_name, name, settings);
    }

    /// Replaces a role by a JSON object: what is not there is empty after that.
    result<std::string> role_update(const c_text &id, const c_text &role,
                                    const options &settings = {}) const {
        return get_text(consul_acl_role_update, id, role, settings);
    }

    /// Deletes a role. `ok` also when it does not exist.
    result<void> role_delete(const c_text &id, const options &settings = {}) const {
        return run(consul_acl_role_delete, id, settings);
    }

    /// Lists roles: an array.
    result<std::string> role_list(const options &settings = {}) const {
        return get_text(consul_acl_role_list, settings);
    }

    /// Makes an auth method of a JSON object; gives it as Consul has it.
    result<std::string> auth_method_create(const c_text &auth_method, const options &settings = {}) const {
        return get_text(consul_acl_auth_method_create, auth_method, settings);
    }

    /// Reads an auth method by its name.
    result<std::string> auth_method_read(const c_text &name, const options &settings = {}) const {
        return get_text(consul_acl_auth_method_read, name, settings);
    }

    /// Replaces an auth method by a JSON object: what is not there is empty after that.
    result<std::string> auth_method_update(const c_text &name, const c_text &auth_method,
                                      const options &settings = {}) const {
        return get_text(consul_acl_auth_method_update, name, auth_method, settings);
    }

    /// Deletes an auth method. `ok` also when it does not exist.
    result<void> auth_method_delete(const c_text &name, const options &settings = {}) const {
        return run(consul_acl_auth_method_delete, name, settings);
    }

    /// Makes a binding rule of a JSON object; gives it as Consul has it.
    result<std::string> binding_rule_create(const c_text &binding_rule, const options &settings = {}) const {
        return get_text(consul_acl_binding_rule_create, binding_rule, settings);
    }

    /// Reads a binding rule by its id.
    result<std::string> binding_rule_read(const c_text &id, const options &settings = {}) const {
        return get_text(consul_acl_binding_rule_read, id, settings);
    }

    /// Replaces a binding rule by a JSON object: what is not there is empty after that.
    result<std::string> binding_rule_update(const c_text &id, const c_text &binding_rule,
                                      const options &settings = {}) const {
        return get_text(consul_acl_binding_rule_update, id, binding_rule, settings);
    }

    /// Deletes a binding rule. `ok` also when it does not exist.
    result<void> binding_rule_delete(const c_text &id, const options &settings = {}) const {
        return run(consul_acl_binding_rule_delete, id, settings);
    }

    /// Lists auth methods, without their configuration: an array.
    result<std::string> auth_method_list(const options &settings = {}) const {
        return get_text(consul_acl_auth_method_list, settings);
    }

    /// Lists the binding rules of an auth method, or of all: an array.
    result<std::string> binding_rule_list(const c_text &auth_method = nullptr,
                                          const options &settings = {}) const {
        return get_text(consul_acl_binding_rule_list, auth_method, settings);
    }

    /// Logs in by an auth method with what proves who the caller is, such as a JWT. Gives a token,
    /// which ends with `logout`. It needs no token itself.
    result<std::string> login(const c_text &auth_method, const c_text &bearer_token,
                              const options &settings = {}) const {
        return get_text(consul_acl_login, auth_method, bearer_token, settings);
    }

    /// Ends the token that the client or the options have, which must come from a login.
    result<void> logout(const options &settings = {}) const {
        return run(consul_acl_logout, settings);
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
