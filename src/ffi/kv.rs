//! # Keys and values
//!
//! A key is a path without a leading slash: no empty, `.` or `..` segments and no unprintable
//! characters, since Consul cannot be asked for such keys. A bad key gives `CONSUL_ERR_ARGUMENT`
//! and a value above `max_value_bytes` `CONSUL_ERR_TOO_LARGE` before anything is sent.
//!
//! ```c
//! consul_kv *kv = NULL;
//! if (consul_kv_list(client, "app/", NULL, NULL, &kv) == CONSUL_OK)
//!     for (size_t i = 0; i < consul_kv_count(kv); i++)
//!         puts(consul_kv_at(kv, i)->key);
//! consul_kv_free(kv);
//! ```

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Bytes, Row, Rows, RowsBuilder, Run, Text};
use super::asynchronous::{consul_async, done, found};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
use super::keys::{self, consul_keys};
pub use super::kind::consul_kv;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use crate::api::Answer;
use crate::api::kv::{Collect, Found, KvPair};
use crate::error::{Result, Status};
use std::ffi::c_char;
use std::ptr;

/// A key with its value.
#[repr(C)]
#[derive(Debug)]
pub struct consul_kv_pair {
    /// The key.
    pub key: *const c_char,
    /// The bytes in `key`.
    pub key_len: usize,
    /// The value; any byte can be in it. Never NULL.
    pub value: *const u8,
    /// The bytes in `value`.
    pub value_len: usize,
    /// A number that belongs to the programs that use the key. It fills 64 bits.
    pub flags: u64,
    /// The id of the session that holds the key, empty when none does.
    pub session: *const c_char,
    /// The bytes in `session`.
    pub session_len: usize,
    /// How often the key was acquired; starts again when it is deleted or plainly written, so it
    /// is no fencing token.
    pub lock_index: u64,
    /// The index of the write that made the key.
    pub create_index: u64,
    /// The index of the last write, for a compare-and-set.
    pub modify_index: u64,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_kv_pair {}

impl Handle for consul_kv {
    type Object = Listing<consul_kv_pair>;
}

/// The pairs of an answer while it is read.
#[derive(Default)]
struct Pairs {
    rows: RowsBuilder<consul_kv_pair>,
    keys: Run,
    values: Run,
}

impl Collect for Pairs {
    fn reserve(&mut self, pairs: usize) {
        self.rows.reserve(pairs);
        self.keys.reserve(pairs * self.keys.len());
        self.values.reserve(pairs * self.values.len());
    }

