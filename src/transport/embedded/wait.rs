//! How a read is to be answered: the parameters that all reads share, and how long a blocking query
//! waits.

use super::go;
use super::wire::{Answer, Outcome, Wire};
use std::time::Duration;

/// Without a `wait` that is positive.
const DEFAULT_WAIT: Duration = Duration::from_secs(300);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Consul lets a query wait longer by a random part of this fraction.
const JITTER_FRACTION: u32 = 16;

/// What a read knows besides its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The index of what was read: a query with `index` waits until it is above that.
    Index(u64),
    /// The index of an event: a query with the same `index` waits until it is another one.
    Event(u64),
    /// What was read, as a hash: a query with the same `hash` waits until it is another one.
    Hash(String),
}

/// What a handler gives that reads.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) answer: Answer,
    pub(super) mark: Mark,
}

impl Read {
    /// An answer, and the index of what was read.
    pub(super) fn at(index: u64, answer: Answer) -> Read {
        Read { answer, mark: Mark::Index(index.max(1)) }
    }
}

/// How fresh a read has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Freshness {
    #[default]
    Leader,
    Consistent,
    Stale,
}

impl Freshness {
    /// As the header `X-Consul-Effective-Consistency` has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Freshness::Leader => "leader",
            Freshness::Consistent => "consistent",
            Freshness::Stale => "stale",
        }
    }
}

/// The parameters that all reads share.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) freshness: Freshness,
    pub(super) is_cached: bool,
    pub(super) index: u64,
    hash: String,
    wait: Duration,
}

impl Options {
    /// Reads them, and refuses what Consul refuses, in its order.
    pub(super) fn parse(wire: &Wire) -> Outcome<Options> {
        let bad = |text: &str| Answer::error(400, text);
        let mut is_stale = wire.has("stale");
        let (is_consistent, is_cached) = (wire.has("consistent"), wire.has("cached"));
        let age = wire.param("max_stale");
        if !age.is_empty() {
            let invalid = |_| bad(&format!("Invalid max_stale value {}", go::quoted(age)));
            is_stale |= go::parse_duration(age).map_err(invalid)? > 0;
        }
        for (is_set, name) in [(is_stale, "stale"), (is_cached, "cached")] {
            if is_set && is_consistent {
                let text =
                    format!("Cannot specify ?{name} with ?consistent, conflicting semantics.");
                return Err(bad(&text));
            }
        }
        check_cache_control(wire)?;
        let wait = wire.param("wait");
        let wait = match wait {
            "" => 0,
            wait => go::parse_duration(wait).map_err(|_| bad("Invalid wait time"))?,
        };
        let index = wire.param("index");
        let index = match index {
            "" => 0,
            index => go::parse_u64(index).map_err(|_| bad("Invalid index"))?,
        };
        let freshness = match (is_stale, is_consistent) {
            (true, _) => Freshness::Stale,
            (_, true) => Freshness::Consistent,
            _ => Freshness::Leader,
        };
        let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(0));
        Ok(Options { freshness, is_cached, index, hash: wire.param("hash").to_owned(), wait })
    }

    /// True when what was read is what the query knows already.
    pub(super) fn knows(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Index(index) => self.index > 0 && *index <= self.index,
            Mark::Event(index) => self.index > 0 && *index == self.index,
            Mark::Hash(hash) => !self.hash.is_empty() && *hash == self.hash,
        }
    }

    /// How long to wait for news, with a random part that `unit`, from 0 to 1, decides; for events
    /// there is none, and they are waited for longer where the query does not say.
    pub(super) fn patience(&self, mark: &Mark, unit: f64) -> Duration {
        let is_event = matches!(mark, Mark::Event(_));
        let wait = match self.wait {
            Duration::ZERO if is_event => LONGEST_WAIT,
            Duration::ZERO => DEFAULT_WAIT,
            wait => wait.min(LONGEST_WAIT),
        };
        if is_event { wait } else { wait + (wait / JITTER_FRACTION).mul_f64(unit) }
    }
}

fn check_cache_control(wire: &Wire) -> Outcome<()> {
    let header = wire.header("cache-control").to_ascii_lowercase();
    for directive in header.split(',') {
        let directive = directive.trim();
        let seconds =
            ["max-age=", "stale-if-error="].iter().find_map(|name| directive.strip_prefix(name));
        if seconds.is_some_and(|seconds| seconds.parse::<i64>().is_err()) {
            return Err(Answer::error(400, "Invalid Cache-Control header."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::embedded::testing::get;

    fn refusal(query: &str) -> String {
        let answer = Options::parse(&get(&format!("/v1/kv/a?{query}"))).unwrap_err();
        assert_eq!(answer.status, 400);
        String::from_utf8(answer.body).unwrap()
    }

    #[test]
    fn what_consul_refuses_is_refused_in_its_words() {
        assert_eq!(refusal("index=abc&wait=1s"), "Invalid index");
        assert_eq!(refusal("index=-1"), "Invalid index");
        assert_eq!(refusal("index=1&wait=1"), "Invalid wait time");
        assert_eq!(refusal("max_stale=x"), "Invalid max_stale value \"x\"");
        let conflict = "Cannot specify ?stale with ?consistent, conflicting semantics.";
        assert_eq!(refusal("stale&consistent"), conflict);
    }

    #[test]
    fn a_wait_is_bounded_and_a_missing_one_is_five_minutes() {
        let patience = |query: &str, unit| {
            let options = Options::parse(&get(&format!("/v1/kv/a?index=1&{query}"))).unwrap();
            options.patience(&Mark::Index(1), unit)
        };
        let seconds = Duration::from_secs;
        assert_eq!(patience("wait=16s", 0.0), seconds(16));
        assert_eq!(patience("wait=16s", 1.0), seconds(17));
        assert_eq!(patience("", 0.0), seconds(300));
        assert_eq!(patience("wait=0s", 0.0), seconds(300));
        assert_eq!(patience("wait=-1s", 0.0), seconds(300));
        assert_eq!(patience("wait=20m", 0.0), seconds(600));
        let of_events = Options::parse(&get("/v1/event/list?index=1")).unwrap();
        assert_eq!(of_events.patience(&Mark::Event(1), 1.0), seconds(600));
    }

    #[test]
    fn news_are_what_the_query_does_not_know() {
        let options = |query| Options::parse(&get(query)).unwrap();
        assert!(!options("/v1/kv/a").knows(&Mark::Index(1)));
        let at_five = options("/v1/kv/a?index=5");
        assert!(at_five.knows(&Mark::Index(5)) && at_five.knows(&Mark::Index(4)));
        assert!(!at_five.knows(&Mark::Index(6)));
        assert!(at_five.knows(&Mark::Event(5)) && !at_five.knows(&Mark::Event(4)));
        assert!(options("/v1/agent/service/a?hash=x").knows(&Mark::Hash("x".into())));
    }
}
