//! # Registering checks
//!
//! A check has exactly one kind: `ttl`, `http`, `tcp`, `grpc`, `script` or `alias`. Every kind that
//! the agent runs needs an interval. What does not fit together gives `CONSUL_ERR_ARGUMENT` when it
//! is registered, before anything is sent.

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_check_spec;
use super::status::consul_status;
use super::{input, output};
use crate::api::agent::CheckDefinition;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_check_spec {
    type Object = CheckDefinition;
}

/// Describes a check; `name` may be NULL for one within a service, which Consul names then. Free it
/// with `consul_check_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_new(
    name: *const c_char,
    out: *mut *mut consul_check_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let name = unsafe { input::optional_str(name, "name") }?;
        out.give(CheckDefinition::new(name.unwrap_or_default()))
    })
}

/// Its id, unique on the agent; its name when it is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_id(
    spec: *mut consul_check_spec,
    id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.id(input::required_str(id, "id")?)) })
}

/// A text for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_notes(
    spec: *mut consul_check_spec,
    notes: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.notes(input::required_str(notes, "notes")?)) })
}

/// The service that it is about, by its id; the whole node when it is not set. A check within a
/// service is about that service and takes none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_service_id(
    spec: *mut consul_check_spec,
    service_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        Ok(spec.service_id(input::required_str(service_id, "service_id")?))
    })
}

/// What it is until it has first checked: `passing`, `warning` or `critical`, which it is when this
/// is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_status(
    spec: *mut consul_check_spec,
    status: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.status(input::required_str(status, "status")?.parse()?)) })
}

/// Makes it a TTL check: it turns critical when nobody reports on it for this long.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_ttl_ms(
    spec: *mut consul_check_spec,
    ttl_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.ttl(Duration::from_millis(ttl_ms))))
}

/// Makes it an HTTP check: the agent asks this URL. 2xx passes, 429 warns, all else is critical.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_http(
    spec: *mut consul_check_spec,
    url: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.http(input::required_str(url, "url")?)) })
}

/// The method of an HTTP check; GET when it is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_http_method(
    spec: *mut consul_check_spec,
    method: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.http_method(input::required_str(method, "method")?)) })
}

/// One more header of an HTTP check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_add_http_header(
    spec: *mut consul_check_spec,
    name: *const c_char,
    value: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let name = input::required_str(name, "name")?;
        Ok(spec.http_header(name, input::required_str(value, "value")?))
    })
}

/// The body that an HTTP check sends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_http_body(
    spec: *mut consul_check_spec,
    body: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.http_body(input::required_str(body, "body")?)) })
}

/// Leaves the certificate of an HTTP or gRPC check's server unchecked.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_tls_skip_verify(
    spec: *mut consul_check_spec,
    skip: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.tls_skip_verify(skip)))
}

/// The name to expect in the certificate of an HTTP check's server. Consul before 1.9 refuses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_tls_server_name(
    spec: *mut consul_check_spec,
    name: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.tls_server_name(input::required_str(name, "name")?)) })
}

/// Makes it a TCP check: the agent connects to `host:port`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_tcp(
    spec: *mut consul_check_spec,
    address: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.tcp(input::required_str(address, "address")?)) })
}

/// Makes it a gRPC check: the agent asks the standard health service at `host:port` or
/// `host:port/service`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_grpc(
    spec: *mut consul_check_spec,
    address: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.grpc(input::required_str(address, "address")?)) })
}

/// Lets a gRPC check use TLS.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_grpc_use_tls(
    spec: *mut consul_check_spec,
    tls: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.grpc_use_tls(tls)))
}

/// Makes it a script check: the agent runs this program with these arguments. Exit code 0 passes, 1
/// warns, all else is critical. The agent's configuration must allow it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_script(
    spec: *mut consul_check_spec,
    arguments: *const *const c_char,
    count: usize,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.script(input::str_list(arguments, count, "arguments")?)) })
}

/// Runs the script within a Docker container, by `shell`, which may be NULL for Docker's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_docker(
    spec: *mut consul_check_spec,
    container: *const c_char,
    shell: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let container = input::required_str(container, "container")?;
        Ok(spec.docker(container, input::optional_str(shell, "shell")?.unwrap_or_default()))
    })
}

/// Makes it an alias check: it is as healthy as the service with this id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_alias_service(
    spec: *mut consul_check_spec,
    service_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        Ok(spec.alias_service(input::required_str(service_id, "service_id")?))
    })
}

/// Makes it an alias check: it is as healthy as this node. Be sure that the node exists: Consul
/// 1.8.7 crashes when it does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_check_spec_set_alias_node(
    spec: *mut consul_check_spec,
    node: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.alias_node(input::required_str(node, "node")?)) })
}

/// How often the agent checks. It takes less than a second as a second.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_interval_ms(
    spec: *mut consul_check_spec,
    interval_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.interval(Duration::from_millis(interval_ms))))
}

/// How long one check may take.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_timeout_ms(
    spec: *mut consul_check_spec,
    timeout_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.timeout(Duration::from_millis(timeout_ms))))
}

/// Deregisters the service after it was critical for this long. Consul takes less than a minute as
/// a minute, and looks every 30 s.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_deregister_after_ms(
    spec: *mut consul_check_spec,
    after_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.deregister_critical_service_after(Duration::from_millis(after_ms))))
}

/// How often in a row it must succeed to turn passing; at once when it is not set. What the first
/// check finds counts at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_success_before_passing(
    spec: *mut consul_check_spec,
    times: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.success_before_passing(times)))
}

/// How often in a row it must fail to turn critical; as above.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_set_failures_before_critical(
    spec: *mut consul_check_spec,
    times: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.failures_before_critical(times)))
}

/// Ends a description. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_check_spec_free(spec: *mut consul_check_spec) {
    handle::free(spec);
}
