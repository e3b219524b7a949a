//! Roles: policies that go together.

use super::acl::{found, told};
use super::asynchronous::{consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::api::acl::Role;
use crate::api::document::Text;
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let role = unsafe { input::required_str(role, "role") }?;
        let role = Text::object(role.as_bytes(), "role")?;
        ending.give(out, client.acl().texts::<Role>().create(&role, &options)?, told)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        ending.give(out, client.acl().texts::<Role>().read(id, &options)?, found)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        ending.give(out, client.acl().texts::<Role>().read_by_name(name, &options)?, found)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        // SAFETY: as above.
        let role = unsafe { input::required_str(role, "role") }?;
        let role = Text::object(role.as_bytes(), "role")?;
        ending.give(out, client.acl().texts::<Role>().update(id, &role, &options)?, told)
    })
}

/// Deletes a role. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_delete(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        ending.end(client.acl().texts::<Role>().delete(id, &options)?, ok)
    })
}

/// Lists roles: an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_role_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.acl().texts::<Role>().list(&options)?, told)
    })
}
