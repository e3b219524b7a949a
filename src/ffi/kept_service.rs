//! # Services that stay registered
//!
//! The library registers a service, sends its heartbeat from a thread of its own, and registers it
//! again when the agent has lost it, with the status that it had. Beside the checks of its
//! description the service gets a TTL check, `service:ID:ttl`. An id belongs to one handle: two that
//! keep the same id undo each other's changes.
//!
//! ```c
//! consul_service_spec *web = NULL;
//! consul_kept_service_spec *spec = NULL;
//! consul_kept_service *service = NULL;
//! consul_service_spec_new("web", &web);
//! consul_service_spec_set_port(web, 8080);
//! consul_kept_service_spec_new(web, &spec);
//! consul_kept_service_spec_set_deregister_after_ms(spec, 600000);
//! consul_kept_service_new(client, spec, &service);
//! consul_kept_service_spec_free(spec);
//! consul_service_spec_free(web);
//! if (consul_kept_service_start(service, NULL) == CONSUL_OK)
//!     consul_kept_service_set_status(service, "warning", "cache is cold");
//! consul_kept_service_close(service, NULL);
//! consul_kept_service_free(service);
//! ```

use super::asynchronous::{self, consul_async, ok};
use super::client::consul_client;
use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::{consul_kept_service, consul_kept_service_spec};
use super::options::{self, consul_options};
use super::service_spec::consul_service_spec;
use super::status::consul_status;
use super::{input, output};
use crate::api::CheckStatus;
use crate::error::Status;
use crate::recipes::registration::{Heartbeat, KeptService, KeptServiceSpec};
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

impl Handle for consul_kept_service_spec {
    type Object = KeptServiceSpec;
}

/// A kept service, and its ids as C reads them.
pub struct Object {
    service: KeptService,
    id: CString,
    check_id: CString,
}

impl std::ops::Deref for Object {
    type Target = KeptService;

    fn deref(&self) -> &KeptService {
        &self.service
    }
}

impl Handle for consul_kept_service {
    type Object = Object;
    const BELONGS_TO_PROCESS: bool = true;

    /// It is deregistered in the background while calls on other threads still use it.
    fn freed(service: &Object) {
        service.abandon();
    }
}

/// Describes a service that stays registered: this service, with a TTL of 15 s and a heartbeat in
/// the background, passing from the start. `service` stays the caller's. Everything in it is
/// checked by `consul_kept_service_new`. Free it with `consul_kept_service_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_spec_new(
    service: *const consul_service_spec,
    out: *mut *mut consul_kept_service_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        out.give(KeptServiceSpec::new(handle::get(service)?.clone()))
    })
}

/// After how long without a heartbeat the agent takes it for critical, 1000 ms at least. 0 for a
/// service without a heartbeat: it stays registered, and only its own checks tell how it is.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_spec_set_ttl_ms(
    spec: *mut consul_kept_service_spec,
    ttl_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.ttl(Duration::from_millis(ttl_ms))))
}

/// Whether the program must call `consul_kept_service_pat` at least once a TTL: without it the
/// service turns critical. Otherwise it passes as long as the process lives, whatever the program's
/// threads do.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_spec_set_must_pat(
    spec: *mut consul_kept_service_spec,
    must_pat: bool,
) -> consul_status {
    let heartbeat = if must_pat { Heartbeat::Program } else { Heartbeat::Background };
    change(spec, |spec| Ok(spec.heartbeat(heartbeat)))
}

/// What it is until the program says otherwise: `passing`, which it is when this is not set,
/// `warning` or `critical`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_spec_set_status(
    spec: *mut consul_kept_service_spec,
    status: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.status(input::required_str(status, "status")?.parse()?)) })
}

/// The note of its heartbeat until the program says otherwise; empty when it is not set. It stays
/// the same from one heartbeat to the next, since every change wakes all who watch the service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_spec_set_note(
    spec: *mut consul_kept_service_spec,
    note: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.note(input::required_str(note, "note")?)) })
}

/// Has the agent deregister it after it was critical for this long: what a program that was killed
/// leaves behind. Consul takes less than a minute as a minute, and looks every 30 s.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_spec_set_deregister_after_ms(
    spec: *mut consul_kept_service_spec,
    deregister_after_ms: u64,
) -> consul_status {
    let after = Duration::from_millis(deregister_after_ms);
    change(spec, |spec| Ok(spec.deregister_critical_after(after)))
}

/// With what token, namespace and partition it is registered; `options` may be NULL, for the
/// client's. The rest of the options is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_spec_set_options(
    spec: *mut consul_kept_service_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Ends a description; services that were made from it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_spec_free(spec: *mut consul_kept_service_spec) {
    handle::free(spec);
}

/// Makes a service to keep registered from a copy of its description. Sends nothing.
/// `CONSUL_ERR_ARGUMENT` when something in the description cannot be. Free it with
/// `consul_kept_service_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_new(
    client: *const consul_client,
    spec: *const consul_kept_service_spec,
    out: *mut *mut consul_kept_service,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let service = client.keep_service(handle::get(spec)?.clone())?;
        let id = CString::new(service.id()).unwrap_or_default();
        let check_id = CString::new(service.check_id()).unwrap_or_default();
        out.give(Object { service, id, check_id })
    })
}