    fn add(&mut self, found: &Found<'_>) -> Option<()> {
        let (start, len) = (self.values.len(), found.value.len()?);
        self.values.resize(start + len, 0);
        found.value.write(self.values.get_mut(start..)?)?;
        // The NUL beside it, or a single pair would ask the allocator twice.
        self.keys.reserve(found.key.len() + 1);
        self.keys.extend_from_slice(found.key.as_bytes());
        self.keys.push(0);
        // `finish` says where.
        let key = Text { ptr: ptr::null(), len: found.key.len() };
        let value = Bytes { ptr: ptr::null(), len };
        let row = dressed(&self.rows.arena, found, key, value);
        self.rows.push(row);
        Some(())
    }
}

impl Pairs {
    fn finish(self) -> Rows<consul_kv_pair> {
        let Pairs { mut rows, keys, values } = self;
        let (mut key, mut value) = (rows.arena.run(keys), rows.arena.run(values));
        for row in rows.rows_mut() {
            (row.key, row.value) = (key.cast(), value);
            key = key.wrapping_add(row.key_len + 1);
            value = value.wrapping_add(row.value_len);
        }
        rows.finish()
    }
}

/// Pairs that were decoded already, as rows.
pub(super) fn rows(pairs: &[KvPair]) -> Rows<consul_kv_pair> {
    let mut rows = Pairs {
        rows: RowsBuilder::with_capacity(pairs.len(), 0),
        keys: Run::with_capacity(pairs.iter().map(|pair| pair.key.len() + 1).sum()),
        values: Run::with_capacity(pairs.iter().map(|pair| pair.value.len()).sum()),
    };
    for pair in pairs {
        // Its value is decoded already.
        let _ = rows.add(&Found::from(pair));
    }
    rows.finish()
}

/// One pair as a row of an arena; `None` when its value is not base64.
pub(super) fn row(arena: &Arena, found: &Found<'_>) -> Option<consul_kv_pair> {
    let key = arena.text(found.key);
    let value = arena.bytes(found.value.len()?, |place| found.value.write(place))?;
    Some(dressed(arena, found, key, value))
}

fn dressed(arena: &Arena, found: &Found<'_>, key: Text, value: Bytes) -> consul_kv_pair {
    let session = arena.text(found.session.unwrap_or_default());
    consul_kv_pair {
        key: key.ptr,
        key_len: key.len,
        value: value.ptr,
        value_len: value.len,
        flags: found.flags,
        session: session.ptr,
        session_len: session.len,
        lock_index: found.lock_index,
        create_index: found.create_index,
        modify_index: found.modify_index,
    }
}

/// Reads a key. `CONSUL_NOT_FOUND` when it does not exist: `out` then has no pair, but the index to
/// wait on, and is the caller's to free all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_get(
    client: *const consul_client,
    key: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_kv,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.give(out, client.kv().get_into(key, &options)?, |answer| {
            let pairs = Listing::new(answer, Pairs::finish);
            found(pairs.count() > 0, pairs)
        })
    })
}

/// Reads every key that begins with `prefix`, byte by byte: `a` finds `ab` too. The empty prefix
/// reads all. Finding none is `CONSUL_OK` with a count of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_list(
    client: *const consul_client,
    prefix: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_kv,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        ending.give(out, client.kv().list_into(prefix, &options)?, |answer| {
            done(Listing::new(answer, Pairs::finish))
        })
    })
}

/// Reads the names of the keys that begin with `prefix`. With a `separator` (NULL: none) a name
/// ends after its first separator past the prefix, each such name once: a level of a tree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_keys(
    client: *const consul_client,
    prefix: *const c_char,
    separator: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        // SAFETY: as above.
        let separator = unsafe { input::optional_str(separator, "separator") }?;
        ending.give(out, client.kv().keys(prefix, separator, &options)?, |found| {
            done(keys::listing(found))
        })
    })
}

/// How many pairs there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kv_count(kv: *const consul_kv) -> usize {
    handle::read(kv, 0, Listing::count)
}

/// One of the pairs; NULL past the end. Borrowed: valid until `kv` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kv_at(kv: *const consul_kv, index: usize) -> *const consul_kv_pair {
    handle::read(kv, ptr::null(), |kv| kv.at(index))
}

/// How many bytes a pair has in this library, which may be more than in the header that a program
/// was built with. The pairs of an answer lie one after the other, from `consul_kv_at` of 0 on; so
/// do their keys, each with its NUL, and their values: with this a language without structs reads
/// all of them as three blocks.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kv_pair_size() -> usize {
    size_of::<consul_kv_pair>()
}

/// What the answer's headers say. Borrowed: valid until `kv` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kv_meta(kv: *const consul_kv) -> *const consul_meta {
    handle::read(kv, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_kv_free(kv: *mut consul_kv) {
    handle::free(kv);
}

/// Writes a key, whatever it held. `flags` replace the key's flags; `consul_kv_update` keeps them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_put(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let (key, value) = unsafe { pair(key, value, value_len) }?;
        ending.end(client.kv().put(key, value, flags, &options)?, won)
    })
}

/// Writes a key and keeps its flags: reads them, then compares and sets, until nobody came in
/// between or the time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_update(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let (key, value) = unsafe { pair(key, value, value_len) }?;
        ending.end(client.kv().update(key, value, &options)?, won)
    })
}

