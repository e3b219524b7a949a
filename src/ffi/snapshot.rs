//! # Snapshots
//!
//! The whole state of the servers in one file: every key, session, service, token and policy. A token
//! needs management rights. A snapshot goes straight between the file and the connection, so the
//! memory that it takes does not depend on its size; asynchronous, it has a thread of its own.
//!
//! Where the options do not say how long it may take, it is ten minutes, or `timeout_ms` of the client
//! where that is longer.
//!
//! ```c
//! consul_text *about = NULL;
//! if (consul_snapshot_save(client, "/backup/consul.snap", NULL, NULL, &about) == CONSUL_OK)
//!     puts(consul_text_data(about));
//! consul_text_free(about);
//! ```

use super::asynchronous::{consul_async, done};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::{Content, consul_text};
use super::{call, input, output};
use crate::api::snapshot::Snapshot;
use crate::error::{Error, Result, Status};
use std::ffi::c_char;
use std::path::Path;

fn about(snapshot: &Snapshot) -> Result<Content> {
    let text = serde_json::to_vec(snapshot);
    text.map(Content::from).map_err(|error| Error::new(Status::Internal, error.to_string()))
}

fn told(snapshot: Snapshot) -> (Status, Option<Content>) {
    about(&snapshot).map_or((Status::Internal, None), done)
}

/// Saves the state of the servers in a file, which is there whole and with right checksums, or not at
/// all: it is written under another name beside its place, read again and checked, and then takes the
/// place of what may have been there. Only its owner can read it, since the tokens of the ACL system are
/// in it. With the consistency `stale` any server gives it, also while there is no leader.
///
/// `out` gets what it says of itself, as JSON: `ID`, `Index`, `Term`, `Version` and `Size`.
/// `CONSUL_ERR_IO` when it cannot be written, `CONSUL_ERR_CRYPTO` or `CONSUL_ERR_DECODE` when what
/// Consul sent is not a whole snapshot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_snapshot_save(
    client: *const consul_client,
    path: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let path = unsafe { input::required_str(path, "path") }?;
        let saved = client.snapshot().save(Path::new(path), &options)?;
        ending.give(out, saved, told)
    })
}

/// Replaces the state of the servers by what a file holds, after its checksums were compared: what was
/// written since it was saved is gone. It is sent again only where nothing of it can have been taken; after
/// an error whose outcome is unknown it may have been restored. `out` and the errors as for
/// `consul_snapshot_save`; nothing is sent when the file is not a whole snapshot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_snapshot_restore(
    client: *const consul_client,
    path: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let path = unsafe { input::required_str(path, "path") }?;
        let restored = client.snapshot().restore(Path::new(path), &options)?;
        ending.give(out, restored, told)
    })
}

/// Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul. `out`
/// and the errors as for `consul_snapshot_save`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_snapshot_inspect(
    path: *const c_char,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let path = unsafe { input::required_str(path, "path") }?;
        out.give(about(&Snapshot::inspect(Path::new(path))?)?)
    })
}
