//! # Transactions
//!
//! Operations that are applied together or not at all, in the order in which they are added. What
//! cannot be is refused when it is added, and adds nothing; a transaction above
//! `max_txn_operations`, `max_txn_bytes` or with a value above `max_value_bytes` gives
//! `CONSUL_ERR_TOO_LARGE` before anything is sent.
//!
//! ```c
//! consul_txn *txn = NULL;
//! consul_txn_result *result = NULL;
//! consul_txn_new(&txn);
//! consul_txn_check_not_exists(txn, "app/owner");
//! consul_txn_set(txn, "app/owner", (const uint8_t *)"me", 2, 0);
//! if (consul_txn_commit(client, txn, NULL, NULL, &result) == CONSUL_CONFLICT)
//!     puts(consul_txn_result_error_at(result, 0)->what);
//! consul_txn_result_free(result);
//! consul_txn_free(txn);
//! ```

use super::answer::{Listing, consul_meta};
use super::arena::{Row, Rows, RowsBuilder};
use super::asynchronous::{self, consul_async};
use super::client::{self, consul_client};
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::{consul_txn, consul_txn_result};
use super::kv::{self, consul_kv_pair};
use super::options::{self, consul_options};
use super::status::consul_status;
use super::{input, output};
use crate::api::Answer;
use crate::api::kv::Found;
use crate::api::txn::{Txn, TxnError, TxnOutcome, TxnResult};
use crate::error::{Result, Status};
use std::ffi::c_char;
use std::ptr;

/// The result is a key: `pair` has it.
pub const CONSUL_TXN_KV: i32 = 1;
/// The result is a node: `json` has it.
pub const CONSUL_TXN_NODE: i32 = 2;
/// The result is a service: `json` has it.
pub const CONSUL_TXN_SERVICE: i32 = 3;
/// The result is a check: `json` has it.
pub const CONSUL_TXN_CHECK: i32 = 4;

/// What an operation of a transaction gave.
#[repr(C)]
#[derive(Debug)]
pub struct consul_txn_row {
    /// The key, with its value where it was read; NULL for all but `CONSUL_TXN_KV`.
    pub pair: *const consul_kv_pair,
    /// The node, service or check as Consul's API writes it; empty for `CONSUL_TXN_KV`.
    pub json: *const c_char,
    /// The bytes in `json`.
    pub json_len: usize,
    /// What it is: `CONSUL_TXN_KV` and so on. Pass over ones you do not know.
    pub kind: i32,
}

/// Why a transaction was rolled back.
#[repr(C)]
#[derive(Debug)]
pub struct consul_txn_error {
    /// The operation that failed, counted from 0.
    pub op_index: u64,
    /// The reason, in Consul's words.
    pub what: *const c_char,
    /// The bytes in `what`.
    pub what_len: usize,
    /// The token may not do the operation.
    pub denied: bool,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_txn_row {}

// SAFETY: `error_rows` fills it from its arena alone.
unsafe impl Row for consul_txn_error {}

/// What a transaction came to.
#[derive(Debug)]
pub struct Outcome {
    results: Listing<consul_txn_row>,
    errors: Rows<consul_txn_error>,
}

impl Handle for consul_txn {
    type Object = Txn;
}

impl Handle for consul_txn_result {
    type Object = Outcome;
}

fn outcome(answer: Answer<TxnOutcome>) -> Outcome {
    let (results, errors) = match answer.value {
        TxnOutcome::Committed(results) => (results, Vec::new()),
        TxnOutcome::RolledBack(errors) => (Vec::new(), errors),
    };
    let results = Answer { value: results, meta: answer.meta };
    Outcome { results: Listing::new(results, rows), errors: error_rows(&errors) }
}

fn rows(results: Vec<TxnResult>) -> Rows<consul_txn_row> {
    let mut rows = RowsBuilder::with_capacity(results.len(), results.len() * 128);
    for result in results {
        let kind = match result {
            TxnResult::Kv(_) => CONSUL_TXN_KV,
            TxnResult::Node(_) => CONSUL_TXN_NODE,
            TxnResult::Service(_) => CONSUL_TXN_SERVICE,
            TxnResult::Check(_) => CONSUL_TXN_CHECK,
        };
        let json = rows.arena.text(&result.to_json().unwrap_or_default());
        let pair = match result {
            TxnResult::Kv(pair) => {
                let pair = kv::row(&rows.arena, &Found::from(&pair));
                pair.map_or(ptr::null(), |pair| rows.arena.row(pair))
            }
            _ => ptr::null(),
        };
        rows.push(consul_txn_row { pair, json: json.ptr, json_len: json.len, kind });
    }
    rows.finish()
}

fn error_rows(errors: &[TxnError]) -> Rows<consul_txn_error> {
    let bytes = errors.iter().map(|error| error.what.len() + 1).sum();
    let mut rows = RowsBuilder::with_capacity(errors.len(), bytes);
    for error in errors {
        let what = rows.arena.text(&error.what);
        rows.push(consul_txn_error {
            op_index: error.op_index,
            what: what.ptr,
            what_len: what.len,
            denied: error.is_denied(),
        });
    }
    rows.finish()
}

/// Makes a transaction without operations. Free it with `consul_txn_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_new(out: *mut *mut consul_txn) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(Txn::new()))
}

/// Writes a key. `flags` replace the key's flags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_set(
    txn: *mut consul_txn,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe {
        txn.set(text(key, "key")?, input::bytes(value, value_len, "value")?, flags)
    })
}

/// Writes a key if its modify index is still this one; 0 means "if it does not exist".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_cas(
    txn: *mut consul_txn,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    modify_index: u64,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe {
        let value = input::bytes(value, value_len, "value")?;
        txn.cas(text(key, "key")?, value, flags, modify_index)
    })
}

