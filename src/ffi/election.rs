//! An election.

use super::arena::{Row, Rows, RowsBuilder};
use super::asynchronous::{self, Ending, consul_async, done, ok};
use super::client::consul_client;
use super::election_feed;
use super::election_spec::consul_election_spec;
use super::guard::guard;
use super::handle::{self, Handle};
use super::kind::consul_queue;
pub use super::kind::{consul_election, consul_leader};
use super::status::consul_status;
use super::text::consul_text;
use super::{input, output, queue};
use crate::client::Either;
use crate::error::{Result, Status};
use crate::recipes::election::{Election, Leadership};
use std::ffi::c_char;
use std::ptr;

/// Somebody else leads, or nobody, or the leader has changed its value; `consul_election_leader`
/// tells. The first one comes as soon as Consul has told who leads, even if nobody does. However often
/// it changes before the event is taken, there is one.
pub const CONSUL_EVENT_ELECTION_CHANGED: i32 = 12;
/// This candidate leads.
pub const CONSUL_EVENT_ELECTION_WON: i32 = 13;
/// This candidate does not lead any more: the status is `CONSUL_ERR_LOCK_LOST`, or
/// `CONSUL_ERR_CLOSED`, and the error's message tells why. It campaigns on. Not told when it resigned.
/// However often it wins and loses before the events are taken, the last of them tells how it is.
pub const CONSUL_EVENT_ELECTION_LOST: i32 = 14;
/// The last event of an election: `CONSUL_ERR_CANCELLED` when it was freed or its tag was cancelled,
/// `CONSUL_ERR_CLOSED` when its client was closed.
pub const CONSUL_EVENT_ELECTION_ENDED: i32 = 15;

/// Who led when it was asked.
#[repr(C)]
#[derive(Debug)]
pub struct consul_leadership {
    /// What the leader wrote; any byte can be in it. Never NULL.
    pub value: *const u8,
    /// The bytes in `value`.
    pub value_len: usize,
    /// The session that it leads with; empty when nobody leads.
    pub session: *const c_char,
    /// The bytes in `session`.
    pub session_len: usize,
    /// The Consul node of that session; empty where Consul could not tell, or the token may not read
    /// sessions.
    pub node: *const c_char,
    /// The bytes in `node`.
    pub node_len: usize,
    /// The index of the last write to the key: the leader's fencing token, unless the leader has
    /// changed its value since. It is never lower, and grows from leader to leader. 0 when nobody
    /// leads.
    pub modify_index: u64,
    /// How often the key was acquired since it exists; 0 where that is not known.
    pub lock_index: u64,
    /// 0 before anything was heard of Consul; it grows with each change.
    pub version: u64,
    /// Somebody leads.
    pub is_present: bool,
    /// It is the candidate that was asked.
    pub is_self: bool,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_leadership {}

impl Handle for consul_election {
    type Object = Election;
    const BELONGS_TO_PROCESS: bool = true;

    /// Calls that wait on other threads end at once.
    fn freed(election: &Election) {
        election.abandon();
    }
}

impl Handle for consul_leader {
    type Object = Rows<consul_leadership>;
}

fn rows(leadership: Leadership) -> Rows<consul_leadership> {
    let (is_present, is_self) = (leadership.leader.is_some(), leadership.is_self);
    let leader = leadership.leader.unwrap_or_default();
    let mut rows = RowsBuilder::with_capacity(1, leader.value.len() + 128);
    let value = rows.arena.copy(&leader.value);
    let session = rows.arena.text(&leader.session);
    let node = rows.arena.text(&leader.node);
    rows.push(consul_leadership {
        value: value.ptr,
        value_len: value.len,
        session: session.ptr,
        session_len: session.len,
        node: node.ptr,
        node_len: node.len,
        modify_index: leader.modify_index,
        lock_index: leader.lock_index,
        version: leadership.version,
        is_present,
        is_self,
    });
    rows.finish()
}

/// Starts an election from a copy of its description: observes its key, and campaigns unless it is
/// only to observe. Returns at once; that Consul is away is no error. `CONSUL_ERR_ARGUMENT` when a
/// key, TTL, lock-delay or window cannot be. Free it with `consul_election_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_start(
    client: *const consul_client,
    spec: *const consul_election_spec,
    out: *mut *mut consul_election,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let spec = handle::get(spec)?.clone();
        out.give(client.election(spec)?)
    })
}

/// Campaigns from now on, if it does not: after it resigned, or only observed. Returns at once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_campaign(election: *const consul_election) -> consul_status {
    guard(|| {
        handle::get(election)?.campaign()?;
        Ok(Status::Ok)
    })
}

/// Campaigns no more, and gives the key back where this candidate leads: another one leads at once,
/// without a lock-delay. It goes on observing. That it did not lead is no error. After any error it
/// does not lead either, and the library goes on giving the key back in the background. Where an
/// attempt may just have won it waits for that answer, for 5 s at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_resign(
    election: *const consul_election,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let election = handle::get(election)?.styled(ending.style());
        ending.end(election.resign()?, ok)
    })
}

/// Changes what the others read while this candidate leads: at once where it does, and for all its
/// terms from now on. `CONSUL_ERR_LOCK_LOST` where it turns out not to lead any more,
/// `CONSUL_ERR_TOO_LARGE` for a value above `max_value_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_set_value(
    election: *const consul_election,
    value: *const u8,
    value_len: usize,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let election = handle::get(election)?.styled(ending.style());
        // SAFETY: as above.
        let value = unsafe { input::bytes(value, value_len, "value") }?;
        ending.end(election.set_value(value)?, ok)
    })
}

