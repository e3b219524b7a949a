//! A watch that was started, and how it is doing.

use super::asynchronous::{self, consul_async};
use super::client::consul_client;
use super::error::{ErrorRow, consul_error};
use super::guard::guard;
use super::handle::{self, Handle};
use super::kind::consul_queue;
pub use super::kind::consul_watch;
use super::status::consul_status;
use super::view_rows;
use super::watch_feed::Feed;
use super::watch_spec::consul_watch_spec;
use super::{output, queue};
use crate::error::{Result, Status};
use crate::watch::Watch;
use arc_swap::ArcSwapOption;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// The first state of a watch is complete, even if that is that there is nothing. It comes once.
pub const CONSUL_EVENT_WATCH_READY: i32 = 2;
/// What is watched has changed. However often it has before the event is taken, there is one.
pub const CONSUL_EVENT_WATCH_CHANGED: i32 = 3;
/// How Consul can be asked has changed: the event's status is the error for which it cannot be, or
/// `CONSUL_OK` when it can be again. The state stays, and the watch goes on trying.
pub const CONSUL_EVENT_WATCH_HEALTH: i32 = 4;
/// The watch has ended, its last event: `CONSUL_ERR_CANCELLED` when it was stopped,
/// `CONSUL_ERR_CLOSED` when its client was.
pub const CONSUL_EVENT_WATCH_ENDED: i32 = 5;

/// A watch and where its events go.
pub struct Object {
    pub(super) watch: Watch,
    feed: Option<Arc<Feed>>,
    /// The row of the last error that was asked for.
    error: ArcSwapOption<ErrorRow>,
}

impl Object {
    fn stop(&self) {
        self.watch.stop();
        if let Some(feed) = &self.feed {
            feed.stopped();
        }
    }
}

impl Handle for consul_watch {
    type Object = Object;
    const BELONGS_TO_PROCESS: bool = true;

    fn freed(watch: &Object) {
        watch.stop();
    }
}

/// Starts a watch from a copy of its description. That Consul is away is no error. Its events
/// arrive in `queue` under `tag`, without counting among the calls in flight; `queue` may be NULL,
/// for a watch that is only read by views. `consul_queue_cancel` with its tag stops it, and so does
/// the end of the queue.
///
/// `CONSUL_ERR_ARGUMENT` when it can never be asked or a setting is not allowed, `CONSUL_ERR_IO`
/// when its last-good file cannot be read. Free it with `consul_watch_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_start(
    client: *const consul_client,
    spec: *const consul_watch_spec,
    queue: *mut consul_queue,
    tag: u64,
    out: *mut *mut consul_watch,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let spec = handle::get(spec)?.clone();
        let queue = handle::get_optional(queue.cast_const())?;
        let feed = queue.map(|queue| Feed::attach(&queue, tag)).transpose()?;
        let listener = feed.clone().map(|feed| feed.listener());
        let watch = match client.watch_dressed(spec, listener, view_rows::dress) {
            Ok(watch) => watch,
            Err(error) => {
                feed.iter().for_each(|feed| feed.call_off());
                return Err(error);
            }
        };
        if let Some(feed) = &feed {
            feed.follow(&watch);
        }
        out.give(Object { watch, feed, error: ArcSwapOption::empty() })
    })
}

/// Stops a watch: its request ends at once, and its last event arrives, behind those that were not
/// taken yet. What was found stays to be read. `CONSUL_OK` also when it had ended.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_stop(watch: *const consul_watch) -> consul_status {
    guard(|| {
        handle::get(watch)?.stop();
        Ok(Status::Ok)
    })
}

/// Waits until there is a state to read, if only that there is nothing; -1 waits for ever.
/// `CONSUL_ERR_TIMEOUT` when there is none in time, with Consul's last failure in its message.
/// `CONSUL_ERR_CANCELLED` once it is stopped, `CONSUL_ERR_CLOSED` once its client is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_wait_ready(
    watch: *const consul_watch,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_watch_wait_ready_async(watch, timeout_ms, ptr::null()) }
}

/// As `consul_watch_wait_ready`, which it is where `async` is NULL; else the end of the wait arrives in
/// a queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_wait_ready_async(
    watch: *const consul_watch,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let ready = waiting(watch)?.ready(ending.style(), queue::wait(timeout_ms)?)?;
        ending.end(ready, |_| Status::Ok)
    })
}

/// Waits until `consul_watch_version` is above this one, such as that of the view that a program reads;
/// -1 waits for ever. `CONSUL_NO_CHANGE` when it is not after this time. `CONSUL_ERR_CANCELLED` once
/// the watch is stopped or freed, `CONSUL_ERR_CLOSED` once its client is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_wait_newer(
    watch: *const consul_watch,
    version: u64,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let newer = waiting(watch)?.newer(ending.style(), version, queue::wait(timeout_ms)?)?;
        ending.end(newer, |state| state.map_or(Status::NoChange, |_| Status::Ok))
    })
}

/// To wait for: the handle is not kept from its free meanwhile.
fn waiting(watch: *const consul_watch) -> Result<Watch> {
    Ok(handle::get(watch)?.watch.clone())
}

/// The version of the newest state; 0 before anything was found. It grows with each state.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_version(watch: *const consul_watch) -> u64 {
    handle::read(watch, 0, |watch| watch.watch.version())
}

/// How long ago Consul gave its last good answer; `UINT64_MAX` when it never did.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_last_success_age_ms(watch: *const consul_watch) -> u64 {
    handle::read(watch, 0, |watch| milliseconds(watch.watch.stats().last_success_age))
}

/// How many requests have failed since the last good answer.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_consecutive_failures(watch: *const consul_watch) -> u32 {
    handle::read(watch, 0, |watch| watch.watch.stats().consecutive_failures)
}

/// The index of the last good answer. It fills 64 bits.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_index(watch: *const consul_watch) -> u64 {
    handle::read(watch, 0, |watch| watch.watch.stats().index)
}

/// How many requests were made so far, those for other watches of the same thing included.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_requests(watch: *const consul_watch) -> u64 {
    handle::read(watch, 0, |watch| watch.watch.stats().requests)
}

/// True while a request is with Consul.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_is_in_flight(watch: *const consul_watch) -> bool {
    handle::read(watch, false, |watch| watch.watch.stats().in_flight)
}

/// True while a loss above the floor is held back.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_is_holding_back(watch: *const consul_watch) -> bool {
    handle::read(watch, false, |watch| watch.watch.holds_back())
}

/// What failed last, even when all is well again; NULL when nothing ever did. Borrowed: valid until
/// this is asked again of the watch, or the watch is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_last_error(watch: *const consul_watch) -> *const consul_error {
    handle::read(watch, ptr::null(), |watch| {
        let Some(error) = watch.watch.stats().last_error else { return ptr::null() };
        let row = Arc::new(ErrorRow::new(&error));
        watch.error.store(Some(row.clone()));
        row.as_ptr()
    })
}

/// Why the last-good file could not be written the last time; NULL when it could. As
/// `consul_watch_last_error`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_last_good_error(watch: *const consul_watch) -> *const consul_error {
    handle::read(watch, ptr::null(), |watch| {
        let Some(error) = watch.watch.stats().last_good_error else { return ptr::null() };
        let row = Arc::new(ErrorRow::new(&error));
        watch.error.store(Some(row.clone()));
        row.as_ptr()
    })
}

/// Stops a watch and ends it; its views can still be read. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_watch_free(watch: *mut consul_watch) {
    handle::free(watch);
}

/// A time, or the longest there is.
pub(super) fn milliseconds(time: Option<Duration>) -> u64 {
    time.map_or(u64::MAX, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
