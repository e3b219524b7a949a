//! # User events
//!
//! Small messages that agents pass on to each other by gossip: fast, to all of a datacenter, and not
//! kept. An agent remembers the last 256, and what is fired while it is away is lost to it. Every
//! agent has an order of its own, and may hear of an event twice. A watch of `CONSUL_WATCH_EVENTS`
//! tells of those that arrive.
//!
//! ```c
//! consul_user_event_fire(client, "deploy", (const uint8_t *)"1.4.2", 5, NULL, "web", NULL, NULL, NULL, NULL);
//! ```

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::asynchronous::{consul_async, done};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_user_events;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use crate::api::Answer;
use crate::api::event::{EventFilters, UserEvent};
use std::ffi::c_char;
use std::{ptr, slice};

/// An event that somebody fired.
#[repr(C)]
#[derive(Debug)]
pub struct consul_user_event {
    /// Its id.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// Its name.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// What was sent with it; any byte can be in it. Never NULL.
    pub payload: *const u8,
    /// The bytes in `payload`.
    pub payload_len: usize,
    /// A regular expression of the nodes it is meant for; empty means all.
    pub node_filter: *const c_char,
    /// The bytes in `node_filter`.
    pub node_filter_len: usize,
    /// The same of services.
    pub service_filter: *const c_char,
    /// The bytes in `service_filter`.
    pub service_filter_len: usize,
    /// The same of tags.
    pub tag_filter: *const c_char,
    /// The bytes in `tag_filter`.
    pub tag_filter_len: usize,
    /// When it was fired, by the Lamport clock of the gossip; 0 where it has only just been fired.
    pub ltime: u64,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_user_event {}

/// User events as rows.
pub(super) fn rows(events: &[UserEvent]) -> Rows<consul_user_event> {
    let mut rows = RowsBuilder::with_capacity(events.len(), events.len() * 128);
    for event in events {
        let row = row(&rows.arena, event);
        rows.push(row);
    }
    rows.finish()
}

fn row(arena: &Arena, event: &UserEvent) -> consul_user_event {
    let id = arena.text(&event.id);
    let name = arena.text(&event.name);
    let payload = arena.copy(&event.payload);
    let node_filter = arena.text(&event.node_filter);
    let service_filter = arena.text(&event.service_filter);
    let tag_filter = arena.text(&event.tag_filter);
    consul_user_event {
        id: id.ptr,
        id_len: id.len,
        name: name.ptr,
        name_len: name.len,
        payload: payload.ptr,
        payload_len: payload.len,
        node_filter: node_filter.ptr,
        node_filter_len: node_filter.len,
        service_filter: service_filter.ptr,
        service_filter_len: service_filter.len,
        tag_filter: tag_filter.ptr,
        tag_filter_len: tag_filter.len,
        ltime: event.ltime,
    }
}

impl Handle for consul_user_events {
    type Object = Listing<consul_user_event>;
}

fn only(answer: Answer<UserEvent>) -> Listing<consul_user_event> {
    Listing::new(answer, |event| rows(slice::from_ref(&event)))
}

fn listing(answer: Answer<Vec<UserEvent>>) -> Listing<consul_user_event> {
    Listing::new(answer, |events| rows(&events))
}

/// Fires an event; `out` has it with its id, before any agent has heard of it. It carries no payload
/// where `payload_len` is 0. Consul takes 512 bytes for all of it, which leaves some 400 for the
/// payload: `CONSUL_ERR_TOO_LARGE` beyond.
///
/// Whom it is meant for are regular expressions: of the node's name, of the id of a service there,
/// and of a tag of that service, which needs `service_filter` beside it. `node_filter`,
/// `service_filter` and `tag_filter` may be NULL: everybody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_user_event_fire(
    client: *const consul_client,
    name: *const c_char,
    payload: *const u8,
    payload_len: usize,
    node_filter: *const c_char,
    service_filter: *const c_char,
    tag_filter: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_user_events,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        // SAFETY: as above.
        let payload = unsafe { input::bytes(payload, payload_len, "payload") }?;
        let filters = EventFilters {
            // SAFETY: as above.
            node: unsafe { input::optional_str(node_filter, "node_filter") }?,
            // SAFETY: as above.
            service: unsafe { input::optional_str(service_filter, "service_filter") }?,
            // SAFETY: as above.
            tag: unsafe { input::optional_str(tag_filter, "tag_filter") }?,
        };
        let fired = client.events().fire(name, payload, filters, &options)?;
        ending.give(out, fired, |event| done(only(event)))
    })
}

/// Reads the last events that the agent has heard of, the oldest first, at most 256: those of this
/// name. `name` may be NULL: all of them. Only what was meant for the agent is there.
///
/// Their index is a hash of the last one: it differs from that before, and may go down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_user_event_list(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_user_events,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let name = unsafe { input::optional_str(name, "name") }?;
        let found = client.events().list(name, &options)?;
        ending.give(out, found, |found| done(listing(found)))
    })
}

/// How many events there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_user_events_count(events: *const consul_user_events) -> usize {
    handle::read(events, 0, Listing::count)
}

/// One of the events; NULL past the end. Borrowed: valid until `events` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_user_events_at(
    events: *const consul_user_events,
    index: usize,
) -> *const consul_user_event {
    handle::read(events, ptr::null(), |events| events.at(index))
}

/// What the answer's headers say. Borrowed: valid until `events` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_user_events_meta(events: *const consul_user_events) -> *const consul_meta {
    handle::read(events, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_user_events_free(events: *mut consul_user_events) {
    handle::free(events);
}
