//! # Elections
//!
//! Of all candidates for a key, one leads. A candidate campaigns in the background from the start of
//! its election until it resigns: while Consul is away, while another one leads, and again after it
//! has lost. Who leads, and what it wrote, is there to read at any moment. The leader holds an
//! ordinary lock, so `consul_election_is_leader` asks the clock, not the network.
//!
//! ```c
//! consul_election_spec *spec = NULL;
//! consul_election *election = NULL;
//! consul_election_spec_new("app/leader", &spec);
//! consul_election_spec_set_value(spec, (const uint8_t *)"node-1", 6);
//! consul_election_start(client, spec, &election);
//! consul_election_spec_free(spec);
//! if (consul_election_wait_elected(election, -1) == CONSUL_OK)
//!     while (consul_election_is_leader(election))
//!         work(consul_election_fencing_token(election));
//! consul_election_resign(election, NULL);
//! consul_election_free(election);
//! ```

use super::arena::{Row, Rows, RowsBuilder};
use super::asynchronous::{self, Ending, consul_async, done, ok};
use super::client::consul_client;
use super::election_feed;
use super::guard::guard;
use super::handle::{self, Handle};
use super::kind::consul_queue;
pub use super::kind::{consul_election, consul_election_spec, consul_leader};
use super::options::{self, consul_options};
use super::session::consul_session_spec;
use super::status::consul_status;
use super::text::consul_text;
use super::{input, output, queue};
use crate::client::Either;
use crate::error::{Result, Status};
use crate::recipes::election::{Election, ElectionSpec, Leadership};
use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

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

impl Handle for consul_election_spec {
    type Object = ElectionSpec;
}

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

/// Makes the description of an election by this key, with an empty value and a session of its own for
/// each term: TTL 15 s, lock-delay 15 s, behavior release. Everything in it is checked by
/// `consul_election_start`. Free it with `consul_election_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_spec_new(
    key: *const c_char,
    out: *mut *mut consul_election_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        out.give(ElectionSpec::new(key))
    })
}

/// What the others read while this candidate leads, such as its name or address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_spec_set_value(
    spec: *mut consul_election_spec,
    value: *const u8,
    value_len: usize,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.value(input::bytes(value, value_len, "value")?)) })
}

/// The TTL of its session, 15000 unless set: a leader that dies is followed by another one after twice
/// of it and the lock-delay at the latest. 0 means none, and such a leader leads for ever when its
/// process dies.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_session_ttl_ms(
    spec: *mut consul_election_spec,
    session_ttl_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.session_ttl(Duration::from_millis(session_ttl_ms))))
}

/// For how long nobody can lead after the session of a leader ended, 15000 unless set. Not after it
/// resigned.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_lock_delay_ms(
    spec: *mut consul_election_spec,
    lock_delay_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.lock_delay(Duration::from_millis(lock_delay_ms))))
}

/// Whether the key goes when its leader does, however that is; false unless set.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_ephemeral(
    spec: *mut consul_election_spec,
    ephemeral: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.ephemeral(ephemeral)))
}

/// What its session shall be where nothing else is set of it.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_session_spec(
    spec: *mut consul_election_spec,
    session_spec: *const consul_session_spec,
) -> consul_status {
    change(spec, |spec| Ok(spec.session_spec(handle::get(session_spec)?.clone())))
}

/// Whether to take a key that nobody holds and that was written without flags, as by a program that
/// knew nothing of locks; true unless set. A key with other flags is used for something else, and is
/// never taken.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_adopt(
    spec: *mut consul_election_spec,
    adopt: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.adopt(adopt)))
}

/// Whether only to see who leads, without campaigning; false unless set.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_observe_only(
    spec: *mut consul_election_spec,
    observe_only: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.observe_only(observe_only)))
}

/// For how long the key may be unreadable before the leader counts as lost, 1000 ms at least; the
/// session's TTL by default. The session's own deadline ends it in any case.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_monitor_retry_ms(
    spec: *mut consul_election_spec,
    monitor_retry_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.monitor_retry(Duration::from_millis(monitor_retry_ms))))
}

/// With what token, datacenter, namespace and partition the election calls; `options` may be NULL, for
/// the client's. The rest of the options is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_set_options(
    spec: *mut consul_election_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Ends the description of an election; elections that were started from it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_election_spec_free(spec: *mut consul_election_spec) {
    handle::free(spec);
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

/// Changes a description; an error leaves it as it was.
fn change(
    spec: *mut consul_election_spec,
    change: impl FnOnce(ElectionSpec) -> Result<ElectionSpec>,
) -> consul_status {
    guard(|| {
        let mut spec = handle::get_mut(spec)?;
        *spec = change(spec.clone())?;
        Ok(Status::Ok)
    })
}
