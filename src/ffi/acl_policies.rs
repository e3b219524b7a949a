//! Policies: what those who have them may do.

use super::acl_documents;
use super::asynchronous::consul_async;
use super::client::consul_client;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use crate::api::acl::Policy;
use std::ffi::c_char;

/// Makes a policy of a JSON object; `out` gets it with its ids. Its `Rules` are HCL or JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_create(
    client: *const consul_client,
    policy: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::create::<Policy>(client, policy, options, r#async, out) }
}

/// Reads a policy by its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_read(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read::<Policy>(client, (id, "id"), options, r#async, out) }
}

/// Reads a policy by its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_read_by_name(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read_by_name::<Policy>(client, name, options, r#async, out) }
}

/// Replaces a policy by a JSON object: what is not there is empty after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_update(
    client: *const consul_client,
    id: *const c_char,
    policy: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::update::<Policy>(client, (id, "id"), policy, options, r#async, out) }
}

/// Deletes a policy. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_delete(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::delete::<Policy>(client, (id, "id"), options, r#async) }
}

/// Lists policies, without their rules: an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::list::<Policy>(client, options, r#async, out) }
}
