//! Logins, and the auth methods and binding rules by which those without a token get one.

use super::acl_documents::{self, told};
use super::asynchronous::{consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::api::acl::{AuthMethod, BindingRule, Login, Token};
use crate::api::document::Text;
use std::ffi::c_char;

/// Logs in by an auth method with what proves who the caller is, such as a JWT or the token of a Kubernetes
/// service account. `out` gets a token, which ends with `consul_acl_logout`. It needs no token itself.
/// `CONSUL_ERR_DENIED` when there is no such method or it does not believe it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_login(
    client: *const consul_client,
    auth_method: *const c_char,
    bearer_token: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let auth_method = unsafe { input::required_str(auth_method, "auth_method") }?;
        // SAFETY: as above.
        let bearer_token = unsafe { input::required_str(bearer_token, "bearer_token") }?;
        let login = Login { auth_method, bearer_token, ..Login::default() };
        ending.give(out, client.acl().login_as::<Text<Token>>(&login, &options)?, told)
    })
}

/// Ends the token that the client or the options have, which must come from a login: `CONSUL_ERR_DENIED`
/// otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_logout(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        ending.end(client.acl().logout(&options)?, ok)
    })
}

/// Makes an auth method of a JSON object, with its `Name`, `Type` and `Config`; `out` gets it. The
/// `Config` may hold secrets, which stand in no message and not in the log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_auth_method_create(
    client: *const consul_client,
    auth_method: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::create::<AuthMethod>(client, auth_method, options, r#async, out) }
}

/// Reads an auth method by its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_auth_method_read(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read::<AuthMethod>(client, (name, "name"), options, r#async, out) }
}

/// Replaces an auth method by a JSON object: what is not there is empty after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_auth_method_update(
    client: *const consul_client,
    name: *const c_char,
    auth_method: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe {
        acl_documents::update::<AuthMethod>(
            client,
            (name, "name"),
            auth_method,
            options,
            r#async,
            out,
        )
    }
}

/// Deletes an auth method. The tokens that it gave end with it. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_auth_method_delete(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::delete::<AuthMethod>(client, (name, "name"), options, r#async) }
}

/// Lists auth methods, without their `Config`: an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_auth_method_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::list::<AuthMethod>(client, options, r#async, out) }
}

/// Makes a binding rule of a JSON object; `out` gets it with its id. `AuthMethod` names the method,
/// `Selector` says which logins it is for, `BindType` (`service`, `role` or `node`) and `BindName` what
/// their tokens may do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_binding_rule_create(
    client: *const consul_client,
    binding_rule: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::create::<BindingRule>(client, binding_rule, options, r#async, out) }
}

/// Reads a binding rule by its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_binding_rule_read(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read::<BindingRule>(client, (id, "id"), options, r#async, out) }
}

/// Replaces a binding rule by a JSON object: what is not there is empty after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_binding_rule_update(
    client: *const consul_client,
    id: *const c_char,
    binding_rule: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe {
        acl_documents::update::<BindingRule>(
            client,
            (id, "id"),
            binding_rule,
            options,
            r#async,
            out,
        )
    }
}

/// Deletes a binding rule. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_binding_rule_delete(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::delete::<BindingRule>(client, (id, "id"), options, r#async) }
}

/// Lists the binding rules of an auth method: an array. `auth_method` may be NULL: those of all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_binding_rule_list(
    client: *const consul_client,
    auth_method: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let auth_method = unsafe { input::optional_str(auth_method, "auth_method") }?;
        let rules = client.acl().texts::<BindingRule>();
        let listed = match auth_method {
            Some(auth_method) => rules.list_of(auth_method, &options)?,
            None => rules.list(&options)?,
        };
        ending.give(out, listed, told)
    })
}
