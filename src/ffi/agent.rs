//! # The agent
//!
//! The agent that the client talks to. It passes on what is registered with it; a moment may go by
//! until the catalog and other nodes see it.

use super::asynchronous::{consul_async, done, found, ok};
use super::check_spec::consul_check_spec;
use super::checks::{self, consul_checks};
use super::client::consul_client;
use super::guard::guard;
use super::handle;
use super::options::consul_options;
use super::service_entries::{self, consul_service_entries};
use super::service_spec::consul_service_spec;
use super::services::{self, consul_services};
use super::status::consul_status;
use super::{call, input};
use std::ffi::c_char;

/// Registers a service with its checks, or changes the one that has its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_service_register(
    client: *const consul_client,
    spec: *const consul_service_spec,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        let spec = handle::get(spec)?;
        ending.end(client.agent().register_service(&spec, &options)?, ok)
    })
}

/// Deregisters a service with its checks. `CONSUL_OK` also when it was not registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_service_deregister(
    client: *const consul_client,
    service_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let service_id = unsafe { input::required_str(service_id, "service_id") }?;
        ending.end(client.agent().deregister_service(service_id, &options)?, ok)
    })
}

/// Registers a check, or changes the one that has its id. A check of a service needs that service
/// to be registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_register(
    client: *const consul_client,
    spec: *const consul_check_spec,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        let spec = handle::get(spec)?;
        ending.end(client.agent().register_check(&spec, &options)?, ok)
    })
}

/// Deregisters a check. `CONSUL_OK` also when it was not registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_deregister(
    client: *const consul_client,
    check_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        ending.end(client.agent().deregister_check(check_id, &options)?, ok)
    })
}

/// Reports a TTL check as passing. `CONSUL_NOT_FOUND` when the agent has no such TTL check. `note`
/// is for people and may be NULL. Every change of it wakes all who watch the service, so a constant
/// one is best.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_pass(
    client: *const consul_client,
    check_id: *const c_char,
    note: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        // SAFETY: as above.
        let note = unsafe { input::optional_str(note, "note") }?;
        ending.end(client.agent().check_pass(check_id, note.unwrap_or_default(), &options)?, ok)
    })
}

/// Reports a TTL check as warning. `note` may be NULL, and all is as for `consul_agent_check_pass`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_warn(
    client: *const consul_client,
    check_id: *const c_char,
    note: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        // SAFETY: as above.
        let note = unsafe { input::optional_str(note, "note") }?;
        ending.end(client.agent().check_warn(check_id, note.unwrap_or_default(), &options)?, ok)
    })
}

/// Reports a TTL check as critical. `note` may be NULL, and all is as for
/// `consul_agent_check_pass`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_fail(
    client: *const consul_client,
    check_id: *const c_char,
    note: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        // SAFETY: as above.
        let note = unsafe { input::optional_str(note, "note") }?;
        ending.end(client.agent().check_fail(check_id, note.unwrap_or_default(), &options)?, ok)
    })
}

/// Reports the status of a TTL check, `passing`, `warning` or `critical`, with its output. `output`
/// may be NULL; the agent keeps 4096 bytes of it. All is as for `consul_agent_check_pass`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_check_update(
    client: *const consul_client,
    check_id: *const c_char,
    status: *const c_char,
    output: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        // SAFETY: as above.
        let status = unsafe { input::required_str(status, "status") }?;
        // SAFETY: as above.
        let output = unsafe { input::optional_str(output, "output") }?;
        let (status, output) = (status.parse()?, output.unwrap_or_default());
        ending.end(client.agent().check_update(check_id, status, output, &options)?, ok)
    })
}

/// Puts the agent's node into maintenance, or ends it: none of its services counts as healthy.
/// `reason` is for people and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_maintenance(
    client: *const consul_client,
    enable: bool,
    reason: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let reason = unsafe { input::optional_str(reason, "reason") }?;
        ending.end(client.agent().maintenance(enable, reason.unwrap_or_default(), &options)?, ok)
    })
}

/// Puts one service into maintenance, or ends it. `CONSUL_NOT_FOUND` when it is not registered.
/// `reason` is for people and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_service_maintenance(
    client: *const consul_client,
    service_id: *const c_char,
    enable: bool,
    reason: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let service_id = unsafe { input::required_str(service_id, "service_id") }?;
        // SAFETY: as above.
        let reason = unsafe { input::optional_str(reason, "reason") }?;
        let reason = reason.unwrap_or_default();
        ending.end(client.agent().service_maintenance(service_id, enable, reason, &options)?, ok)
    })
}

/// Reads the services that are registered with the agent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_services(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_services,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending
            .give(out, client.agent().services(&options)?, |found| done(services::of_agent(&found)))
    })
}

/// Reads a service that is registered with the agent; `CONSUL_NOT_FOUND` when there is none, with
/// an empty answer in `out`. With the `content_hash` of an earlier answer it waits until the
/// service is not as it was, or the `wait_ms` of the options are over. `content_hash` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_service(
    client: *const consul_client,
    service_id: *const c_char,
    content_hash: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_services,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service_id = unsafe { input::required_str(service_id, "service_id") }?;
        // SAFETY: as above.
        let content_hash = unsafe { input::optional_str(content_hash, "content_hash") }?;
        let service = client.agent().service(service_id, content_hash, &options)?;
        ending
            .give(out, service, |service| found(service.is_some(), services::one_of_agent(service)))
    })
}

/// Reads the checks that the agent runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_checks(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_checks,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.agent().checks(&options)?, |found| done(checks::of_agent(found)))
    })
}

/// Reads how a service on this agent is; `CONSUL_NOT_FOUND` when it is not registered, with an
/// empty answer in `out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_service_health(
    client: *const consul_client,
    service_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service_id = unsafe { input::required_str(service_id, "service_id") }?;
        let health = client.agent().service_health(service_id, &options)?;
        ending.give(out, health, |health| {
            found(health.is_some(), service_entries::of_agent(health.as_slice()))
        })
    })
}

/// Reads how the instances of a service on this agent are, by its name. Finding none is `CONSUL_OK`
/// with a count of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_services_health(
    client: *const consul_client,
    service: *const c_char,
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
        let health = client.agent().services_health(service, &options)?;
        ending.give(out, health, |health| done(service_entries::of_agent(&health)))
    })
}
