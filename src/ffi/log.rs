//! # The log
//!
//! The library is silent, and never writes to stderr. With a level it keeps records of what happens
//! to clients, sessions, locks, semaphores and services, for the program to take, or writes them to a file. One
//! log serves the process. No record holds a secret.
//!
//! ```c
//! consul_log_records *records = NULL;
//! size_t i;
//! consul_log_set_level("warning");
//! while (consul_log_take(100, &records) == CONSUL_OK) {
//!     for (i = 0; i < consul_log_records_count(records); i++)
//!         fprintf(stderr, "%s\n", consul_log_records_at(records, i)->message);
//!     consul_log_records_free(records);
//! }
//! ```

use super::arena::{Row, Rows, RowsBuilder};
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_log_records;
use super::kind::consul_queue;
use super::log_feed;
use super::status::consul_status;
use super::{input, output};
use crate::error::Status;
use crate::observe::Rotation;
use crate::observe::log::{self, Record};
use std::ffi::c_char;
use std::path::Path;
use std::ptr;

/// Something was lost that a program relied on.
pub const CONSUL_LOG_ERROR: i32 = 1;
/// Something failed that is tried again.
pub const CONSUL_LOG_WARNING: i32 = 2;
/// Something began, ended or was mended.
pub const CONSUL_LOG_INFO: i32 = 3;
/// What else may help to find a fault.
pub const CONSUL_LOG_DEBUG: i32 = 4;

/// Records have come. Its result is those that nobody has taken when the event is, up to 1024, for
/// `consul_event_take_log_records`; its status is `CONSUL_NO_CHANGE` and it has none where somebody was
/// faster. However many come before the event is taken, there is one.
pub const CONSUL_EVENT_LOG: i32 = 6;

/// Something that happened.
#[repr(C)]
#[derive(Debug)]
pub struct consul_log_record {
    /// How much it matters, `CONSUL_LOG_...`.
    pub level: i32,
    /// The same as a word: `error`, `warning`, `info` or `debug`.
    pub level_name: *const c_char,
    /// The bytes in `level_name`.
    pub level_name_len: usize,
    /// What it is about: `client`, `session`, `lock`, `semaphore` or `registration`.
    pub area: *const c_char,
    /// The bytes in `area`.
    pub area_len: usize,
    /// When it happened, in ms since 1970.
    pub time_ms: u64,
    /// One line for people.
    pub message: *const c_char,
    /// The bytes in `message`.
    pub message_len: usize,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_log_record {}

impl Handle for consul_log_records {
    type Object = Rows<consul_log_record>;
}

pub(super) fn rows(records: &[Record]) -> Rows<consul_log_record> {
    let bytes = records.iter().map(|record| record.message.len() + 24).sum();
    let mut rows = RowsBuilder::with_capacity(records.len(), bytes);
    for record in records {
        let level_name = rows.arena.text(record.level.as_str());
        let area = rows.arena.text(record.area);
        let message = rows.arena.text(&record.message);
        rows.push(consul_log_record {
            level: record.level as i32,
            level_name: level_name.ptr,
            level_name_len: level_name.len,
            area: area.ptr,
            area_len: area.len,
            time_ms: u64::try_from(record.time.as_millis()).unwrap_or(u64::MAX),
            message: message.ptr,
            message_len: message.len,
        });
    }
    rows.finish()
}

/// Records what matters as much as this level or more: `error`, `warning`, `info` or `debug`.
/// `level` may be NULL, for silence, which is how a process begins.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_log_set_level(level: *const c_char) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let level = unsafe { input::optional_str(level, "level") }?;
        log::set_level(level.map(str::parse).transpose()?);
        Ok(Status::Ok)
    })
}

/// Writes the records to the end of this file from now on, a line each, instead of keeping them to
/// be taken; `path` may be NULL, which ends that. `CONSUL_ERR_IO` when it cannot be opened. Processes
/// may share it, a forked child goes on with it, and one that another program renames is begun anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_log_set_file(path: *const c_char) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let path = unsafe { input::optional_str(path, "path") }?;
        log::set_file(path.map(Path::new))?;
        Ok(Status::Ok)
    })
}

/// Has the log file make room, this one or another that is set: it is renamed to `FILE.1`, what was
/// that to `FILE.2`, and so on. 0 is no bound; without any, which is how a process begins, it grows for
/// ever.
///
/// `max_bytes`: the size that the file does not grow beyond, but for what others write meanwhile, and
/// for a line that is longer. `max_files`: how many old files are kept, 1000 at most; it needs one of
/// the others. `max_age_days`: how many days an old file is kept after the last line in it, 36500 at
/// most; with it a new file begins each day (UTC) that something is written. Old files are removed when
/// another one comes.
///
/// Threads and processes that share the file need no agreement but the same bounds, and no record is lost
/// between two files. A file that cannot be renamed grows on, and the log says so once.
#[unsafe(no_mangle)]
pub extern "C" fn consul_log_set_rotation(
    max_bytes: u64,
    max_files: u32,
    max_age_days: u32,
) -> consul_status {
    guard(|| {
        log::set_rotation(Rotation { max_bytes, max_files, max_age_days })?;
        Ok(Status::Ok)
    })
}

/// Takes the oldest records, `most` at most. `CONSUL_NO_CHANGE` when there is none. The log keeps
/// 1024; what comes when it is full takes the place of the oldest. Free them with
/// `consul_log_records_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_log_take(
    most: usize,
    out: *mut *mut consul_log_records,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let records: Vec<Record> = std::iter::from_fn(log::take).take(most).collect();
        match records.is_empty() {
            true => Ok(Status::NoChange),
            false => out.give(rows(&records)),
        }
    })
}

/// Has the records arrive in a queue from now on, as events of the type `CONSUL_EVENT_LOG` under `tag`,
/// without counting among the calls in flight; in one queue at a time. `queue` may be NULL, which ends
/// that. `consul_queue_cancel` of its tag ends it with a last event of the same type, whose status is
/// `CONSUL_ERR_CANCELLED`. A forked child's records wait to be taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_log_set_queue(queue: *mut consul_queue, tag: u64) -> consul_status {
    guard(|| {
        match handle::get_optional(queue.cast_const())? {
            Some(queue) => log_feed::attach(&queue, tag)?,
            None => log::set_listener(None),
        }
        Ok(Status::Ok)
    })
}

/// How many records the process has lost: nobody took them in time, or the file could not be
/// written.
#[unsafe(no_mangle)]
pub extern "C" fn consul_log_dropped() -> u64 {
    log::dropped()
}

/// How many records were taken; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_log_records_count(records: *const consul_log_records) -> usize {
    handle::read(records, 0, Rows::count)
}

/// One of the records, the oldest first; NULL past the end. Borrowed: valid until `records` is
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_log_records_at(
    records: *const consul_log_records,
    index: usize,
) -> *const consul_log_record {
    handle::read(records, ptr::null(), |rows| rows.at(index))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_log_records_free(records: *mut consul_log_records) {
    handle::free(records);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::log::Level;

    #[test]
    fn the_constants_are_the_levels() {
        let constants = [
            (CONSUL_LOG_ERROR, Level::Error),
            (CONSUL_LOG_WARNING, Level::Warning),
            (CONSUL_LOG_INFO, Level::Info),
            (CONSUL_LOG_DEBUG, Level::Debug),
        ];
        assert!(constants.iter().all(|&(constant, level)| constant == level as i32));
    }
}
