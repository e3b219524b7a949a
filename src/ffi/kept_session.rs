//! The library keeps a session alive for you, from a thread of its own:
//!
//! ```c
//! consul_session *session = NULL;
//! if (consul_session_start(client, NULL, false, NULL, NULL, &session) == CONSUL_OK)
//!     printf("%s lives %llu ms at least\n", consul_session_id(session),
//!            (unsigned long long)consul_session_remaining_ms(session));
//! consul_session_free(session);
//! ```

use super::asynchronous::{self, consul_async, done};
use super::client::{self, consul_client};
use super::guard::guard;
use super::handle::{self, Handle};
use super::kind::consul_queue;
pub use super::kind::consul_session;
use super::loss_feed;
use super::options::{self, consul_options};
use super::output;
use super::session::consul_session_spec;
use super::status::consul_status;
use crate::error::Status;
use crate::recipes::session::KeptSession;
use crate::runtime::queue::{EventKind, Queue};
use crate::sync::Mutex;
use std::ffi::{CString, c_char};
use std::ptr;

/// A kept session is lost: the status is `CONSUL_ERR_SESSION_INVALID`, and the error's message tells
/// why. However often it is lost before the event is taken, there is one, about the last time. With
/// any other status it is the last event of its tag.
pub const CONSUL_EVENT_SESSION_LOST: i32 = 8;

/// A kept session, and its ids as C reads them: one for each time that it was made anew.
pub struct Object {
    session: KeptSession,
    ids: Mutex<Vec<CString>>,
}

impl std::ops::Deref for Object {
    type Target = KeptSession;

    fn deref(&self) -> &KeptSession {
        &self.session
    }
}

impl Object {
    /// The current id. An earlier one stays where it is, since somebody may still be reading it.
    fn id(&self) -> *const c_char {
        let id = CString::new(self.session.id()).unwrap_or_default();
        let mut ids = self.ids.lock();
        if ids.last() != Some(&id) {
            ids.push(id);
        }
        ids.last().map_or(ptr::null(), |id| id.as_ptr())
    }
}

impl Handle for consul_session {
    type Object = Object;
    const BELONGS_TO_PROCESS: bool = true;
}

/// Makes a session and keeps it alive: it is renewed at about half of its TTL, and failures are
/// tried again until its deadline. `spec` may be NULL; its TTL is 15 s where none was set, and 0
/// means none. With `recreate` a session that is lost is made anew, with another id, which
/// `consul_session_generation` tells; without, it stays lost. Of the options the token, datacenter,
/// namespace and partition are used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_start(
    client: *const consul_client,
    spec: *const consul_session_spec,
    recreate: bool,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_session,
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
        let session = match recreate {
            true => client.keep_session_recreated(&spec, &options)?,
            false => client.keep_session(&spec, &options)?,
        };
        ending.give(out, session, |session| done(Object { session, ids: Mutex::default() }))
    })
}

/// Its id; NULL for a handle that is not live. Borrowed: valid until the session is freed, also
/// when it has another id by then.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_id(session: *const consul_session) -> *const c_char {
    handle::read(session, ptr::null(), Object::id)
}

/// 1, and one more each time it was made anew with another id; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_generation(session: *const consul_session) -> u64 {
    handle::read(session, 0, |session| session.generation())
}

/// True until Consul says that it is gone, or its deadline has passed, at this moment. The deadline
/// is the TTL after the time at which the last good renewal was sent.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_is_valid(session: *const consul_session) -> bool {
    handle::read(session, false, |session| session.is_valid())
}

/// How long it is known to live without another renewal; 0 when it is not valid, `UINT64_MAX` when
/// it has no TTL.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_remaining_ms(session: *const consul_session) -> u64 {
    handle::read(session, 0, |session| {
        u64::try_from(session.remaining().as_millis()).unwrap_or(u64::MAX)
    })
}

/// Has each loss of the session arrive in a queue from now on, as an event of the type
/// `CONSUL_EVENT_SESSION_LOST` under `tag`, without counting among the calls in flight; at once where
/// it is lost already. One that is made anew can be lost again. In one queue at a time; `queue` may be
/// NULL, which ends that without an event. A last event of the same type comes with the status
/// `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag, and when the session is stopped,
/// freed or destroyed through its client, none of which is a loss; with that or `CONSUL_ERR_CLOSED`
/// when the client is closed, which is an error here from then on.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_set_queue(
    session: *const consul_session,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let session = handle::get(session)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let attach = |queue: &Queue| loss_feed::attach(queue, tag, EventKind::SessionLost);
        session.set_listener(queue.as_deref().map(attach).transpose()?)?;
        Ok(Status::Ok)
    })
}

/// Renews it no more, and leaves it at Consul, where it ends by its TTL. To end it there at once,
/// and to know that it did, call `consul_session_destroy` with its id.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_stop(session: *mut consul_session) -> consul_status {
    guard(|| {
        handle::get(session)?.stop();
        Ok(Status::Ok)
    })
}

/// Ends a kept session: it is destroyed at Consul in the background, unless it was stopped. The
/// locks that it holds are lost. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_session_free(session: *mut consul_session) {
    handle::free(session);
}