/// Writes a key and locks it for a session. The modify index of its result is the fencing token of
/// the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_lock(
    txn: *mut consul_txn,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    session_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe {
        let value = input::bytes(value, value_len, "value")?;
        txn.lock(text(key, "key")?, value, flags, text(session_id, "session_id")?)
    })
}

/// Writes a key and unlocks it, if this session holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_unlock(
    txn: *mut consul_txn,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    session_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe {
        let value = input::bytes(value, value_len, "value")?;
        txn.unlock(text(key, "key")?, value, flags, text(session_id, "session_id")?)
    })
}

/// Reads a key, which must exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_get(txn: *mut consul_txn, key: *const c_char) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.get(text(key, "key")?) })
}

/// Reads a key; one that does not exist gives a pair with an empty value (Consul 1.14).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_get_or_empty(
    txn: *mut consul_txn,
    key: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.get_or_empty(text(key, "key")?) })
}

/// Reads every key that begins with `prefix`, none included. The prefix may not be empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_get_tree(
    txn: *mut consul_txn,
    prefix: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.get_tree(text(prefix, "prefix")?) })
}

/// Goes on only if the key's modify index is this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_check_index(
    txn: *mut consul_txn,
    key: *const c_char,
    modify_index: u64,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.check_index(text(key, "key")?, modify_index) })
}

/// Goes on only if this session holds the key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_check_session(
    txn: *mut consul_txn,
    key: *const c_char,
    session_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.check_session(text(key, "key")?, text(session_id, "session_id")?) })
}

/// Goes on only if the key does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_check_not_exists(
    txn: *mut consul_txn,
    key: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.check_not_exists(text(key, "key")?) })
}

/// Deletes a key, which need not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_delete(
    txn: *mut consul_txn,
    key: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.delete(text(key, "key")?) })
}

/// Deletes a key if its modify index is still this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_delete_cas(
    txn: *mut consul_txn,
    key: *const c_char,
    modify_index: u64,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.delete_cas(text(key, "key")?, modify_index) })
}

/// Deletes every key that begins with `prefix`, byte by byte. The empty prefix, which would delete
/// all, gives `CONSUL_ERR_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_delete_tree(
    txn: *mut consul_txn,
    prefix: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.delete_tree(text(prefix, "prefix")?) })
}

/// Adds any operation in the JSON of Consul's API: an object with one member `KV`, `Node`,
/// `Service` or `Check`, which has a `Verb`. No more of it is checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_add_json(
    txn: *mut consul_txn,
    json: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    add(txn, |txn| unsafe { txn.json(text(json, "json")?) })
}

/// Ends a transaction that is being put together. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_free(txn: *mut consul_txn) {
    handle::free(txn);
}

/// Applies all operations or none. `CONSUL_CONFLICT` when it was rolled back, for what it found: read
/// again and try again. `CONSUL_ERR_DENIED` when it was rolled back because the token may not do one
/// of its operations, `CONSUL_ERR_UNSUPPORTED` because this Consul does not know one: that ends the
/// same way each time. With each of these `out` has the errors, and is the caller's to free all the
/// same; it is NULL only where Consul refused the request as a whole, as an unknown token is by 403, or
/// did not answer. A transaction that changes something is sent once; after an error whose outcome is
/// unknown it may have been applied. It may be committed again, by any client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_txn_commit(
    client: *const consul_client,
    txn: *const consul_txn,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_txn_result,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out_of_call(out, r#async) }?;
        // SAFETY: as above.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let client = client::ending_in(client, &ending)?;
        let txn = handle::get(txn)?;
        let options = options::chosen(options)?;
        ending.give_or_fail(out, client.commit(&txn, &options)?, |answer| {
            let ended = match answer.value.refusal() {
                Some(refusal) => Err(refusal),
                None if answer.value.is_committed() => Ok(Status::Ok),
                None => Ok(Status::Conflict),
            };
            (ended, Some(outcome(answer)))
        })
    })
}

/// How many results there are; 0 for a handle that is not live. They stand in the order of the
/// operations, but are not one for each: a deletion and a check that a key does not exist give
/// none, a tree gives one for each of its keys.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_count(result: *const consul_txn_result) -> usize {
    handle::read(result, 0, |outcome| outcome.results.count())
}

/// One of the results; NULL past the end. Borrowed: valid until `result` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_at(
    result: *const consul_txn_result,
    index: usize,
) -> *const consul_txn_row {
    handle::read(result, ptr::null(), |outcome| outcome.results.at(index))
}

/// How many errors there are; 0 when it was applied.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_error_count(result: *const consul_txn_result) -> usize {
    handle::read(result, 0, |outcome| outcome.errors.count())
}

/// One of the errors; NULL past the end. Borrowed: valid until `result` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_error_at(
    result: *const consul_txn_result,
    index: usize,
) -> *const consul_txn_error {
    handle::read(result, ptr::null(), |outcome| outcome.errors.at(index))
}

/// What the answer's headers say. Borrowed: valid until `result` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_meta(result: *const consul_txn_result) -> *const consul_meta {
    handle::read(result, ptr::null(), |outcome| outcome.results.meta())
}

/// Ends what a transaction came to. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_txn_result_free(result: *mut consul_txn_result) {
    handle::free(result);
}

/// One more operation.
fn add(
    txn: *mut consul_txn,
    operation: impl FnOnce(&mut Txn) -> Result<&mut Txn>,
) -> consul_status {
    guard(|| {
        operation(&mut *handle::get_mut(txn)?)?;
        Ok(Status::Ok)
    })
}

/// # Safety
/// As for [`input::required_str`].
unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { input::required_str(text, name) }
}
