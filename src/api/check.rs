//! Health checks, and the one status that many of them come to.

use super::json;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A health check and what it found last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Check {
    /// The node that it belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Its id, unique on its node.
    #[serde(rename = "CheckID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `passing`, `warning` or `critical`. The catalog takes any other word too.
    pub status: String,
    /// What its owner wrote about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// What it said last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The service that it is about; empty when it is about the whole node.
    #[serde(rename = "ServiceID", skip_serializing_if = "String::is_empty")]
    pub service_id: String,
    /// The name of that service.
    #[serde(skip_serializing)]
    pub service_name: String,
    /// The tags of that service.
    #[serde(deserialize_with = "json::nullable", skip_serializing)]
    pub service_tags: Vec<String>,
    /// How it checks, such as `ttl` or `http`; empty where Consul does not tell.
    #[serde(rename = "Type", skip_serializing)]
    pub kind: String,
    /// The index of the write that made it; 0 from an agent, which has no indexes.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of the last write; 0 from an agent.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

/// What a check can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// All is well.
    Passing,
    /// Something is wrong that does not keep it from working.
    Warning,
    /// It does not work.
    Critical,
}

impl CheckStatus {
    /// Consul's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            CheckStatus::Passing => "passing",
            CheckStatus::Warning => "warning",
            CheckStatus::Critical => "critical",
        }
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Takes the verbs of a TTL check too: `pass`, `warn`, `fail`.
impl FromStr for CheckStatus {
    type Err = Error;

    fn from_str(word: &str) -> Result<CheckStatus> {
        match word {
            "passing" | "pass" => Ok(CheckStatus::Passing),
            "warning" | "warn" => Ok(CheckStatus::Warning),
            "critical" | "fail" => Ok(CheckStatus::Critical),
            _ => Err(Error::argument(format!(
                "the check status \"{}\" is not allowed, it is passing, warning or critical",
                word.escape_debug()
            ))),
        }
    }
}

/// What many checks come to. The later in this list, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregatedStatus {
    /// Every check passes, or there is none.
    Passing,
    /// At least one warns.
    Warning,
    /// At least one is critical.
    Critical,
    /// The service or its node is in maintenance.
    Maintenance,
}

impl AggregatedStatus {
    /// Consul's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            AggregatedStatus::Passing => "passing",
            AggregatedStatus::Warning => "warning",
            AggregatedStatus::Critical => "critical",
            AggregatedStatus::Maintenance => "maintenance",
        }
    }

    /// What these checks come to: the worst of them. `None` when one has a status that is none of
    /// Consul's words.
    pub fn of(checks: &[Check]) -> Option<AggregatedStatus> {
        let each: Option<Vec<_>> = checks.iter().map(AggregatedStatus::of_check).collect();
        Some(each?.into_iter().max().unwrap_or(AggregatedStatus::Passing))
    }

    pub(super) fn parse(word: &str) -> Option<AggregatedStatus> {
        match word {
            "passing" => Some(AggregatedStatus::Passing),
            "warning" => Some(AggregatedStatus::Warning),
            "critical" => Some(AggregatedStatus::Critical),
            "maintenance" => Some(AggregatedStatus::Maintenance),
            _ => None,
        }
    }

    fn of_check(check: &Check) -> Option<AggregatedStatus> {
        if check.is_maintenance() {
            return Some(AggregatedStatus::Maintenance);
        }
        AggregatedStatus::parse(&check.status)
    }
}

impl fmt::Display for AggregatedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Check {
    /// True for the checks by which Consul keeps a node or a service in maintenance.
    pub fn is_maintenance(&self) -> bool {
        self.id == "_node_maintenance" || self.id.starts_with("_service_maintenance:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, status: &str) -> Check {
        Check { id: id.into(), status: status.into(), ..Check::default() }
    }

    #[test]
    fn the_worst_check_decides() {
        use AggregatedStatus::*;
        let maintenance = [
            check("_node_maintenance", "critical"),
            check("_service_maintenance:web-1", "critical"),
        ];
        let cases = [
            (vec![], Some(Passing)),
            (vec![check("a", "passing")], Some(Passing)),
            (vec![check("a", "warning"), check("b", "passing")], Some(Warning)),
            (vec![check("a", "warning"), check("b", "critical")], Some(Critical)),
            (vec![check("a", "critical"), maintenance[0].clone()], Some(Maintenance)),
            (vec![maintenance[1].clone(), check("a", "passing")], Some(Maintenance)),
            (vec![check("a", "passing"), check("b", "sleepy")], None),
        ];
        for (checks, expected) in cases {
            assert_eq!(AggregatedStatus::of(&checks), expected, "{checks:?}");
        }
    }

    #[test]
    fn words_are_statuses_and_statuses_are_words() {
        for status in [CheckStatus::Passing, CheckStatus::Warning, CheckStatus::Critical] {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert_eq!("fail".parse(), Ok(CheckStatus::Critical));
        let error = "ok".parse::<CheckStatus>().unwrap_err();
        assert_eq!(
            error.message(),
            "the check status \"ok\" is not allowed, it is passing, warning or critical"
        );
    }
}
