//! What became of a transaction.

use super::entity::{Check, Node, Service};
use crate::api::json;
use crate::api::kv::KvPair;
use crate::client::Vault;
use crate::error::{Error, Result, Status};
use serde::Deserialize;

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum TxnOutcome {
    /// All was applied. The results stand in the order of the operations, but are not one for
    /// each: a deletion and a check that the key does not exist give none, a tree gives one for
    /// each of its keys. Values are only in the results of reads.
    Committed(Vec<TxnResult>),
    /// Nothing was applied, for these reasons.
    RolledBack(Vec<TxnError>),
}

impl TxnOutcome {
    /// True when all was applied.
    pub fn is_committed(&self) -> bool {
        matches!(self, TxnOutcome::Committed(_))
    }

    /// True when it was rolled back because the token may not do one of its operations. Reads
    /// that the token may not do are left out of the results instead.
    pub fn is_denied(&self) -> bool {
        self.errors().iter().any(TxnError::is_denied)
    }

    /// Why it is no use to read again and commit again, where it is none: the token may not do one
    /// of its operations (`Status::Denied`), or this Consul does not know one
    /// (`Status::Unsupported`). `None` when it was applied, and when it lost to somebody else.
    pub fn refusal(&self) -> Option<Error> {
        let refused = |is: fn(&TxnError) -> bool, status| {
            let error = self.errors().iter().find(|error| is(error))?;
            let message = format!("operation {}: {}", error.op_index, error.what);
            Some(Error::new(status, message).with_http_status(409))
        };
        refused(TxnError::is_denied, Status::Denied)
            .or_else(|| refused(TxnError::is_unknown_verb, Status::Unsupported))
    }

    /// The results, none when it was rolled back.
    pub fn results(&self) -> &[TxnResult] {
        match self {
            TxnOutcome::Committed(results) => results,
            TxnOutcome::RolledBack(_) => &[],
        }
    }

    /// The reasons, none when it was applied.
    pub fn errors(&self) -> &[TxnError] {
        match self {
            TxnOutcome::Committed(_) => &[],
            TxnOutcome::RolledBack(errors) => errors,
        }
    }
}

/// What an operation gave.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum TxnResult {
    /// A key, with its value where it was read.
    #[serde(rename = "KV")]
    Kv(KvPair),
    /// A node.
    Node(Node),
    /// A service.
    Service(Service),
    /// A check.
    Check(Check),
}

impl TxnResult {
    /// A node, service or check as JSON; none for a key.
    pub fn to_json(&self) -> Option<String> {
        let text = match self {
            TxnResult::Kv(_) => return None,
            TxnResult::Node(node) => serde_json::to_string(node),
            TxnResult::Service(service) => serde_json::to_string(service),
            TxnResult::Check(check) => serde_json::to_string(check),
        };
        text.ok()
    }
}

/// The answer's body.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    #[serde(deserialize_with = "json::nullable")]
    results: Vec<TxnResult>,
    #[serde(deserialize_with = "json::nullable")]
    errors: Vec<TxnError>,
}

pub(super) fn read(reply: &json::Reply<'_>, vault: Option<&Vault>) -> Result<TxnOutcome> {
    let mut body: Body = json::decode(reply)?;
    if let Some(vault) = vault {
        open(&mut body.results, vault).map_err(|error| error.with_endpoint(reply.endpoint))?;
    }
    Ok(match reply.response.status {
        409 => TxnOutcome::RolledBack(body.errors),
        _ => TxnOutcome::Committed(body.results),
    })
}

/// An empty value is that of a write, or of a key that does not exist, and stands for nothing.
fn open(results: &mut [TxnResult], vault: &Vault) -> Result<()> {
    for result in results {
        match result {
            TxnResult::Kv(pair) if !pair.value.is_empty() => {
                vault.open(&pair.key, &mut pair.value)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Why a transaction was rolled back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TxnError {
    /// The operation that failed, counted from 0.
    pub op_index: u64,
    /// The reason, in Consul's words.
    pub what: String,
}

impl TxnError {
    /// True when the token may not do the operation.
    pub fn is_denied(&self) -> bool {
        ["Permission denied", "ACL not found"].iter().any(|words| self.what.contains(words))
    }

    /// `unknown KV verb "get-or-empty"`; so of nodes, services and checks (agent/consul/state/txn.go).
    fn is_unknown_verb(&self) -> bool {
        self.what.starts_with("unknown ") && self.what.contains(" verb ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(errors: &[(u64, &str)]) -> Option<(Status, String)> {
        let error = |&(op_index, what): &(u64, &str)| TxnError { op_index, what: what.into() };
        let outcome = TxnOutcome::RolledBack(errors.iter().map(error).collect());
        outcome.refusal().map(|error| (error.status(), error.message().to_string()))
    }

    #[test]
    fn what_no_repetition_helps_is_told_from_what_was_lost_to_somebody_else() {
        let stale = (0, "failed index check for key \"a\", current modify index 7 != 5");
        let denied = (1, "Permission denied");
        let unknown = (0, "unknown KV verb \"get-or-empty\"");
        assert_eq!(refusal(&[]), None);
        assert_eq!(refusal(&[stale]), None);
        assert_eq!(refusal(&[(0, "key \"unknown verb \" doesn't exist")]), None);
        let expected = Some((Status::Denied, "operation 1: Permission denied".to_string()));
        assert_eq!(refusal(&[stale, denied]), expected);
        assert_eq!(refusal(&[unknown, denied]), expected);
        assert_eq!(refusal(&[unknown]).unwrap().0, Status::Unsupported);
        assert!(TxnOutcome::Committed(Vec::new()).refusal().is_none());
    }
}
