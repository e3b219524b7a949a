//! The only C door: checks handles and pointers, catches panics, converts. No logic, no I/O.
//!
//! One file is one section of `include/consul_ffi.h`, in the order of the modules below: what
//! stands under `//! # Title` opens the section, a file without a title goes on with the one
//! before it. After a change `make header` writes the header and all that comes from it.
//!
//! # How an exported function is written
//!
//! Written out, never made by a macro, or cbindgen does not see it. Its doc comment is the
//! header's: what the call gives, what the caller owns, the statuses to expect. Types are the
//! fixed-width integers, `usize`, `bool`, `f64`, strings, byte pointers, handles and row pointers.
//!
//! The order inside is always: clear what goes out, see how the call ends, look up handles (a call of a
//! client begins so in `call.rs`), read inputs, one call into the Rust API, hand over: at once, or with
//! the event that ends the call.
//!
//! ```ignore
//! //! # Keys and values
//!
//! use super::{call, handle, input};
//! pub use super::kind::consul_kv; // the type and its number are a line in kind.rs
//!
//! /// One key with its value.
//! #[repr(C)]
//! pub struct consul_kv_pair {
//!     /// The key.
//!     pub key: *const c_char,
//!     /// The bytes in `key`.
//!     pub key_len: usize,
//!     /// The value; any byte can be in it. Never NULL.
//!     pub value: *const u8,
//!     /// The bytes in `value`.
//!     pub value_len: usize,
//! }
//!
//! // SAFETY: `rows` fills it from its arena alone.
//! unsafe impl Row for consul_kv_pair {}
//!
//! impl Handle for consul_kv {
//!     type Object = Rows<consul_kv_pair>;
//! }
//!
//! fn rows(pairs: Vec<KvPair>) -> Rows<consul_kv_pair> {
//!     let keys = pairs.iter().map(|pair| pair.key.len() + 1).sum();
//!     let mut rows = RowsBuilder::with_capacity(pairs.len(), keys);
//!     for pair in pairs {
//!         let key = rows.arena.text(&pair.key);
//!         let value = rows.arena.text(&pair.value);
//!         rows.push(consul_kv_pair {
//!             key: key.ptr,
//!             key_len: key.len,
//!             value: value.ptr,
//!             value_len: value.len,
//!         });
//!     }
//!     rows.finish()
//! }
//!
//! /// Reads a key. `CONSUL_NOT_FOUND` when it does not exist.
//! #[unsafe(no_mangle)]
//! pub unsafe extern "C" fn consul_kv_get(
//!     client: *mut consul_client,
//!     key: *const c_char,
//!     options: *const consul_options,
//!     r#async: *const consul_async,
//!     out: *mut *mut consul_kv,
//! ) -> consul_status {
//!     guard(|| {
//!         // SAFETY: pointers as the header asks for.
//!         let (client, options, ending, out) =
//!             unsafe { call::giving(client, options, r#async, out) }?;
//!         // SAFETY: as above.
//!         let key = unsafe { input::required_str(key, "key") }?;
//!         ending.give(out, client.kv().get(key, &options)?, |answer| match answer.value {
//!             Some(pair) => done(rows(vec![pair])),
//!             None => (Status::NotFound, None),
//!         })
//!     })
//! }
//!
//! /// How many keys there are; 0 for a handle that is not live.
//! #[unsafe(no_mangle)]
//! pub extern "C" fn consul_kv_count(kv: *const consul_kv) -> usize {
//!     handle::read(kv, 0, Rows::count)
//! }
//!
//! /// One of the keys; NULL past the end. Borrowed: valid until `kv` is freed.
//! #[unsafe(no_mangle)]
//! pub extern "C" fn consul_kv_at(kv: *const consul_kv, index: usize) -> *const consul_kv_pair {
//!     handle::read(kv, ptr::null(), |rows| rows.at(index))
//! }
//!
//! /// Ends an answer. NULL is fine.
//! #[unsafe(no_mangle)]
//! pub extern "C" fn consul_kv_free(kv: *mut consul_kv) {
//!     handle::free(kv);
//! }
//! ```
//!
//! - What changes through a handle (`_set_…`) takes it by `handle::get_mut`, which refuses while
//!   another thread uses it; everything else by `handle::get`.
//! - A string that is not there is empty in a row, never NULL.
//! - What belongs to one process, since its threads or sessions do, says so in
//!   [`handle::Handle::BELONGS_TO_PROCESS`]: a forked child leaves it alone.
//! - An object that threads can wait in (a client, a lock, a queue) wakes them in
//!   [`handle::Handle::freed`].

// C's names and C's rules: the header tells C what it must pass, once for all functions.
#![allow(unsafe_code, non_camel_case_types, clippy::missing_safety_doc)]

// The sections of the header, in the order a reader needs them.
pub mod version;
// Written by `make header` from the list in src/error/status.rs.
#[rustfmt::skip]
pub mod status;
pub mod error;
pub mod handle;
pub mod asynchronous;
pub mod queue;
pub mod event;
pub mod text;
pub mod answer;
pub mod config;
pub mod options;
// Written by `make header` from the table in src/config/table.rs.
#[rustfmt::skip]
pub mod options_setters;
pub mod client;
pub mod kv;
pub mod keys;
pub mod kv_portable;
pub mod reencryption;
pub mod txn;
pub mod session;
pub mod kept_session;
pub mod lock_spec;
pub mod lock;
pub mod semaphore_spec;
pub mod semaphore;
pub mod election_spec;
pub mod election;
pub mod checks;
pub mod nodes;
pub mod services;
pub mod service_entries;
pub mod health;
pub mod check_spec;
pub mod service_spec;
pub mod kept_service;
pub mod agent;
pub mod members;
pub mod membership;
pub mod registration;
pub mod catalog;
pub mod user_events;
pub mod servers;
pub mod raft_peers;
pub mod operator;
pub mod acl;
mod acl_documents;
pub mod acl_policies;
pub mod acl_roles;
pub mod acl_methods;
pub mod snapshot;
pub mod request;
pub mod health_report;
pub mod stats;
pub mod endpoint_changes;
pub mod log;
pub mod watch_spec;
pub mod watch;
pub mod view;
pub mod discovery;
pub mod ring;
pub mod cluster_spec;
pub mod cluster_nodes;
pub mod cluster;
pub mod embedded;

// What they are made with.
pub mod arena;
mod call;
mod description;
pub mod guard;
pub mod input;
pub mod kind;
pub mod output;
mod table;
mod view_rows;
mod election_feed;
mod endpoint_feed;
mod log_feed;
mod cluster_feed;
mod lent;
mod loss_feed;
mod outlet;
mod watch_feed;
#[cfg(feature = "test-panic")]
pub mod test_panic;
