//! What arrives in a queue.

use super::error::{ErrorRow, NO_ERROR, consul_error};
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_event;
use super::kind::{
    Kind, consul_agent_info, consul_checks, consul_cluster_nodes, consul_endpoint_changes,
    consul_keys, consul_kv, consul_leader, consul_log_records, consul_members, consul_nodes,
    consul_raft_peers, consul_reencryption, consul_response, consul_service_entries,
    consul_service_names, consul_services, consul_session, consul_sessions, consul_text,
    consul_txn_result, consul_user_events,
};
use super::log;
use super::output;
use super::status::consul_status;
use super::watch::milliseconds;
use super::watch_feed::News;
use crate::error::{Error, Result, Status};
use crate::observe::log::Record;
use crate::runtime::queue::{Content, Event};
use crate::sync::Mutex;
use std::any::Any;
use std::ptr;

/// A call ended; it is the last event of its tag. Its status, error and result are the call's.
pub const CONSUL_EVENT_DONE: i32 = 1;

/// The object of a result, on its way through a queue.
pub(super) struct Given {
    kind: Kind,
    object: Box<dyn Any + Send>,
}

impl Given {
    pub(super) fn new<H: Handle>(object: H::Object) -> Given {
        Given { kind: H::KIND, object: Box::new(object) }
    }
}

/// What an event says besides its status, as a handle can give it.
fn given(result: Box<dyn Any + Send>) -> Option<Box<Given>> {
    match result.downcast::<Vec<Record>>() {
        Ok(records) => Some(Box::new(Given::new::<consul_log_records>(log::rows(&records)))),
        Err(result) => result.downcast().ok(),
    }
}

/// An event as C reads it.
pub struct Object {
    event_type: i32,
    tag: u64,
    status: consul_status,
    error: Option<ErrorRow>,
    /// What was given is another type's, once it is taken.
    result_type: Option<Kind>,
    result: Mutex<Option<Given>>,
    news: Option<News>,
}

impl Object {
    pub(super) fn new(event: Event) -> Object {
        let Content { outcome, result } = event.content;
        // "Not found" travels as an error where the call has no answer that could say it.
        let (status, error) = match outcome {
            Ok(status) => (status, None),
            Err(error) if !error.status().is_error() => (error.status(), None),
            Err(error) => (error.status(), Some(ErrorRow::new(&error))),
        };
        let (result, news) = match result.map(|result| result.downcast::<News>()) {
            Some(Ok(news)) => (None, Some(*news)),
            Some(Err(result)) => (given(result), None),
            None => (None, None),
        };
        Object {
            event_type: event.kind as i32,
            tag: event.tag,
            status: status.code(),
            error,
            result_type: result.as_ref().map(|given| given.kind),
            result: Mutex::new(result.map(|given| *given)),
            news,
        }
    }

    /// Moves the result out.
    fn take<H: Handle>(&self) -> Result<H::Object> {
        let (wanted, kind) = (H::KIND.name(), self.result_type);
        let refuse = |why: String| Err(Error::argument(why));
        match kind {
            None => return refuse(format!("the event has no result, {wanted} was asked for")),
            Some(kind) if kind != H::KIND => {
                let name = kind.name();
                return refuse(format!("the event's result is a {name}, {wanted} was asked for"));
            }
            Some(_) => {}
        }
        let Some(given) = self.result.lock().take() else {
            return refuse(format!("the event's {wanted} was taken already"));
        };
        let wrong = |_| Error::new(Status::Internal, "a result is not what it says");
        given.object.downcast().map(|object| *object).map_err(wrong)
    }
}

impl Handle for consul_event {
    type Object = Object;
    const BELONGS_TO_PROCESS: bool = true;
}

/// What it tells, `CONSUL_EVENT_...`; 0 for a handle that is not live. Ignore the types that you do
/// not know: there will be more.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_type(event: *const consul_event) -> i32 {
    handle::read(event, 0, |event| event.event_type)
}

/// The tag that its call was given; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_tag(event: *const consul_event) -> u64 {
    handle::read(event, 0, |event| event.tag)
}

/// What the blocking call would have returned; `CONSUL_ERR_HANDLE` for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_status(event: *const consul_event) -> consul_status {
    handle::read(event, Status::Handle.code(), |event| event.status)
}

/// What went wrong; a row with the status `CONSUL_OK` when nothing did. `consul_last_error` is not
/// touched by what arrives. NULL for a handle that is not live. Borrowed: valid until `event` is
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_error(event: *const consul_event) -> *const consul_error {
    handle::read(event, ptr::null(), |event| {
        event.error.as_ref().map_or(&raw const NO_ERROR, ErrorRow::as_ptr)
    })
}

/// The type of its result, `CONSUL_HANDLE_...`: which `consul_event_take_...` gives it. 0 when it
/// has none, and for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_result_type(event: *const consul_event) -> i32 {
    handle::read(event, 0, |event| event.result_type.map_or(0, |kind| kind as i32))
}

