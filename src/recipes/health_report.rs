//! How a program is, put together: the document that its own `/health` gives.

use crate::api::CheckStatus;
use crate::api::operator::EndpointReport;
use crate::client::{Client, Reachability};
use crate::error::{Error, Result};
use crate::observe::Stats;
use crate::runtime::{Order, Standing};
use crate::sync::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The longest name of a check.
const MAX_NAME: usize = 256;

/// The checks of a program, set by itself, and what they come to. Any method from any thread; none
/// sends anything.
///
/// ```
/// use consul_ffi::api::CheckStatus;
/// use consul_ffi::recipes::health_report::HealthReport;
/// use std::time::Duration;
///
/// # fn main() -> consul_ffi::Result<()> {
/// let report = HealthReport::new(None);
/// report.set("database", CheckStatus::Passing, "", Some(Duration::from_secs(30)))?;
/// let document = report.document();
/// assert_eq!((document.http_status, document.status), (200, CheckStatus::Passing));
/// # Ok(())
/// # }
/// ```
pub struct HealthReport {
    client: Option<Client>,
    checks: Mutex<BTreeMap<String, Entry>>,
}

struct Entry {
    status: CheckStatus,
    note: String,
    set: Instant,
    max_age: Option<Duration>,
}

/// What a program's `/health` sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthDocument {
    /// The worst of its checks; passing when there is none.
    pub status: CheckStatus,
    /// The HTTP status that Consul's HTTP checks understand as such: 200 passing, 429 warning, 503
    /// critical
    /// (<https://developer.hashicorp.com/consul/docs/services/usage/checks#http-checks>).
    pub http_status: u16,
    /// `{"status", "checks": [{"name", "status", "note", "age_ms", "max_age_ms", "expired"}]}`, and
    /// of a report with a client `"consul": {"endpoint", "reachable", "last_answer_ms", "error"}`,
    /// `"endpoints"`: a list of `{"address", "state", "in_use", "reachable", "requests",
    /// "failures", "consecutive_failures", "last_answer_ms", "error"}`, an address each,
    /// `"services"`, `"locks"`, `"semaphores"` and `"sessions"`: lists of `{"name", "state",
    /// "last_success_ms", "consecutive_failures", "next_try_ms", "error"}`. What is not known is
    /// `null`.
    pub json: String,
}

#[derive(Serialize)]
struct Check<'a> {
    name: &'a str,
    status: CheckStatus,
    note: &'a str,
    age_ms: u64,
    max_age_ms: Option<u64>,
    expired: bool,
}

impl HealthReport {
    /// A report without checks. With a client its document also tells how the client's services,
    /// locks and sessions are getting on and whether its agent answers. They do not decide the
    /// status: a program that Consul cannot be reached from may well do its work.
    pub fn new(client: Option<&Client>) -> HealthReport {
        HealthReport { client: client.map(Client::unbounded), checks: Mutex::default() }
    }

    /// Sets how a part of the program is, by a name of 1 to 256 bytes; adds the part when it is
    /// new. With a greatest age it counts as critical when it is not set again for longer.
    pub fn set(
        &self,
        name: &str,
        status: CheckStatus,
        note: &str,
        max_age: Option<Duration>,
    ) -> Result<()> {
        if name.is_empty() || name.len() > MAX_NAME {
            let bytes = name.len();
            let message =
                format!("a name of {bytes} bytes is not allowed, it takes 1 to {MAX_NAME}");
            return Err(Error::argument(message));
        }
        if max_age.is_some_and(|age| age.is_zero()) {
            return Err(Error::argument(
                "a greatest age of 0 is not allowed, it takes 1 ms or more",
            ));
        }
        let entry = Entry { status, note: note.to_string(), set: Instant::now(), max_age };
        self.checks.lock().insert(name.to_string(), entry);
        Ok(())
    }

    /// Forgets a part of the program. False when there was none of this name.
    pub fn remove(&self, name: &str) -> bool {
        self.checks.lock().remove(name).is_some()
    }

