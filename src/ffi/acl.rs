//! # Access control
//!
//! Tokens, the policies and roles that say what they may do, and the auth methods and binding rules by
//! which they are given out. What goes in and what comes out are
//! Consul's JSON objects, with its names: `{"Name": "app", "Rules": "key_prefix \"app/\" { ... }"}`. A
//! token is known by its `AccessorID`; its `SecretID`, which calls carry, stands in answers and never in
//! a message or the log.
//!
//! Where access control is not enabled, every call here gives `CONSUL_ERR_HTTP` (401). A read of
//! something that does not exist is `CONSUL_NOT_FOUND`, `out` is NULL then; for tokens and policies Consul
//! 1.8 says `CONSUL_ERR_DENIED` with "ACL not found" instead, as to an unknown token.

use super::acl_documents::{self, told};
use super::asynchronous::consul_async;
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::api::acl::{Token, TokenFilter};
use crate::api::document::Text;
use std::ffi::c_char;

/// Makes the first token, which may do anything. It works once in the life of a cluster:
/// `CONSUL_ERR_DENIED` after that, with a message that says how to reset it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_bootstrap(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.acl().bootstrap_as::<Text<Token>>(&options)?, told)
    })
}

/// Makes a token of a JSON object; `out` gets it with its ids. Its `Policies` and `Roles` are arrays of `{"Name": ...}` or `{"ID": ...}`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_create(
    client: *const consul_client,
    token: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::create::<Token>(client, token, options, r#async, out) }
}

/// Reads a token by its accessor id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_read(
    client: *const consul_client,
    accessor_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe {
        acl_documents::read::<Token>(client, (accessor_id, "accessor_id"), options, r#async, out)
    }
}

/// Reads the token that the client or the options have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_self(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.acl().texts::<Token>().own(&options)?, told)
    })
}

/// Replaces a token by a JSON object: what is not there is empty after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_update(
    client: *const consul_client,
    accessor_id: *const c_char,
    token: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe {
        acl_documents::update::<Token>(
            client,
            (accessor_id, "accessor_id"),
            token,
            options,
            r#async,
            out,
        )
    }
}

/// Makes a token with the policies and roles of another one. `description`, which may be NULL, is the new
/// one's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_clone(
    client: *const consul_client,
    accessor_id: *const c_char,
    description: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let accessor_id = unsafe { input::required_str(accessor_id, "accessor_id") }?;
        // SAFETY: as above.
        let description = unsafe { input::optional_str(description, "description") }?;
        let description = description.unwrap_or_default();
        let tokens = client.acl().texts::<Token>();
        ending.give(out, tokens.copy(accessor_id, description, &options)?, told)
    })
}

/// Deletes a token. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_delete(
    client: *const consul_client,
    accessor_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe {
        acl_documents::delete::<Token>(client, (accessor_id, "accessor_id"), options, r#async)
    }
}

/// Lists tokens, without their secrets on most versions of Consul: an array. `policy_id`, `role_id` and
/// `auth_method` may be NULL; otherwise only the tokens that have them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_token_list(
    client: *const consul_client,
    policy_id: *const c_char,
    role_id: *const c_char,
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
        let policy_id = unsafe { input::optional_str(policy_id, "policy_id") }?;
        // SAFETY: as above.
        let role_id = unsafe { input::optional_str(role_id, "role_id") }?;
        // SAFETY: as above.
        let auth_method = unsafe { input::optional_str(auth_method, "auth_method") }?;
        let filter = TokenFilter { policy: policy_id, role: role_id, auth_method };
        ending.give(out, client.acl().texts::<Token>().list_with(&filter, &options)?, told)
    })
}
