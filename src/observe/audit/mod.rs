//! The audit log of a client: a line of JSON for every change that is made through it. It says who,
//! what, when and how it ended; never a value, never a token.

mod subject;

use super::log::{self, Level};
use super::rotating_file::{RotatingFile, Rotation};
use crate::error::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};
use subject::Subject;

const AREA: &str = "audit";

/// Who changes what is nobody else's business.
const MODE: u32 = 0o600;

/// What an audit log is made of.
#[derive(Clone, Debug)]
pub(crate) struct AuditSettings {
    pub(crate) file: PathBuf,
    /// Who makes the changes; the process's name without it.
    pub(crate) actor: Option<String>,
    pub(crate) rotation: Rotation,
}

/// Where the changes are taken down.
pub(crate) struct Audit {
    file: RotatingFile,
    actor: String,
    rotation: Rotation,
    /// It was told that it cannot be written.
    told: AtomicBool,
}

impl Audit {
    pub(crate) fn open(settings: &AuditSettings) -> Result<Arc<Audit>> {
        let file = RotatingFile::open("audit log", MODE, &settings.file)?;
        let actor = settings.actor.clone().unwrap_or_else(process_name);
        let told = AtomicBool::new(false);
        Ok(Arc::new(Audit { file, actor, rotation: settings.rotation, told }))
    }

    /// A change begins: one line, however often it is sent. Boxed, since few calls have one, and all
    /// move the place for it from hand to hand.
    pub(crate) fn begin(
        self: &Arc<Audit>,
        method: &'static str,
        target: &str,
        body: Option<&[u8]>,
    ) -> Box<Entry> {
        let subject = Subject::of(method, target, body.unwrap_or_default());
        Box::new(Entry { audit: self.clone(), subject, started: Instant::now(), end: None })
    }

    fn write(&self, subject: &Subject, end: &End) {
        let now = SystemTime::now();
        let line = Line {
            time: humantime::format_rfc3339_millis(now).to_string(),
            endpoint: &end.endpoint,
            actor: &self.actor,
            pid: std::process::id(),
            subject,
            outcome: end.outcome,
            status: end.status,
            http_status: end.http_status,
            made: end.made.as_deref(),
            duration_ms: end.duration.as_micros() as f64 / 1_000.0,
        };
        // A map of strings and numbers can always be written.
        let Ok(mut line) = serde_json::to_string(&line) else { return };
        line.push('\n');
        match self.file.append(&line, &self.rotation, now) {
            Ok(()) => self.told.store(false, Relaxed),
            Err(error) => {
                log::count_dropped();
                if !self.told.swap(true, Relaxed) {
                    let what = "a change is not in the audit log";
                    log::add(Level::Error, AREA, || format!("{what}: {error}"));
                }
            }
        }
    }
}

/// The name that `ps` shows, empty where it cannot be had.
fn process_name() -> String {
    let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    name.trim_end().to_string()
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Consul has made it.
    Ok,
    /// Consul has not, for what it depends on is not so.
    Refused,
    /// It was not made.
    Failed,
    /// It may have been made.
    Unknown,
}

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    endpoint: &'a str,
    actor: &'a str,
    pid: u32,
    #[serde(flatten)]
    subject: &'a Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<&'a str>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    duration_ms: f64,
}

/// How a call ended, and when.
struct End {
    endpoint: String,
    outcome: Outcome,
    status: Option<&'static str>,
    http_status: Option<u16>,
    made: Option<String>,
    duration: Duration,
}

/// A change that was begun. Its line is written when it is dropped, if it has ended: also where nobody
/// takes the answer.
pub(crate) struct Entry {
    audit: Arc<Audit>,
    subject: Subject,
    started: Instant,
    end: Option<End>,
}

impl Entry {
    /// Consul has answered with what the call accepts.
    pub(crate) fn answered(&mut self, endpoint: &str, http_status: u16, body: &[u8]) {
        // Consul says `false` where a condition does not hold; a transaction is rolled back with 409;
        // 404 is "there is none".
        let is_refused = matches!(http_status, 404 | 409) || body.trim_ascii() == b"false";
        let outcome = if is_refused { Outcome::Refused } else { Outcome::Ok };
        let made = if is_refused { None } else { self.subject.made(body) };
        self.end(endpoint, outcome, None, http_status, made);
    }

    /// The call has failed.
    pub(crate) fn failed(&mut self, endpoint: &str, error: &Error) {
        let outcome = match error.is_outcome_unknown() {
            true => Outcome::Unknown,
            false => Outcome::Failed,
        };
        self.end(endpoint, outcome, Some(error.status().name()), error.http_status(), None);
    }

    /// The answer was there, and could not be understood.
    pub(crate) fn doubted(&mut self, error: &Error) {
        if let Some(end) = &mut self.end
            && error.is_outcome_unknown()
        {
            (end.outcome, end.status) = (Outcome::Unknown, Some(error.status().name()));
        }
    }

    fn end(
        &mut self,
        endpoint: &str,
        outcome: Outcome,
        status: Option<&'static str>,
        http_status: u16,
        made: Option<String>,
    ) {
        let http_status = (http_status != 0).then_some(http_status);
        let (endpoint, duration) = (endpoint.to_string(), self.started.elapsed());
        self.end = Some(End { endpoint, outcome, status, http_status, made, duration });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(end) = &self.end {
            self.audit.write(&self.subject, end);
        }
    }
}

#[cfg(test)]
mod tests;
