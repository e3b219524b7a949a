//! Keys in the format of `consul kv export` and `consul kv import`.

use super::asynchronous::{consul_async, done};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input};
use crate::error::Status;
use std::ffi::c_char;

/// Reads every key that begins with `prefix`, as `consul kv export` writes them: a JSON array of `key`,
/// `flags` and `value`, which is base64. The empty prefix exports all. Locks and sessions are not in it;
/// a snapshot has them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_export(
    client: *const consul_client,
    prefix: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        let exported = client.kv().export(prefix, &options)?;
        ending.give(out, exported, |text| done(text.into()))
    })
}

/// Writes keys as `consul_kv_export` or `consul kv export` gave them, `prefix`, which may be NULL, before
/// the name of each. They are written whatever was there; keys that are not among them stay.
///
/// As many as fit go into one transaction, so what fails in the middle leaves whole transactions behind
/// it; the error says how many keys were written. `CONSUL_ERR_ARGUMENT` and `CONSUL_ERR_TOO_LARGE`
/// before anything is sent. The time that the options allow is that of each transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_import(
    client: *const consul_client,
    prefix: *const c_char,
    exported: *const u8,
    exported_len: usize,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::optional_str(prefix, "prefix") }?;
        // SAFETY: as above.
        let exported = unsafe { input::bytes(exported, exported_len, "exported") }?;
        let imported = client.kv().import(prefix.unwrap_or_default(), exported, &options)?;
        ending.end(imported, |_| Status::Ok)
    })
}