    /// How the program is: the worst of its checks.
    pub fn status(&self) -> CheckStatus {
        worst(self.checks.lock().values().map(|entry| entry.judged(Instant::now()).0))
    }

    /// What its `/health` sends now.
    pub fn document(&self) -> HealthDocument {
        self.document_at(Instant::now())
    }

    fn document_at(&self, now: Instant) -> HealthDocument {
        let (status, mut document) = {
            let checks = self.checks.lock();
            let rows: Vec<_> = checks.iter().map(|(name, entry)| entry.row(name, now)).collect();
            let status = worst(rows.iter().map(|row| row.status));
            (status, json!({ "status": status, "checks": rows }))
        };
        if let Some(client) = &self.client {
            let standings = client.upkeep().standings();
            document["consul"] = consul(&client.endpoint(), client.reachability());
            document["endpoints"] = json!(endpoints(client));
            document["services"] = list(&standings, Order::Services);
            document["locks"] = list(&standings, Order::Locks);
            document["semaphores"] = list(&standings, Order::Semaphores);
            document["sessions"] = list(&standings, Order::Sessions);
        }
        HealthDocument { status, http_status: http_status(status), json: document.to_string() }
    }
}

impl Entry {
    /// What it counts as, and whether that is for its age.
    fn judged(&self, now: Instant) -> (CheckStatus, bool) {
        let age = now.saturating_duration_since(self.set);
        match self.max_age.is_some_and(|most| age > most) {
            true => (CheckStatus::Critical, true),
            false => (self.status, false),
        }
    }

    fn row<'a>(&'a self, name: &'a str, now: Instant) -> Check<'a> {
        let (status, expired) = self.judged(now);
        Check {
            name,
            status,
            note: &self.note,
            age_ms: milliseconds(now.saturating_duration_since(self.set)),
            max_age_ms: self.max_age.map(milliseconds),
            expired,
        }
    }
}

fn worst(statuses: impl Iterator<Item = CheckStatus>) -> CheckStatus {
    statuses.max().unwrap_or(CheckStatus::Passing)
}

fn http_status(status: CheckStatus) -> u16 {
    match status {
        CheckStatus::Passing => 200,
        CheckStatus::Warning => 429,
        CheckStatus::Critical => 503,
    }
}

fn consul(endpoint: &str, known: Reachability) -> Value {
    json!({
        "endpoint": endpoint,
        "reachable": known.reachable,
        "last_answer_ms": known.last_answer.map(milliseconds),
        "error": known.error.map(|error| error.message().to_string()),
    })
}

fn endpoints(client: &Client) -> Vec<EndpointReport> {
    client.endpoints().iter().map(EndpointReport::from).collect()
}

fn list(standings: &[Standing], order: Order) -> Value {
    let named = standings.iter().filter(|standing| standing.order == order);
    named.map(|standing| row(&standing.name, &standing.stats)).collect()
}

