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

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_election_spec;
use super::options::{self, consul_options};
use super::session::consul_session_spec;
use super::status::consul_status;
use super::{input, output};
use crate::recipes::election::ElectionSpec;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_election_spec {
    type Object = ElectionSpec;
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
