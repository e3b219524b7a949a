//! # Sessions
//!
//! A session binds locks to a node, to its health and to a time to live. Those made by
//! `consul_session_create` are renewed by nobody but their maker.
//!
//! ```c
//! consul_session_spec *spec = NULL;
//! consul_text *id = NULL;
//! consul_session_spec_new(&spec);
//! consul_session_spec_set_ttl_ms(spec, 15000);
//! if (consul_session_create(client, spec, NULL, NULL, &id) == CONSUL_OK)
//!     puts(consul_text_data(id));
//! consul_text_free(id);
//! consul_session_spec_free(spec);
//! ```

use super::answer::{Listing, consul_meta};
use super::arena::{Row, Rows, RowsBuilder};
use super::asynchronous::{self, consul_async, done, found};
use super::client::{self, consul_client};
use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::{consul_session_spec, consul_sessions};
use super::options::{self, consul_options};
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input, output};
use crate::api::session::{Behavior, ServiceCheck, Session, SessionSpec};
use crate::error::{Error, Status};
use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

/// The keys of a session stay when it ends, and are not held any more.
pub const CONSUL_BEHAVIOR_RELEASE: i32 = 1;
/// The keys of a session are deleted when it ends.
pub const CONSUL_BEHAVIOR_DELETE: i32 = 2;

/// A session as Consul has it.
#[repr(C)]
#[derive(Debug)]
pub struct consul_session_row {
    /// Its id, a UUID.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// Its name for people.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// The node that it belongs to.
    pub node: *const c_char,
    /// The bytes in `node`.
    pub node_len: usize,
    /// Its namespace (Consul Enterprise).
    pub namespace_name: *const c_char,
    /// The bytes in `namespace_name`.
    pub namespace_name_len: usize,
    /// Its admin partition (Consul Enterprise).
    pub partition: *const c_char,
    /// The bytes in `partition`.
    pub partition_len: usize,
    /// The checks of the node that end it when one of them is critical.
    pub node_checks: *const *const c_char,
    /// How many `node_checks` there are.
    pub node_check_count: usize,
    /// The ids of the checks of services that end it when one of them is critical.
    pub service_checks: *const *const c_char,
    /// The namespaces of these checks, as many.
    pub service_check_namespaces: *const *const c_char,
    /// How many `service_checks` there are.
    pub service_check_count: usize,
    /// It ends when it is not renewed for this time, at the latest after twice of it; 0 when it
    /// needs no renewal.
    pub ttl_ms: u64,
    /// How long its keys cannot be acquired after it ended while holding them.
    pub lock_delay_ms: u64,
    /// The index of the write that made it.
    pub create_index: u64,
    /// The index of the last write to it.
    pub modify_index: u64,
    /// What happens to its keys when it ends: `CONSUL_BEHAVIOR_RELEASE` or
    /// `CONSUL_BEHAVIOR_DELETE`.
    pub behavior: i32,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_session_row {}

impl Handle for consul_sessions {
    type Object = Listing<consul_session_row>;
}

impl Handle for consul_session_spec {
    type Object = SessionSpec;
}

fn rows(sessions: impl ExactSizeIterator<Item = Session>) -> Rows<consul_session_row> {
    let mut rows = RowsBuilder::with_capacity(sessions.len(), sessions.len() * 128);
    for session in sessions {
        let arena = &rows.arena;
        let id = arena.text(&session.id);
        let name = arena.text(&session.name);
        let node = arena.text(&session.node);
        let namespace = arena.text(&session.namespace);
        let partition = arena.text(&session.partition);
        let node_checks = arena.texts(session.node_checks.iter().map(String::as_str));
        let service_checks = session.service_checks.iter();
        let ids = arena.texts(service_checks.clone().map(|check| check.id.as_str()));
        let namespaces = arena.texts(service_checks.map(|check| check.namespace.as_str()));
        rows.push(consul_session_row {
            id: id.ptr,
            id_len: id.len,
            name: name.ptr,
            name_len: name.len,
            node: node.ptr,
            node_len: node.len,
            namespace_name: namespace.ptr,
            namespace_name_len: namespace.len,
            partition: partition.ptr,
            partition_len: partition.len,
            node_checks: node_checks.ptr,
            node_check_count: node_checks.count,
            service_checks: ids.ptr,
            service_check_namespaces: namespaces.ptr,
            service_check_count: ids.count,
            ttl_ms: milliseconds(session.ttl),
            lock_delay_ms: milliseconds(session.lock_delay),
            create_index: session.create_index,
            modify_index: session.modify_index,
            behavior: match session.behavior {
                Behavior::Release => CONSUL_BEHAVIOR_RELEASE,
                Behavior::Delete => CONSUL_BEHAVIOR_DELETE,
            },
        });
    }
    rows.finish()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Makes the description of a session with Consul's defaults: of the agent's own node, without a
/// TTL, bound to the node's `serfHealth` check. Free it with `consul_session_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_spec_new(
    out: *mut *mut consul_session_spec,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(SessionSpec::new()))
}

/// A name for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_spec_set_name(
    spec: *mut consul_session_spec,
    name: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.name(input::required_str(name, "name")?)) })
}

/// The node that it belongs to; Consul takes the agent's own otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_spec_set_node(
    spec: *mut consul_session_spec,
    node: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.node(input::required_str(node, "node")?)) })
}

