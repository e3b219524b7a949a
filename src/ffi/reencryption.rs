//! # Values encrypted at rest
//!
//! With the settings `encryption_key` and `encryption_prefixes` values are encrypted before they are
//! sent and decrypted when they are read. One that cannot be decrypted gives `CONSUL_ERR_CRYPTO`.
//! After a new key was set, what is stored under an old one, or plain, is encrypted anew.
//!
//! ```c
//! consul_reencryption *done = NULL;
//! if (consul_kv_reencrypt(client, "app/", NULL, NULL, &done) == CONSUL_OK)
//!     printf("%llu left\n", (unsigned long long)consul_reencryption_row(done)->failed);
//! consul_reencryption_free(done);
//! ```

use super::asynchronous::{consul_async, done};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_reencryption;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use crate::api::kv::Reencrypted;
use std::ffi::c_char;
use std::ptr;

/// How many keys a re-encryption met, by what became of them.
#[repr(C)]
#[derive(Debug)]
pub struct consul_reencryption_counts {
    /// Their values were under an old key or plain, and are under `encryption_key` now.
    pub rewritten: u64,
    /// Their values were under `encryption_key` already.
    pub current: u64,
    /// Left as they are, since a session holds the key: its holder writes it.
    pub held: u64,
    /// Left as they are, since no prefix of `encryption_prefixes` covers the key.
    pub outside: u64,
    /// Left as they are, since they cannot be decrypted, or are plain where that is not allowed.
    /// Each is a warning in the log.
    pub failed: u64,
}

impl Handle for consul_reencryption {
    type Object = consul_reencryption_counts;
}

impl From<Reencrypted> for consul_reencryption_counts {
    fn from(counts: Reencrypted) -> Self {
        let Reencrypted { rewritten, current, held, outside, failed } = counts;
        consul_reencryption_counts { rewritten, current, held, outside, failed }
    }
}

/// Encrypts every value below `prefix` anew that is under an old key or plain, by check-and-set: what
/// others write meanwhile stays, and so do flags. `CONSUL_ERR_CONFIG` when nothing is encrypted. It
/// may take the call's `timeout_ms` in all; one that ended early goes on where it was when it is
/// called again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_reencrypt(
    client: *const consul_client,
    prefix: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_reencryption,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        ending
            .give(out, client.kv().reencrypt(prefix, &options)?, |answer| done(answer.value.into()))
    })
}

/// The counts; NULL for a handle that is not live. Borrowed: valid until `reencryption` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_reencryption_row(
    reencryption: *const consul_reencryption,
) -> *const consul_reencryption_counts {
    handle::read(reencryption, ptr::null(), ptr::from_ref)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_reencryption_free(reencryption: *mut consul_reencryption) {
    handle::free(reencryption);
}