/// The version of the watch's newest state when the event was taken; 0 for other events.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_version(event: *const consul_event) -> u64 {
    handle::read(event, 0, |event| event.news.map_or(0, |news| news.version))
}

/// How long ago Consul confirmed the state of the watch that the event is about; `UINT64_MAX` when
/// it never did, and for other events.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_age_ms(event: *const consul_event) -> u64 {
    handle::read(event, 0, |event| milliseconds(event.news.and_then(|news| news.age())))
}

/// Ends an event, and its result unless that was taken. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_event_free(event: *mut consul_event) {
    handle::free(event);
}

/// Moves the result out of an event: it is the caller's from then on. `CONSUL_ERR_ARGUMENT` when the
/// event has no such result, or it was taken before.
/// This one is for the pairs of `consul_kv_get` and `consul_kv_list`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_kv(
    event: *const consul_event,
    out: *mut *mut consul_kv,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_kv>()?))
}

/// As `consul_event_take_kv`, for the strings of `consul_kv_keys`, `consul_catalog_datacenters` and `consul_status_peers`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_keys(
    event: *const consul_event,
    out: *mut *mut consul_keys,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_keys>()?))
}

/// As `consul_event_take_kv`, for the text of `consul_session_create`, `consul_status_leader`, and of what is answered as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_text(
    event: *const consul_event,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_text>()?))
}

/// As `consul_event_take_kv`, for what `consul_txn_commit` came to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_txn_result(
    event: *const consul_event,
    out: *mut *mut consul_txn_result,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_txn_result>()?))
}

/// As `consul_event_take_kv`, for the session that `consul_session_start` keeps alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_session(
    event: *const consul_event,
    out: *mut *mut consul_session,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_session>()?))
}

/// As `consul_event_take_kv`, for who leads, of `consul_election_wait_leader_async` and
/// `consul_election_wait_change_async`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_leader(
    event: *const consul_event,
    out: *mut *mut consul_leader,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_leader>()?))
}

/// As `consul_event_take_kv`, for the servers of `consul_operator_raft_peers`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_raft_peers(
    event: *const consul_event,
    out: *mut *mut consul_raft_peers,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_raft_peers>()?))
}

/// As `consul_event_take_kv`, for the sessions that a read found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_sessions(
    event: *const consul_event,
    out: *mut *mut consul_sessions,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_sessions>()?))
}

/// As `consul_event_take_kv`, for the checks that a read found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_checks(
    event: *const consul_event,
    out: *mut *mut consul_checks,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_checks>()?))
}

/// As `consul_event_take_kv`, for the nodes that a read found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_nodes(
    event: *const consul_event,
    out: *mut *mut consul_nodes,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_nodes>()?))
}

/// As `consul_event_take_kv`, for the services that a read found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_services(
    event: *const consul_event,
    out: *mut *mut consul_services,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_services>()?))
}

/// As `consul_event_take_kv`, for the names of `consul_catalog_services`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_service_names(
    event: *const consul_event,
    out: *mut *mut consul_service_names,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_service_names>()?))
}

/// As `consul_event_take_kv`, for the instances that a read found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_service_entries(
    event: *const consul_event,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_service_entries>()?)
    })
}

/// As `consul_event_take_kv`, for the answer of `consul_agent_self`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_agent_info(
    event: *const consul_event,
    out: *mut *mut consul_agent_info,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_agent_info>()?))
}

/// As `consul_event_take_kv`, for what `consul_kv_reencrypt` came to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_reencryption(
    event: *const consul_event,
    out: *mut *mut consul_reencryption,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_reencryption>()?))
}

/// As `consul_event_take_kv`, for the events of `consul_user_event_fire` and `consul_user_event_list`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_user_events(
    event: *const consul_event,
    out: *mut *mut consul_user_events,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_user_events>()?))
}

/// As `consul_event_take_kv`, for the members of `consul_agent_members`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_members(
    event: *const consul_event,
    out: *mut *mut consul_members,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_members>()?))
}

/// As `consul_event_take_kv`, for the answer of `consul_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_response(
    event: *const consul_event,
    out: *mut *mut consul_response,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_response>()?))
}

/// As `consul_event_take_kv`, for the nodes of a `CONSUL_EVENT_CLUSTER_...`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_cluster_nodes(
    event: *const consul_event,
    out: *mut *mut consul_cluster_nodes,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_cluster_nodes>()?))
}

/// As `consul_event_take_kv`, for the addresses of a `CONSUL_EVENT_ENDPOINT_CHANGED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_endpoint_changes(
    event: *const consul_event,
    out: *mut *mut consul_endpoint_changes,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_endpoint_changes>()?)
    })
}

/// As `consul_event_take_kv`, for the records of a `CONSUL_EVENT_LOG`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_event_take_log_records(
    event: *const consul_event,
    out: *mut *mut consul_log_records,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(handle::get(event)?.take::<consul_log_records>()?))
}