/// The session ends when it is not renewed for this time, at the latest after twice of it: 10 s
/// (`min_session_ttl_ms`) to 24 h; 0 means that it needs no renewal. The range is checked when the
/// session is created.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_spec_set_ttl_ms(
    spec: *mut consul_session_spec,
    ttl_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.ttl(Duration::from_millis(ttl_ms))))
}

/// How long a key of this session cannot be acquired after the session ended while holding it: 0 to
/// 60 s, 15 s by default. A key that was released can be acquired at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_spec_set_lock_delay_ms(
    spec: *mut consul_session_spec,
    lock_delay_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.lock_delay(Duration::from_millis(lock_delay_ms))))
}

/// What happens to its keys when it ends: `CONSUL_BEHAVIOR_RELEASE` or `CONSUL_BEHAVIOR_DELETE`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_spec_set_behavior(
    spec: *mut consul_session_spec,
    behavior: i32,
) -> consul_status {
    change(spec, |spec| {
        let behavior = match behavior {
            CONSUL_BEHAVIOR_RELEASE => Behavior::Release,
            CONSUL_BEHAVIOR_DELETE => Behavior::Delete,
            other => {
                return Err(Error::argument(format!(
                    "behavior {other} is unknown, it takes CONSUL_BEHAVIOR_RELEASE (1) or \
                     CONSUL_BEHAVIOR_DELETE (2)"
                )));
            }
        };
        Ok(spec.behavior(behavior))
    })
}

/// The checks of the node that end the session when one of them is critical. Consul takes
/// `serfHealth` when this is never called; a count of 0 means no check at all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_spec_set_node_checks(
    spec: *mut consul_session_spec,
    ids: *const *const c_char,
    count: usize,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.node_checks(input::str_list(ids, count, "ids")?)) })
}

/// One more check of a service that ends the session when it is critical. `namespace_name` is for
/// Consul Enterprise and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_spec_add_service_check(
    spec: *mut consul_session_spec,
    id: *const c_char,
    namespace_name: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        let namespace = input::optional_str(namespace_name, "namespace_name")?;
        Ok(spec.service_check(ServiceCheck {
            id: input::required_str(id, "id")?.to_string(),
            namespace: namespace.unwrap_or_default().to_string(),
        }))
    })
}

/// Ends the description of a session; sessions that were made from it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_spec_free(spec: *mut consul_session_spec) {
    handle::free(spec);
}

/// Makes a session and gives its id. `spec` may be NULL for Consul's defaults. After an error whose
/// outcome is unknown the session may exist; it ends by its TTL only, so one without a TTL may stay
/// for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_create(
    client: *const consul_client,
    spec: *const consul_session_spec,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out_of_call(out, r#async) }?;
        // SAFETY: as above.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let client = client::ending_in(client, &ending)?;
        let spec = handle::get_optional(spec)?;
        let spec = spec.map(|spec| spec.clone()).unwrap_or_default();
        let options = options::chosen(options)?;
        let created = client.session().create(&spec, &options)?;
        ending.give(out, created, |id| done(id.value.into_bytes().into()))
    })
}

/// Starts the TTL of a session anew, and gives the session. `CONSUL_ERR_SESSION_INVALID` when it
/// does not exist any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_renew(
    client: *const consul_client,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_sessions,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        let answer = client.session().renew(session_id, &options)?;
        ending.give(out, answer, |answer| {
            done(Listing::new(answer, |session| rows(std::iter::once(session))))
        })
    })
}

/// Ends a session: its keys are released or deleted, as its behavior says. `CONSUL_OK` also when it
/// did not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_destroy(
    client: *const consul_client,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        ending.end(client.session().destroy(session_id, &options)?, |_| Status::Ok)
    })
}

/// Reads a session. `CONSUL_NOT_FOUND` when it does not exist: `out` then has no session, but the
/// index to wait on, and is the caller's to free all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_info(
    client: *const consul_client,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_sessions,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        let answer = client.session().info(session_id, &options)?;
        ending.give(out, answer, |answer| {
            let is_found = answer.value.is_some();
            found(is_found, Listing::new(answer, |session| rows(session.into_iter())))
        })
    })
}

/// Reads the sessions of a node.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_node(
    client: *const consul_client,
    node: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_sessions,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        let answer = client.session().node(node, &options)?;
        ending.give(out, answer, |answer| {
            done(Listing::new(answer, |sessions| rows(sessions.into_iter())))
        })
    })
}

/// Reads all sessions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_list(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_sessions,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let answer = client.session().list(&options)?;
        ending.give(out, answer, |answer| {
            done(Listing::new(answer, |sessions| rows(sessions.into_iter())))
        })
    })
}

/// How many sessions there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_sessions_count(sessions: *const consul_sessions) -> usize {
    handle::read(sessions, 0, Listing::count)
}

/// One of the sessions; NULL past the end. Borrowed: valid until `sessions` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_sessions_at(
    sessions: *const consul_sessions,
    index: usize,
) -> *const consul_session_row {
    handle::read(sessions, ptr::null(), |sessions| sessions.at(index))
}

/// What the answer's headers say. Borrowed: valid until `sessions` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_sessions_meta(sessions: *const consul_sessions) -> *const consul_meta {
    handle::read(sessions, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_sessions_free(sessions: *mut consul_sessions) {
    handle::free(sessions);
}
