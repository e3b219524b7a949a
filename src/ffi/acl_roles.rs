//! Roles: policies that go together.

use super::acl_documents;
use super::asynchronous::consul_async;
use super::client::consul_client;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use crate::api::acl::Role;
use std::ffi::c_char;

/// Makes a role of a JSON object; `out` gets it with its ids. Its `Policies` are an array of `{"Name": ...}` or `{"ID": ...}`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_create(
    client: *const consul_client,
    role: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::create::<Role>(client, role, options, r#async, out) }
}

/// Reads a role by its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_read(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read::<Role>(client, (id, "id"), options, r#async, out) }
}

/// Reads a role by its name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_read_by_name(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::read_by_name::<Role>(client, name, options, r#async, out) }
}

/// Replaces a role by a JSON object: what is not there is empty after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_update(
    client: *const consul_client,
    id: *const c_char,
    role: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::update::<Role>(client, (id, "id"), role, options, r#async, out) }
}

/// Deletes a role. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_delete(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::delete::<Role>(client, (id, "id"), options, r#async) }
}

/// Lists roles: an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    unsafe { acl_documents::list::<Role>(client, options, r#async, out) }
}