fn row(name: &str, stats: &Stats) -> Value {
    // An error that was got over is no news.
    let error = stats.last_error.as_ref().filter(|_| stats.consecutive_failures > 0);
    json!({
        "name": name,
        "state": stats.state,
        "last_success_ms": stats.last_success.map(milliseconds),
        "consecutive_failures": stats.consecutive_failures,
        "next_try_ms": stats.next_try.map(milliseconds),
        "error": error.map(Error::message),
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::agent::ServiceDefinition;
    use crate::api::session::SessionSpec;
    use crate::config::Options;
    use crate::recipes::lock::LockSpec;
    use crate::recipes::registration::KeptServiceSpec;
    use crate::recipes::semaphore::SemaphoreSpec;
    use crate::recipes::testing::world;

    const SECOND: Duration = Duration::from_secs(1);

    fn parsed(document: &HealthDocument) -> Value {
        serde_json::from_str(&document.json).unwrap()
    }

    #[test]
    fn the_worst_check_decides() {
        let report = HealthReport::new(None);
        let document = report.document();
        assert_eq!((document.status, document.http_status), (CheckStatus::Passing, 200));
        assert_eq!(document.json, r#"{"checks":[],"status":"passing"}"#);
        report.set("cache", CheckStatus::Warning, "cold \"yet\"", None).unwrap();
        report.set("database", CheckStatus::Passing, "", Some(SECOND)).unwrap();
        let document = report.document();
        assert_eq!((document.status, document.http_status), (CheckStatus::Warning, 429));
        let checks = &parsed(&document)["checks"];
        assert_eq!((&checks[0]["name"], &checks[1]["name"]), (&json!("cache"), &json!("database")));
        assert_eq!(checks[0]["note"], "cold \"yet\"");
        assert_eq!(checks[0]["max_age_ms"], Value::Null);
        report.set("database", CheckStatus::Critical, "gone", None).unwrap();
        assert_eq!((report.document().http_status, report.status()), (503, CheckStatus::Critical));
        assert!(report.remove("database") && !report.remove("database"));
        assert_eq!(report.status(), CheckStatus::Warning);
    }

    #[test]
    fn what_is_too_old_is_critical_until_it_is_set_again() {
        let report = HealthReport::new(None);
        report.set("worker", CheckStatus::Passing, "", Some(SECOND)).unwrap();
        report.set("other", CheckStatus::Passing, "", None).unwrap();
        let later = Instant::now() + 2 * SECOND;
        let document = report.document_at(later);
        assert_eq!(document.http_status, 503);
        let worker = &parsed(&document)["checks"][1];
        assert_eq!((&worker["status"], &worker["expired"]), (&json!("critical"), &json!(true)));
        assert!(worker["age_ms"].as_u64().unwrap() >= 2000);
        assert_eq!(worker["max_age_ms"], 1000);
        assert_eq!(parsed(&document)["checks"][0]["expired"], false);
        report.set("worker", CheckStatus::Passing, "", Some(SECOND)).unwrap();
        assert_eq!(report.document().http_status, 200);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let report = HealthReport::new(None);
        let set = |name: &str, age| report.set(name, CheckStatus::Passing, "", age);
        assert!(set("", None).unwrap_err().message().contains("1 to 256"));
        assert!(set(&"n".repeat(257), None).is_err() && set(&"n".repeat(256), None).is_ok());
        assert!(set("a", Some(Duration::ZERO)).unwrap_err().message().contains("1 ms"));
    }

    #[test]
    fn a_clients_own_things_are_told_and_do_not_decide() {
        let w = world();
        let client = &w.client;
        let report = HealthReport::new(Some(client));
        assert_eq!(parsed(&report.document())["consul"]["reachable"], Value::Null);
        let session = client.keep_session(&SessionSpec::new(), &Options::new()).unwrap();
        let lock = client.lock(LockSpec::new("app/leader").session(&session)).unwrap();
        assert!(lock.try_acquire().unwrap());
        let semaphore =
            client.semaphore(SemaphoreSpec::new("app/jobs", 2).session(&session)).unwrap();
        assert!(semaphore.try_acquire().unwrap());
        let web = KeptServiceSpec::new(ServiceDefinition::new("web"));
        let service = client.keep_service(web).unwrap();
        service.start().unwrap();

        let document = parsed(&report.document());
        assert_eq!(document["consul"]["reachable"], true);
        assert_eq!(document["consul"]["endpoint"], client.endpoint());
        for (list, name, state) in [
            ("services", "web", "registered"),
            ("locks", "app/leader", "held"),
            ("semaphores", "app/jobs", "held"),
            ("sessions", session.id().as_str(), "kept"),
        ] {
            let rows = document[list].as_array().unwrap();
            assert_eq!(rows.len(), 1, "{document}");
            assert_eq!((&rows[0]["name"], &rows[0]["state"]), (&json!(name), &json!(state)));
            assert_eq!(rows[0]["consecutive_failures"], 0);
            assert!(rows[0]["last_success_ms"].is_u64(), "{document}");
        }
        client.shutdown();
        let document = report.document();
        assert_eq!(parsed(&document)["locks"][0]["state"], "lost");
        assert_eq!(document.http_status, 200);
    }
}
