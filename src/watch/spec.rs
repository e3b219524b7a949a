//! What to watch, and how to be told of it.

use super::delivery::{Floor, Settle};
use crate::api::health::State;
use crate::config::Options;
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// Which instances of a service a watch takes, by what their checks come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Those whose checks all pass, their node's included.
    #[default]
    Passing,
    /// Those that pass or warn.
    PassingOrWarning,
    /// All of them.
    Any,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Key(String),
    Prefix(String),
    Service { name: String, tags: Vec<String>, policy: Policy },
    Services,
    Nodes,
    ServiceChecks(String),
    NodeChecks(String),
    StateChecks(&'static str),
    Events(Option<String>),
    Path(String),
}

/// Requests a second that a watch makes at most when what it watches changes all the time.
const DEFAULT_RATE: u32 = 10;

/// For how long a loss above the floor is held back by default.
const DEFAULT_HOLD: Duration = Duration::from_secs(60);

/// What to watch, and how to be told of it.
///
/// ```no_run
/// use consul_ffi::watch::{Policy, WatchSpec};
/// use std::time::Duration;
///
/// let limit = WatchSpec::key("app/limit");
/// let web = WatchSpec::service("web")
///     .tag("v2")
///     .policy(Policy::PassingOrWarning)
///     .settle(Duration::from_millis(200), Duration::from_secs(2));
/// ```
#[derive(Clone, Debug)]
pub struct WatchSpec {
    pub(super) subject: Subject,
    pub(super) options: Options,
    pub(super) settle: Option<(Duration, Duration)>,
    pub(super) floor: Option<(u8, Duration)>,
    pub(super) ignore_output: bool,
    pub(super) last_seen_index: u64,
    pub(super) rate: u32,
    pub(super) last_good_file: Option<PathBuf>,
    pub(super) max_age: Option<Duration>,
    /// What was asked for that only a service has.
    misplaced: Option<&'static str>,
}

impl WatchSpec {
    fn new(subject: Subject) -> WatchSpec {
        WatchSpec {
            subject,
            options: Options::new(),
            settle: None,
            floor: None,
            ignore_output: false,
            last_seen_index: 0,
            rate: DEFAULT_RATE,
            last_good_file: None,
            max_age: None,
            misplaced: None,
        }
    }

    /// A key; that it does not exist is a state like any other.
    pub fn key(key: impl Into<String>) -> WatchSpec {
        WatchSpec::new(Subject::Key(key.into()))
    }

    /// Every key that begins with this prefix, byte by byte.
    pub fn prefix(prefix: impl Into<String>) -> WatchSpec {
        WatchSpec::new(Subject::Prefix(prefix.into()))
    }

    /// The instances of a service that pass.
    pub fn service(name: impl Into<String>) -> WatchSpec {
        let subject =
            Subject::Service { name: name.into(), tags: Vec::new(), policy: Policy::default() };
        WatchSpec::new(subject)
    }

    /// The names of the services with their tags.
    pub fn services() -> WatchSpec {
        WatchSpec::new(Subject::Services)
    }

    /// The nodes.
    pub fn nodes() -> WatchSpec {
        WatchSpec::new(Subject::Nodes)
    }

    /// The checks of a service's instances.
    pub fn service_checks(service: impl Into<String>) -> WatchSpec {
        WatchSpec::new(Subject::ServiceChecks(service.into()))
    }

    /// The checks of a node and of what runs on it.
    pub fn node_checks(node: impl Into<String>) -> WatchSpec {
        WatchSpec::new(Subject::NodeChecks(node.into()))
    }

    /// The checks that are in this state.
    pub fn state_checks(state: State) -> WatchSpec {
        WatchSpec::new(Subject::StateChecks(state.as_str()))
    }

    /// The user events that the agent has heard of, of this name where there is one.
    pub fn events(name: Option<&str>) -> WatchSpec {
        let name = name.filter(|name| !name.is_empty()).map(str::to_string);
        WatchSpec::new(Subject::Events(name))
    }

    /// Any endpoint that can block, by its path from `/v1/` on with its query, both
    /// percent-encoded. One that cannot is asked every few seconds.
    pub fn path(path: impl Into<String>) -> WatchSpec {
        WatchSpec::new(Subject::Path(path.into()))
    }