/// Writes a key if its modify index is still this one; 0 means "if it does not exist".
/// `CONSUL_CONFLICT` when it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_cas(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    modify_index: u64,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let (key, value) = unsafe { pair(key, value, value_len) }?;
        ending.end(client.kv().cas(key, value, flags, modify_index, &options)?, won)
    })
}

/// Deletes a key. `CONSUL_OK` also when it did not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_delete(
    client: *const consul_client,
    key: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.end(client.kv().delete(key, &options)?, won)
    })
}

/// Deletes a key if its modify index is still this one. `CONSUL_CONFLICT` when it is not;
/// `CONSUL_OK` also when the key does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_delete_cas(
    client: *const consul_client,
    key: *const c_char,
    modify_index: u64,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        ending.end(client.kv().delete_cas(key, modify_index, &options)?, won)
    })
}

/// Deletes every key that begins with `prefix`, byte by byte: `a` deletes `ab` too. The empty
/// prefix, which would delete all, gives `CONSUL_ERR_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_delete_prefix(
    client: *const consul_client,
    prefix: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        ending.end(client.kv().delete_prefix(prefix, &options)?, won)
    })
}

/// Writes a key and locks it for a session. `CONSUL_HELD` when another session holds it or its
/// lock-delay is not over; `CONSUL_ERR_SESSION_INVALID` when there is no such session. The holder
/// may do it again to write the value. `consul_lock` is the whole recipe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_acquire(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let (key, value) = unsafe { pair(key, value, value_len) }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        let acquired = client.kv().acquire(key, value, flags, session_id, &options)?;
        ending.end(acquired, |won| if won.value { Status::Ok } else { Status::Held })
    })
}

/// Writes a key and unlocks it. `CONSUL_CONFLICT` when this session does not hold it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_release(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let (key, value) = unsafe { pair(key, value, value_len) }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        ending.end(client.kv().release(key, value, flags, session_id, &options)?, won)
    })
}

/// # Safety
/// As for [`input::required_str`] and [`input::bytes`].
unsafe fn pair<'a>(
    key: *const c_char,
    value: *const u8,
    value_len: usize,
) -> Result<(&'a str, &'a [u8])> {
    // SAFETY: the caller's promise.
    unsafe { Ok((input::required_str(key, "key")?, input::bytes(value, value_len, "value")?)) }
}

/// Consul's `true` or `false` to a conditional write.
fn won(answer: Answer<bool>) -> Status {
    if answer.value { Status::Ok } else { Status::Conflict }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_lie_one_after_the_other() {
        let stored = [("a", ""), ("b\0", "1\0"), ("c/ü", ""), ("d", "22"), ("e", "")];
        let pair = |&(key, value): &(&str, &str)| KvPair {
            key: key.to_owned(),
            value: value.into(),
            ..KvPair::default()
        };
        let rows = rows(&stored.iter().map(pair).collect::<Vec<_>>());
        // SAFETY: the rows are there as long as `rows`.
        let row = |number| unsafe { &*rows.at(number) };
        let (mut key, mut value) = (row(0).key.cast::<u8>(), row(0).value);
        for (number, (stored_key, stored_value)) in stored.iter().enumerate() {
            let row = row(number);
            assert_eq!((row.key.cast(), row.value), (key, value));
            // SAFETY: a row's own bytes, and the NUL after its key.
            let (stored, held) = unsafe {
                let key = std::slice::from_raw_parts(key, row.key_len + 1);
                (key, std::slice::from_raw_parts(value, row.value_len))
            };
            assert_eq!(stored, format!("{stored_key}\0").as_bytes());
            assert_eq!(held, stored_value.as_bytes());
            key = key.wrapping_add(row.key_len + 1);
            value = value.wrapping_add(row.value_len);
        }
        let empty = super::rows(&[KvPair::default()]);
        // SAFETY: as above.
        assert!(unsafe { !(*empty.at(0)).value.is_null() });
    }
}
