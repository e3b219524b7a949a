//! # Watches
//!
//! A watch is a blocking query that the library keeps asking until it is stopped. It rides out
//! failures, asks no more often than it must, and tells only what has changed: the events of a
//! queue tell that, and views have the newest state, always there to be read. Watches of the same
//! thing by one client share a query. When there are more queries than three quarters of
//! `max_connections` they take turns, and each sees a change within two seconds.
//!
//! ```c
//! consul_watch_spec *spec = NULL;
//! consul_watch *watch = NULL;
//! consul_view *view = NULL;
//! consul_watch_spec_new(CONSUL_WATCH_PREFIX, "app/", &spec);
//! consul_watch_start(client, spec, NULL, 0, &watch);
//! consul_watch_spec_free(spec);
//! consul_watch_view(watch, &view);
//! while (consul_view_wait(view, -1) == CONSUL_OK) {
//!     const consul_kv_pair *limit = consul_view_find_kv(view, "app/limit");
//!     printf("%.*s\n", limit ? (int)limit->value_len : 0, limit ? (const char *)limit->value : "");
//! }
//! consul_view_free(view);
//! consul_watch_free(watch);
//! ```

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_watch_spec;
use super::options::{self, consul_options};
use super::status::consul_status;
use super::{input, output};
use crate::api::health::State;
use crate::error::Error;
use crate::watch::{Policy, WatchSpec};
use std::ffi::c_char;
use std::time::Duration;

/// A key, `name`; that it does not exist is a state like any other.
pub const CONSUL_WATCH_KEY: i32 = 1;
/// Every key that begins with `name`, byte by byte.
pub const CONSUL_WATCH_PREFIX: i32 = 2;
/// The instances of the service `name`, with their node and checks.
pub const CONSUL_WATCH_SERVICE: i32 = 3;
/// The names of all services with their tags.
pub const CONSUL_WATCH_SERVICES: i32 = 4;
/// The nodes.
pub const CONSUL_WATCH_NODES: i32 = 5;
/// The checks of the instances of the service `name`.
pub const CONSUL_WATCH_SERVICE_CHECKS: i32 = 6;
/// The checks of the node `name` and of what runs on it.
pub const CONSUL_WATCH_NODE_CHECKS: i32 = 7;
/// The checks in the state `name`: `any`, `passing`, `warning` or `critical`.
pub const CONSUL_WATCH_STATE_CHECKS: i32 = 8;
/// The user events that the agent has heard of; with a `name` those of this name.
pub const CONSUL_WATCH_EVENTS: i32 = 9;
/// Any endpoint that can block, by its path from `/v1/` on with its query, both percent-encoded.
/// One that cannot is asked every few seconds.
pub const CONSUL_WATCH_PATH: i32 = 10;

/// Instances whose checks all pass, their node's included.
pub const CONSUL_POLICY_PASSING: i32 = 1;
/// Instances that pass or warn.
pub const CONSUL_POLICY_PASSING_OR_WARNING: i32 = 2;
/// All instances.
pub const CONSUL_POLICY_ANY: i32 = 3;

impl Handle for consul_watch_spec {
    type Object = WatchSpec;
}

/// Makes the description of a watch of this kind, `CONSUL_WATCH_...`. `name` is what is watched of
/// it: NULL for services and nodes, and for events of any name. What is in it is
/// checked by `consul_watch_start`. Free it with `consul_watch_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_spec_new(
    watch_kind: i32,
    name: *const c_char,
    out: *mut *mut consul_watch_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let name = unsafe { input::optional_str(name, "name") }?;
        let named = || name.ok_or_else(|| Error::argument("a watch of this kind needs a name"));
        let is_named = name.is_some_and(|name| !name.is_empty());
        if is_named && matches!(watch_kind, CONSUL_WATCH_SERVICES | CONSUL_WATCH_NODES) {
            return Err(Error::argument("a watch of all services or nodes takes no name"));
        }
        out.give(match watch_kind {
            CONSUL_WATCH_KEY => WatchSpec::key(named()?),
            CONSUL_WATCH_PREFIX => WatchSpec::prefix(named()?),
            CONSUL_WATCH_SERVICE => WatchSpec::service(named()?),
            CONSUL_WATCH_SERVICES => WatchSpec::services(),
            CONSUL_WATCH_NODES => WatchSpec::nodes(),
            CONSUL_WATCH_SERVICE_CHECKS => WatchSpec::service_checks(named()?),
            CONSUL_WATCH_NODE_CHECKS => WatchSpec::node_checks(named()?),
            CONSUL_WATCH_STATE_CHECKS => WatchSpec::state_checks(named()?.parse::<State>()?),
            CONSUL_WATCH_EVENTS => WatchSpec::events(name),
            CONSUL_WATCH_PATH => WatchSpec::path(named()?),
            kind => {
                let message = format!("the kind {kind} is none of CONSUL_WATCH_..., 1 to 10");
                return Err(Error::argument(message));
            }
        })
    })
}