    /// Only instances with this tag; several must all be there. For a service only.
    pub fn tag(mut self, tag: impl Into<String>) -> WatchSpec {
        match &mut self.subject {
            Subject::Service { tags, .. } => tags.push(tag.into()),
            _ => self.misplaced = Some("a tag"),
        }
        self
    }

    /// Which instances to take. For a service only.
    pub fn policy(mut self, chosen: Policy) -> WatchSpec {
        match &mut self.subject {
            Subject::Service { policy, .. } => *policy = chosen,
            _ => self.misplaced = Some("a policy"),
        }
        self
    }

    /// The options of its requests: token, datacenter, consistency, `near`, `filter`, the time-out,
    /// and the wait. Their index is not used.
    pub fn options(mut self, options: &Options) -> WatchSpec {
        self.options = Options { index: 0, ..options.clone() };
        self
    }

    /// Holds a change back until nothing has changed for `min`, but not longer than `max`. What
    /// went back to what it was meanwhile is no change.
    pub fn settle(mut self, min: Duration, max: Duration) -> WatchSpec {
        self.settle = Some((min, max));
        self
    }

    /// Holds a change back for a minute that would lose more than so many percent at once, and
    /// delivers it when it has lasted so long: 1 to 99.
    pub fn floor(self, percent: u8) -> WatchSpec {
        self.floor_for(percent, DEFAULT_HOLD)
    }

    /// As [`WatchSpec::floor`], for another time.
    pub fn floor_for(mut self, percent: u8, hold: Duration) -> WatchSpec {
        self.floor = Some((percent, hold));
        self
    }

    /// A check whose output alone differs has not changed.
    pub fn ignore_check_output(mut self, ignore: bool) -> WatchSpec {
        self.ignore_output = ignore;
        self
    }

    /// The index of what the program knows already: a first state with this index is not announced.
    pub fn last_seen_index(mut self, index: u64) -> WatchSpec {
        self.last_seen_index = index;
        self
    }

    /// How many requests a second it makes at most when what it watches changes all the time; 10
    /// where it is not set. A few go at once, and the last state is always found.
    pub fn max_rate(mut self, per_second: u32) -> WatchSpec {
        self.rate = per_second;
        self
    }

    /// Keeps what was found last in this file, and begins with it when Consul cannot be asked.
    pub fn last_good_file(mut self, path: impl Into<PathBuf>) -> WatchSpec {
        self.last_good_file = Some(path.into());
        self
    }

    /// Refuses to be read while Consul cannot be asked and what was found is older than this; where it
    /// is not set it is read however old. While Consul can be asked nothing is refused: a query that
    /// is held confirms nothing until it ends.
    pub fn max_age(mut self, age: Duration) -> WatchSpec {
        self.max_age = Some(age);
        self
    }

    /// An error when it has what a watch of its kind cannot have.
    pub(super) fn check_kind(&self) -> Result<()> {
        let Some(what) = self.misplaced else { return Ok(()) };
        Err(Error::argument(format!("only the watch of a service takes {what}")))
    }

    pub(super) fn settled(&self) -> Result<Option<Settle>> {
        let Some((min, max)) = self.settle else { return Ok(None) };
        if min.is_zero() || min > max {
            let message = "settle times: the shortest is above 0 and not above the longest";
            return Err(Error::argument(message));
        }
        Ok(Some(Settle { min, max }))
    }

    pub(super) fn floored(&self) -> Result<Option<Floor>> {
        let Some((percent, hold)) = self.floor else { return Ok(None) };
        if !(1..=99).contains(&percent) {
            let message = format!("a floor of {percent} % is not allowed, it takes 1 to 99");
            return Err(Error::argument(message));
        }
        Ok(Some(Floor { percent, hold }))
    }

    pub(super) fn rated(&self) -> Result<u32> {
        match self.rate {
            1..=1000 => Ok(self.rate),
            rate => Err(Error::argument(format!(
                "{rate} requests a second are not allowed, it takes 1 to 1000"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WatchSpec;
    use crate::watch::Policy;

    #[test]
    fn only_a_service_has_tags_and_a_policy() {
        let service = WatchSpec::service("web").tag("v2").policy(Policy::Any);
        assert_eq!(service.check_kind(), Ok(()));
        for spec in [WatchSpec::key("a").tag("v2"), WatchSpec::nodes().policy(Policy::Any)] {
            let error = spec.check_kind().unwrap_err();
            assert!(error.message().contains("only the watch of a service"), "{error}");
        }
    }
}