/// True while this candidate leads, judged by the clock at this moment: false from the moment on at
/// which that cannot be known any more. Makes no request.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_is_leader(election: *const consul_election) -> bool {
    handle::read(election, false, Election::is_leader)
}

/// How long it is known to lead if nothing is heard of Consul from now on; 0 when it does not lead.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_remaining_ms(election: *const consul_election) -> u64 {
    handle::read(election, 0, |election| {
        u64::try_from(election.remaining().as_millis()).unwrap_or(u64::MAX)
    })
}

/// The fencing token of this candidate's last term: the index of the write that began it; 0 when there
/// was none. It grows with each term of anybody, so a store that refuses lower tokens than it has seen
/// is safe from late writers. It fills 64 bits.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_fencing_token(election: *const consul_election) -> u64 {
    handle::read(election, 0, |election| election.fencing_token().unwrap_or(0))
}

/// The id of the session that this candidate leads with, for `consul_kv_put_held`. `CONSUL_NOT_FOUND`
/// while it does not lead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_session_id(
    election: *const consul_election,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        match handle::get(election)?.session_id() {
            Some(id) => out.give(id.into_bytes().into()),
            None => Ok(Status::NotFound),
        }
    })
}

/// Who leads, as far as Consul has told. Makes no request; what was known stays while Consul cannot be
/// asked. Free it with `consul_leader_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_leader(
    election: *const consul_election,
    out: *mut *mut consul_leader,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        out.give(rows(handle::get(election)?.leadership()))
    })
}

/// Waits until this candidate leads; -1 waits for ever. `CONSUL_NO_CHANGE` when it does not after this
/// time, `CONSUL_ERR_CANCELLED` once the election is freed, `CONSUL_ERR_CLOSED` once its client is
/// closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_elected(
    election: *const consul_election,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_election_wait_elected_async(election, timeout_ms, ptr::null()) }
}

/// As `consul_election_wait_elected`, which it is where `async` is NULL; else the end of the wait
/// arrives in a queue. `consul_election_set_queue` tells of each change without being asked again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_elected_async(
    election: *const consul_election,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let elected = waiting(election, &ending)?.wait_elected(queue::wait(timeout_ms)?)?;
        ending.end(elected, |elected| if elected { Status::Ok } else { Status::NoChange })
    })
}

/// Waits until somebody leads, this candidate or another, and gives who; -1 waits for ever.
/// `CONSUL_NO_CHANGE` when nobody does after this time. As `consul_election_wait_elected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_leader(
    election: *const consul_election,
    timeout_ms: i64,
    out: *mut *mut consul_leader,
) -> consul_status {
    // SAFETY: pointers as the header asks for; it blocks.
    unsafe { consul_election_wait_leader_async(election, timeout_ms, ptr::null(), out) }
}

/// As `consul_election_wait_leader`, which it is where `async` is NULL; else the end of the wait
/// arrives in a queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_leader_async(
    election: *const consul_election,
    timeout_ms: i64,
    r#async: *const consul_async,
    out: *mut *mut consul_leader,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out_of_call(out, r#async) }?;
        // SAFETY: as above.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let found = waiting(election, &ending)?.wait_leader(queue::wait(timeout_ms)?)?;
        ending.give(out, found, given)
    })
}

/// Waits for something newer than this version of `consul_leadership`, and gives it; -1 waits for
/// ever. `CONSUL_NO_CHANGE` when there was nothing. As `consul_election_wait_elected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_change(
    election: *const consul_election,
    version: u64,
    timeout_ms: i64,
    out: *mut *mut consul_leader,
) -> consul_status {
    // SAFETY: pointers as the header asks for; it blocks.
    unsafe { consul_election_wait_change_async(election, version, timeout_ms, ptr::null(), out) }
}

/// As `consul_election_wait_change`, which it is where `async` is NULL; else the end of the wait
/// arrives in a queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_wait_change_async(
    election: *const consul_election,
    version: u64,
    timeout_ms: i64,
    r#async: *const consul_async,
    out: *mut *mut consul_leader,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out_of_call(out, r#async) }?;
        // SAFETY: as above.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let found = waiting(election, &ending)?.wait_change(version, queue::wait(timeout_ms)?)?;
        ending.give(out, found, given)
    })
}

/// Has what happens in the election arrive in a queue from now on, as events of the types
/// `CONSUL_EVENT_ELECTION_...` under `tag`, without counting among the calls in flight; at once of who
/// leads where that is known. In one queue at a time; `queue` may be NULL, which ends that without an
/// event. `consul_queue_cancel` of its tag ends it with one.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_set_queue(
    election: *const consul_election,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let election = handle::get(election)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let listener = queue.map(|queue| election_feed::attach(&queue, tag)).transpose()?;
        election.set_listener(listener)?;
        Ok(Status::Ok)
    })
}

/// Ends an election: waits in it end with `CONSUL_ERR_CANCELLED`, and it resigns in the background.
/// NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_free(election: *mut consul_election) {
    handle::free(election);
}

/// What was asked for; NULL for a handle that is not live. Borrowed: valid until `leader` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_leader_row(leader: *const consul_leader) -> *const consul_leadership {
    handle::read(leader, ptr::null(), |rows| rows.at(0))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_leader_free(leader: *mut consul_leader) {
    handle::free(leader);
}

/// To wait in: the handle is not kept from its free meanwhile.
fn waiting(election: *const consul_election, ending: &Ending) -> Result<Election<Either>> {
    Ok(handle::get(election)?.styled(ending.style()))
}

/// Who leads, where somebody was found.
fn given(found: Option<Leadership>) -> (Status, Option<Rows<consul_leadership>>) {
    found.map_or((Status::NoChange, None), |leadership| done(rows(leadership)))
}