/// Only instances with this tag; several must all be there. For a service only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_spec_add_tag(
    spec: *mut consul_watch_spec,
    tag: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.tag(input::required_str(tag, "tag")?)) })
}

/// Which instances to take, `CONSUL_POLICY_...`; those that pass unless set. For a service only.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_policy(
    spec: *mut consul_watch_spec,
    policy: i32,
) -> consul_status {
    change(spec, |spec| {
        Ok(spec.policy(match policy {
            CONSUL_POLICY_PASSING => Policy::Passing,
            CONSUL_POLICY_PASSING_OR_WARNING => Policy::PassingOrWarning,
            CONSUL_POLICY_ANY => Policy::Any,
            _ => {
                let message = format!("the policy {policy} is none of CONSUL_POLICY_..., 1 to 3");
                return Err(Error::argument(message));
            }
        }))
    })
}

/// The options of its requests: token, datacenter, consistency, near, filter, time-out and wait;
/// `options` may be NULL, for the client's. The index is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_options(
    spec: *mut consul_watch_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Holds a change back until nothing has changed for `min_ms`, but not longer than `max_ms`. What
/// went back to what it was meanwhile is no change.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_settle_ms(
    spec: *mut consul_watch_spec,
    min_ms: u64,
    max_ms: u64,
) -> consul_status {
    change(spec, |spec| {
        Ok(spec.settle(Duration::from_millis(min_ms), Duration::from_millis(max_ms)))
    })
}

/// Holds a change back for `hold_ms` that would lose more than so many percent of the list at once,
/// 1 to 99, and delivers it when it has lasted so long.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_floor(
    spec: *mut consul_watch_spec,
    percent: u32,
    hold_ms: u64,
) -> consul_status {
    change(spec, |spec| {
        let percent = u8::try_from(percent).unwrap_or(u8::MAX);
        Ok(spec.floor_for(percent, Duration::from_millis(hold_ms)))
    })
}

/// A check whose output alone differs has not changed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_ignore_check_output(
    spec: *mut consul_watch_spec,
    ignore: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.ignore_check_output(ignore)))
}

/// The index of what the program knows already: a first state with this index makes no event.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_last_seen_index(
    spec: *mut consul_watch_spec,
    index: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.last_seen_index(index)))
}

/// How many requests a second it makes at most when what it watches changes all the time, 1 to
/// 1000; 10 unless set. Some go at once, and the last state is always found.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_max_rate(
    spec: *mut consul_watch_spec,
    per_second: u32,
) -> consul_status {
    change(spec, |spec| Ok(spec.max_rate(per_second)))
}

/// Keeps what was found last in this file, an absolute path, and begins with it, stale, until
/// Consul has answered. The file is replaced as a whole and has the mode 0600; what is torn or of
/// another question is not read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_spec_set_last_good_file(
    spec: *mut consul_watch_spec,
    path: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.last_good_file(input::required_str(path, "path")?)) })
}

/// Has views refuse to be read while Consul cannot be asked and what was found is older than this:
/// `CONSUL_VIEW_EXPIRED`. Unless it is set they are read however old. While Consul can be asked nothing is
/// refused: a query that is held confirms nothing until it ends, so that an agent that hangs is found
/// by the end of the wait.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_set_max_age_ms(
    spec: *mut consul_watch_spec,
    max_age_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.max_age(Duration::from_millis(max_age_ms))))
}

/// Ends the description of a watch; watches that were started from it go on. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_spec_free(spec: *mut consul_watch_spec) {
    handle::free(spec);
}
