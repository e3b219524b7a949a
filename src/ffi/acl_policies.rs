//! Policies: what those who have them may do.

use super::acl::{found, told};
use super::asynchronous::{consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::api::acl::Policy;
use crate::api::document::Text;
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let policy = unsafe { input::required_str(policy, "policy") }?;
        let policy = Text::object(policy.as_bytes(), "policy")?;
        ending.give(out, client.acl().texts::<Policy>().create(&policy, &options)?, told)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        ending.give(out, client.acl().texts::<Policy>().read(id, &options)?, found)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        ending.give(out, client.acl().texts::<Policy>().read_by_name(name, &options)?, found)
    })
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
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        // SAFETY: as above.
        let policy = unsafe { input::required_str(policy, "policy") }?;
        let policy = Text::object(policy.as_bytes(), "policy")?;
        ending.give(out, client.acl().texts::<Policy>().update(id, &policy, &options)?, told)
    })
}

/// Deletes a policy. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_delete(
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
        ending.end(client.acl().texts::<Policy>().delete(id, &options)?, ok)
    })
}

/// Lists policies, without their rules: an array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_acl_policy_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.acl().texts::<Policy>().list(&options)?, told)
    })
}
