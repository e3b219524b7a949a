//! # Writing into the catalog
//!
//! For nodes without an agent.

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_registration;
use super::service_spec::consul_service_spec;
use super::status::consul_status;
use super::{input, output};
use crate::api::Check;
use crate::api::catalog::Registration;
use std::ffi::c_char;

impl Handle for consul_registration {
    type Object = Registration;
}

/// Describes a node with its address. `address` may be NULL for a node that exists and is left as
/// it is. Free it with `consul_registration_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_new(
    node: *const c_char,
    address: *const c_char,
    out: *mut *mut consul_registration,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        // SAFETY: as above.
        let address = unsafe { input::optional_str(address, "address") }?;
        out.give(match address {
            Some(address) => Registration::new(node, address),
            None => Registration::on(node),
        })
    })
}

/// The node's UUID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_set_id(
    registration: *mut consul_registration,
    id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(registration, |registration| unsafe {
        Ok(registration.id(input::required_str(id, "id")?))
    })
}

/// The node's datacenter, when it is not that of the call's options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_set_datacenter(
    registration: *mut consul_registration,
    datacenter: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(registration, |registration| unsafe {
        Ok(registration.datacenter(input::required_str(datacenter, "datacenter")?))
    })
}

/// One more address of the node, such as `wan`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_add_tagged_address(
    registration: *mut consul_registration,
    name: *const c_char,
    address: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(registration, |registration| unsafe {
        let name = input::required_str(name, "name")?;
        Ok(registration.tagged_address(name, input::required_str(address, "address")?))
    })
}

/// One more pair of the node's metadata.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_add_node_meta(
    registration: *mut consul_registration,
    key: *const c_char,
    value: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(registration, |registration| unsafe {
        let key = input::required_str(key, "key")?;
        Ok(registration.node_meta(key, input::required_str(value, "value")?))
    })
}

/// The service on it; `service` stays the caller's. One with checks of its own is refused, since
/// the catalog runs none.
#[unsafe(no_mangle)]
pub extern "C" fn consul_registration_set_service(
    registration: *mut consul_registration,
    service: *const consul_service_spec,
) -> consul_status {
    change(registration, |registration| {
        Ok(registration.service(handle::get(service)?.clone().into_service()?))
    })
}

/// One more check, which nobody runs: whoever writes it here keeps its `status`, `passing`,
/// `warning` or `critical`, up to date. Without an id its name is its id. It is about a service, or
/// else about the node: `check_id`, `service_id`, `notes` and `output` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_registration_add_check(
    registration: *mut consul_registration,
    check_id: *const c_char,
    name: *const c_char,
    status: *const c_char,
    service_id: *const c_char,
    notes: *const c_char,
    output: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(registration, |registration| unsafe {
        let text = |text, name| input::optional_str(text, name).map(Option::unwrap_or_default);
        Ok(registration.check(Check {
            id: text(check_id, "check_id")?.to_string(),
            name: input::required_str(name, "name")?.to_string(),
            status: input::required_str(status, "status")?.to_string(),
            service_id: text(service_id, "service_id")?.to_string(),
            notes: text(notes, "notes")?.to_string(),
            output: text(output, "output")?.to_string(),
            ..Check::default()
        }))
    })
}

/// Ends a description. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_registration_free(registration: *mut consul_registration) {
    handle::free(registration);
}
