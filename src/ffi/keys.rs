//! Lists of plain strings: names of keys, datacenters, addresses of peers.

use super::answer::{Listing, consul_meta};
use super::arena::{Row, Rows, RowsBuilder, Run};
use super::handle::{self, Handle};
pub use super::kind::consul_keys;
use crate::api::Answer;
use std::ffi::c_char;
use std::ptr;

/// One string of a list.
#[repr(C)]
#[derive(Debug)]
pub struct consul_string {
    /// The string.
    pub data: *const c_char,
    /// The bytes in `data`.
    pub len: usize,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_string {}

impl Handle for consul_keys {
    type Object = Listing<consul_string>;
}

/// A list of strings as the object behind a handle.
pub(super) fn listing(answer: Answer<Vec<String>>) -> Listing<consul_string> {
    Listing::new(answer, |keys| rows(&keys))
}

/// The same of strings that no answer gave.
pub(super) fn plain<'a>(keys: impl Iterator<Item = &'a str>) -> Listing<consul_string> {
    Listing::plain(rows(&keys.map(String::from).collect::<Vec<_>>()))
}

fn rows(keys: &[String]) -> Rows<consul_string> {
    let mut rows = RowsBuilder::with_capacity(keys.len(), 0);
    let mut run = Run::with_capacity(keys.iter().map(|key| key.len() + 1).sum());
    for key in keys {
        run.extend_from_slice(key.as_bytes());
        run.push(0);
        rows.push(consul_string { data: ptr::null(), len: key.len() });
    }
    let mut data = rows.arena.run(run);
    for row in rows.rows_mut() {
        row.data = data.cast();
        data = data.wrapping_add(row.len + 1);
    }
    rows.finish()
}

/// How many strings there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_keys_count(keys: *const consul_keys) -> usize {
    handle::read(keys, 0, Listing::count)
}

/// One of the strings; NULL past the end. Borrowed: valid until `keys` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_keys_at(keys: *const consul_keys, index: usize) -> *const consul_string {
    handle::read(keys, ptr::null(), |keys| keys.at(index))
}

/// How many bytes a `consul_string` of a list has in this library; as `consul_kv_pair_size`. Its
/// strings lie one after the other too, each with its NUL.
#[unsafe(no_mangle)]
pub extern "C" fn consul_string_size() -> usize {
    size_of::<consul_string>()
}

/// What the answer's headers say. Borrowed: valid until `keys` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_keys_meta(keys: *const consul_keys) -> *const consul_meta {
    handle::read(keys, ptr::null(), Listing::meta)
}

/// Ends a list of strings. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_keys_free(keys: *mut consul_keys) {
    handle::free(keys);
}
