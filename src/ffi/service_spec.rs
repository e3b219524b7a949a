//! # Registering services
//!
//! What does not fit gives `CONSUL_ERR_ARGUMENT` when it is registered, before anything is sent.
//!
//! ```c
//! consul_check_spec *ttl = NULL;
//! consul_service_spec *web = NULL;
//! consul_check_spec_new(NULL, &ttl);
//! consul_check_spec_set_ttl_ms(ttl, 15000);
//! consul_service_spec_new("web", &web);
//! consul_service_spec_set_port(web, 8080);
//! consul_service_spec_add_check(web, ttl);
//! if (consul_agent_service_register(client, web, NULL, NULL) == CONSUL_OK)
//!     consul_agent_check_pass(client, "service:web", NULL, NULL, NULL);
//! consul_service_spec_free(web);
//! consul_check_spec_free(ttl);
//! ```

use super::check_spec::consul_check_spec;
use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_service_spec;
use super::status::consul_status;
use super::{input, output};
use crate::api::agent::ServiceDefinition;
use crate::error::{Error, Result};
use serde_json::Value;
use std::ffi::c_char;

impl Handle for consul_service_spec {
    type Object = ServiceDefinition;
}

/// Describes an instance of the service with this name. Free it with `consul_service_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_new(
    name: *const c_char,
    out: *mut *mut consul_service_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        out.give(ServiceDefinition::new(name))
    })
}

/// Its id, unique on the agent; its name when it is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_set_id(
    spec: *mut consul_service_spec,
    id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.id(input::required_str(id, "id")?)) })
}

/// One more tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_add_tag(
    spec: *mut consul_service_spec,
    tag: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.tag(input::required_str(tag, "tag")?)) })
}

/// Where it listens; the node's address when it is not set. `0.0.0.0` and `::` lead nobody there
/// and are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_set_address(
    spec: *mut consul_service_spec,
    address: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.address(input::required_str(address, "address")?)) })
}

/// The port it listens at, 0 to 65535.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_set_port(
    spec: *mut consul_service_spec,
    port: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.port(input::small(port, "port")?)))
}

/// One more pair of metadata: at most 64, the key of 1 to 128 letters, digits, `-` and `_`, the
/// value of at most 512 bytes. Keys that begin with `consul-` are Consul's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_add_meta(
    spec: *mut consul_service_spec,
    key: *const c_char,
    value: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let key = input::required_str(key, "key")?;
        Ok(spec.meta(key, input::required_str(value, "value")?))
    })
}

/// One more address, such as `wan`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_add_tagged_address(
    spec: *mut consul_service_spec,
    name: *const c_char,
    address: *const c_char,
    port: u32,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let name = input::required_str(name, "name")?;
        let address = input::required_str(address, "address")?;
        Ok(spec.tagged_address(name, address, input::small(port, "port")?))
    })
}

/// How much of the traffic it shall get, compared with the other instances: while passing, 1 to
/// 65535, and while warning, 0 to 65535. 1 and 1 when it is not set.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_set_weights(
    spec: *mut consul_service_spec,
    passing: u32,
    warning: u32,
) -> consul_status {
    change(spec, |spec| {
        Ok(spec.weights(input::small(passing, "passing")?, input::small(warning, "warning")?))
    })
}

/// Lets others change its tags in the catalog without the agent undoing it.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_set_enable_tag_override(
    spec: *mut consul_service_spec,
    enable: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.enable_tag_override(enable)))
}

/// What it is when it is no plain service, such as `connect-proxy` or `ingress-gateway`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_set_kind(
    spec: *mut consul_service_spec,
    kind: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.kind(input::required_str(kind, "kind")?)) })
}

/// How a proxy is set up: the `Proxy` of Consul's API.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_set_proxy_json(
    spec: *mut consul_service_spec,
    json: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.proxy(parsed(json)?)) })
}

/// How it takes part in the service mesh: the `Connect` of Consul's API, such as `{"Native":
/// true}`, or `{"SidecarService": {}}` to register a proxy along with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_service_spec_set_connect_json(
    spec: *mut consul_service_spec,
    json: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.connect(parsed(json)?)) })
}

/// One more check; `check` stays the caller's. Without an id it is `service:ID`, or `service:ID:1`
/// and so on where there are several.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_add_check(
    spec: *mut consul_service_spec,
    check: *const consul_check_spec,
) -> consul_status {
    change(spec, |spec| Ok(spec.check(handle::get(check)?.clone())))
}

/// Removes the checks that the service has and that are not described here. They stay otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_set_replace_existing_checks(
    spec: *mut consul_service_spec,
    replace: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.replace_existing_checks(replace)))
}

/// Ends a description; the service stays registered. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_spec_free(spec: *mut consul_service_spec) {
    handle::free(spec);
}

/// # Safety
/// `json` is NULL or NUL-terminated.
unsafe fn parsed(json: *const c_char) -> Result<Value> {
    // SAFETY: the caller's promise.
    let json = unsafe { input::required_str(json, "json") }?;
    serde_json::from_str(json).map_err(|error| Error::argument(format!("json: {error}")))
}
