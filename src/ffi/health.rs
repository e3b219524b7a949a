//! # Health
//!
//! Where services run, and how they are. `near`, `filter`, node metadata, consistency and blocking
//! are set in the options.
//!
//! ```c
//! consul_service_entries *web = NULL;
//! if (consul_health_service(client, "web", true, NULL, 0, NULL, NULL, &web) == CONSUL_OK)
//!     for (size_t i = 0; i < consul_service_entries_count(web); i++) {
//!         const consul_service_entry *entry = consul_service_entries_at(web, i);
//!         printf("%s:%u\n", entry->address, (unsigned)entry->service->port);
//!     }
//! consul_service_entries_free(web);
//! ```

use super::asynchronous::{consul_async, done};
use super::checks::{self, consul_checks};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::service_entries::{self, consul_service_entries};
use super::status::consul_status;
use super::{call, input};
use std::ffi::c_char;

/// Finds the instances of a service that have all of these tags (NULL and 0: whatever their tags);
/// with `passing` only those whose checks all pass, their node's included. Finding none is
/// `CONSUL_OK` with a count of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_service(
    client: *const consul_client,
    service: *const c_char,
    passing: bool,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        // SAFETY: as above.
        let tags = unsafe { input::str_list(tags, tag_count, "tags") }?;
        let answer = client.health().service(service, passing, &tags, &options)?;
        ending.give(out, answer, |answer| done(service_entries::listing(answer)))
    })
}

/// Finds what to connect to in the service mesh for a service: its proxies, and those instances
/// that speak for themselves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_connect(
    client: *const consul_client,
    service: *const c_char,
    passing: bool,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        // SAFETY: as above.
        let tags = unsafe { input::str_list(tags, tag_count, "tags") }?;
        let answer = client.health().connect(service, passing, &tags, &options)?;
        ending.give(out, answer, |answer| done(service_entries::listing(answer)))
    })
}

/// Finds the ingress gateways that let traffic in for a service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_ingress(
    client: *const consul_client,
    service: *const c_char,
    passing: bool,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        // SAFETY: as above.
        let tags = unsafe { input::str_list(tags, tag_count, "tags") }?;
        let answer = client.health().ingress(service, passing, &tags, &options)?;
        ending.give(out, answer, |answer| done(service_entries::listing(answer)))
    })
}

/// Reads the checks of a node and of what runs on it; none for a node that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_node(
    client: *const consul_client,
    node: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_checks,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        ending
            .give(out, client.health().node(node, &options)?, |found| done(checks::listing(found)))
    })
}

/// Reads the checks of a service's instances, those of their nodes left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_checks(
    client: *const consul_client,
    service: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_checks,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        ending.give(out, client.health().checks(service, &options)?, |found| {
            done(checks::listing(found))
        })
    })
}

/// Reads the checks that are in this state: `any`, `passing`, `warning` or `critical`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_state(
    client: *const consul_client,
    state: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_checks,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let state = unsafe { input::required_str(state, "state") }?;
        ending.give(out, client.health().state(state.parse()?, &options)?, |found| {
            done(checks::listing(found))
        })
    })
}