/// Registers it, and keeps it registered from then on. An error says how the first try went, that it
/// was cancelled too: the library goes on trying all the same. `CONSUL_OK` also when it was started before,
/// `CONSUL_ERR_CLOSED` when it or its client was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_start(
    service: *const consul_kept_service,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let service = handle::get(service)?.styled(ending.style());
        ending.end(service.start()?, ok)
    })
}

/// Lets it alone from now on: it stays registered, and its heartbeat ends. Returns at once. It can
/// be started again.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_stop(service: *const consul_kept_service) -> consul_status {
    guard(|| {
        handle::get(service)?.stop();
        Ok(Status::Ok)
    })
}

/// Deregisters it from its agent and says how that went. After an error the library goes on trying
/// in the background for two TTLs, a minute at least.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_close(
    service: *const consul_kept_service,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let service = handle::get(service)?.styled(ending.style());
        ending.end(service.close()?, ok)
    })
}

/// Says how the program is from now on: `passing`, `warning` or `critical`. `note` is for people
/// and may be NULL; every change of it wakes all who watch the service. Returns at once: the agent
/// is told within a round trip, and every heartbeat says it again. `CONSUL_ERR_ARGUMENT` when the
/// service has no TTL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_set_status(
    service: *const consul_kept_service,
    status: *const c_char,
    note: *const c_char,
) -> consul_status {
    guard(|| {
        let service = handle::get(service)?;
        // SAFETY: pointers as the header asks for.
        let status = unsafe { input::required_str(status, "status") }?.parse()?;
        // SAFETY: as above.
        let note = unsafe { input::optional_str(note, "note") }?;
        service.set_status(status, note.unwrap_or_default())?;
        Ok(Status::Ok)
    })
}

/// Says that the program is as it said last. One that must pat does so at least once a TTL. Costs
/// no request, unless the program was silent for too long.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_pat(service: *const consul_kept_service) -> consul_status {
    guard(|| {
        handle::get(service)?.pat();
        Ok(Status::Ok)
    })
}

/// Changes what is registered; nothing is sent when it is the same. Its id stays, or this is
/// `CONSUL_ERR_ARGUMENT`. Returns at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_set_spec(
    service: *const consul_kept_service,
    spec: *const consul_service_spec,
) -> consul_status {
    guard(|| {
        let spec = handle::get(spec)?.clone();
        handle::get(service)?.update(&spec)?;
        Ok(Status::Ok)
    })
}

/// Registers it anew with this token, and uses it from then on; `token` may be NULL, for the
/// client's. An agent keeps the token of a registration, so the service would vanish once an old one
/// ends. Returns at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_set_token(
    service: *const consul_kept_service,
    token: *const c_char,
) -> consul_status {
    guard(|| {
        let service = handle::get(service)?;
        // SAFETY: pointers as the header asks for.
        let token = unsafe { input::optional_str(token, "token") }?;
        service.set_token(token);
        Ok(Status::Ok)
    })
}

/// Puts it into maintenance, or ends that. `reason` is for people and may be NULL. An agent that
/// loses the service gets it back in maintenance. `CONSUL_NOT_FOUND` when it is not registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_maintenance(
    service: *const consul_kept_service,
    enable: bool,
    reason: *const c_char,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let service = handle::get(service)?.styled(ending.style());
        // SAFETY: as above.
        let reason = unsafe { input::optional_str(reason, "reason") }?;
        ending.end(service.maintenance(enable, reason.unwrap_or_default())?, ok)
    })
}

/// What the program said last, or `critical` when it must pat and was silent for a TTL: `passing`,
/// `warning` or `critical`. NULL for a handle that is not live. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_status(service: *const consul_kept_service) -> *const c_char {
    handle::read(service, ptr::null(), |service| word(service.status()).as_ptr())
}

/// The id that it is registered by; NULL for a handle that is not live. Borrowed: valid until the
/// service is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_id(service: *const consul_kept_service) -> *const c_char {
    handle::read(service, ptr::null(), |service| service.id.as_ptr())
}

/// The id of the TTL check that the library reports on; as `consul_kept_service_id`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_check_id(
    service: *const consul_kept_service,
) -> *const c_char {
    handle::read(service, ptr::null(), |service| service.check_id.as_ptr())
}

/// Whether the agent is known to have it, as of the last exchange.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_is_registered(service: *const consul_kept_service) -> bool {
    handle::read(service, false, |service| service.is_registered())
}

/// How often it was written to an agent: 1 after the start, and more each time it was lost or
/// changed; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_registrations(service: *const consul_kept_service) -> u64 {
    handle::read(service, 0, |service| service.registrations())
}

/// Ends a service: it is deregistered in the background, unless it was stopped. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kept_service_free(service: *mut consul_kept_service) {
    handle::free(service);
}

/// Consul's word for a status, as C reads it.
pub(super) fn word(status: CheckStatus) -> &'static CStr {
    match status {
        CheckStatus::Passing => c"passing",
        CheckStatus::Warning => c"warning",
        CheckStatus::Critical => c"critical",
    }
}
