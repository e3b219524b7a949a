//! # A program's own health
//!
//! The program says how its parts are, and gets the document and the HTTP status that its `/health`
//! sends: 200 passing, 429 warning, 503 critical, as an HTTP check of Consul understands them.
//!
//! ```c
//! consul_health_report *report = NULL;
//! consul_text *document = NULL;
//! int32_t http_status = 0;
//! consul_health_report_new(client, &report);
//! consul_health_report_set(report, "database", "passing", NULL, 30000);
//! if (consul_health_report_document(report, &http_status, &document) == CONSUL_OK)
//!     printf("HTTP/1.1 %d\r\n\r\n%s", (int)http_status, consul_text_data(document));
//! consul_text_free(document);
//! consul_health_report_free(report);
//! ```

use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_health_report;
use super::status::consul_status;
use super::text::consul_text;
use super::{input, output};
use crate::error::Status;
use crate::recipes::health_report::HealthReport;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_health_report {
    type Object = HealthReport;
}

/// A report without checks. `client` may be NULL; with one the document also tells how the client's
/// services, locks and sessions are getting on and whether its agent answers, which does not decide
/// the status. Free it with `consul_health_report_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_report_new(
    client: *const consul_client,
    out: *mut *mut consul_health_report,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get_optional(client)?;
        out.give(match &client {
            Some(client) => HealthReport::new(Some(client)),
            None => HealthReport::new(None),
        })
    })
}

/// Sets how a part of the program is: `passing`, `warning` or `critical`, by a name of 1 to 256
/// bytes; adds the part when it is new. `note` is for people and may be NULL. It counts as critical
/// when it is not set again for more than `max_age_ms`; 0 for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_report_set(
    report: *const consul_health_report,
    name: *const c_char,
    status: *const c_char,
    note: *const c_char,
    max_age_ms: u64,
) -> consul_status {
    guard(|| {
        let report = handle::get(report)?;
        // SAFETY: pointers as the header asks for.
        let name = unsafe { input::required_str(name, "name") }?;
        // SAFETY: as above.
        let status = unsafe { input::required_str(status, "status") }?.parse()?;
        // SAFETY: as above.
        let note = unsafe { input::optional_str(note, "note") }?.unwrap_or_default();
        let max_age = (max_age_ms > 0).then(|| Duration::from_millis(max_age_ms));
        report.set(name, status, note, max_age)?;
        Ok(Status::Ok)
    })
}

/// Forgets a part of the program. `CONSUL_NOT_FOUND` when there was none of this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_report_remove(
    report: *const consul_health_report,
    name: *const c_char,
) -> consul_status {
    guard(|| {
        let report = handle::get(report)?;
        // SAFETY: pointers as the header asks for.
        let name = unsafe { input::required_str(name, "name") }?;
        Ok(if report.remove(name) { Status::Ok } else { Status::NotFound })
    })
}

/// What the program's `/health` sends now: the HTTP status, and JSON, `{"status", "checks":
/// [{"name", "status", "note", "age_ms", "max_age_ms", "expired"}]}`. A report with a client adds
/// `"consul": {"endpoint", "reachable", "last_answer_ms", "error"}`, the list `"endpoints"` of its
/// addresses, each as in `consul_operator_cluster_report`, and the lists `"services"`, `"locks"`,
/// `"semaphores"` and `"sessions"` of `{"name", "state", "last_success_ms", "consecutive_failures",
/// "next_try_ms", "error"}`. What is not known is `null`. Sends nothing. `http_status` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_health_report_document(
    report: *const consul_health_report,
    http_status: *mut i32,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let http_status = unsafe { output::out_optional_value(http_status) };
        let document = handle::get(report)?.document();
        if let Some(place) = http_status {
            *place = i32::from(document.http_status);
        }
        out.give(document.json.into_bytes().into())
    })
}

/// Ends a report. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_health_report_free(report: *mut consul_health_report) {
    handle::free(report);
}
