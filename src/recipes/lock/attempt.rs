//! One transaction that takes a lock's key, or gives it back.
//!
//! Each goes on only from the write that was seen: an answer that comes late, or a change that is
//! applied late, cannot touch what others did meanwhile.

use super::LOCK_FLAG;
use super::spec::LockSpec;
use crate::api::txn::{Txn, TxnError, TxnOutcome, TxnResult};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};

/// What became of an attempt to take the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is ours; the index of the write that made it so.
    Won(u64),
    /// Somebody changed the key meanwhile.
    Changed,
    /// A session ended while holding it, and its lock-delay is not over.
    LockDelay,
    /// Consul does not know our session any more; its words.
    SessionInvalid(String),
}

/// What became of an attempt to give the key back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GivenBack {
    /// It is free.
    Released,
    /// Somebody changed the key meanwhile.
    Changed,
}

/// Takes the key, which must be as it was at its last write; 0 is "does not exist".
pub(super) async fn take(
    client: &Client<Either>,
    spec: &LockSpec,
    session: &str,
    index: u64,
) -> Result<Taken> {
    let mut txn = Txn::new();
    match index {
        0 => txn.check_not_exists(&spec.key)?,
        index => txn.check_index(&spec.key, index)?,
    };
    txn.lock(&spec.key, &spec.value, LOCK_FLAG, session)?;
    let outcome = client.commit(&txn, &spec.options)?.await?.value;
    judge_taking(&spec.key, outcome)
}

/// Gives the key back, which must be as it was at this write.
pub(super) async fn give_back(
    client: &Client<Either>,
    spec: &LockSpec,
    session: &str,
    index: u64,
) -> Result<GivenBack> {
    let mut txn = Txn::new();
    txn.check_index(&spec.key, index)?;
    if spec.is_ephemeral() {
        // Consul deletes the keys that a session holds when it ends, and this one is not held then.
        txn.check_session(&spec.key, session)?.delete_cas(&spec.key, index)?;
    } else {
        txn.unlock(&spec.key, &spec.value, LOCK_FLAG, session)?;
    }
    match client.commit(&txn, &spec.options)?.await?.value {
        TxnOutcome::Committed(_) => Ok(GivenBack::Released),
        TxnOutcome::RolledBack(errors) => match errors.iter().find(|error| error.is_denied()) {
            Some(denied) => Err(Error::new(Status::Denied, &denied.what)),
            None => Ok(GivenBack::Changed),
        },
    }
}

fn judge_taking(key: &str, outcome: TxnOutcome) -> Result<Taken> {
    match outcome {
        TxnOutcome::Committed(results) => match written(key, &results) {
            Some(index) => Ok(Taken::Won(index)),
            None => Err(Error::new(Status::Decode, "the answer lacks the key that was locked")
                .with_outcome_unknown(true)),
        },
        TxnOutcome::RolledBack(errors) => judge_errors(&errors),
    }
}

/// The index of the key's write: the last result, since locking is the last operation.
fn written(key: &str, results: &[TxnResult]) -> Option<u64> {
    match results.last()? {
        TxnResult::Kv(pair) if pair.key == key && pair.modify_index > 0 => Some(pair.modify_index),
        _ => None,
    }
}

/// Consul's words are those of agent/consul/state/txn.go and agent/consul/txn_endpoint.go.
fn judge_errors(errors: &[TxnError]) -> Result<Taken> {
    if let Some(denied) = errors.iter().find(|error| error.is_denied()) {
        return Err(Error::new(Status::Denied, &denied.what));
    }
    if errors.iter().any(|error| error.op_index == 0) {
        return Ok(Taken::Changed);
    }
    let what = errors.first().map_or("no reason given", |error| error.what.as_str());
    let says = |words: &[&str]| words.iter().any(|word| what.contains(word));
    if says(&["lock delay"]) {
        return Ok(Taken::LockDelay);
    }
    if says(&["already held"]) {
        return Ok(Taken::Changed);
    }
    if says(&["invalid session", "session lookup", "missing session"]) {
        return Ok(Taken::SessionInvalid(what.to_string()));
    }
    Err(Error::new(Status::Http, format!("the key was not locked: {what}")).with_http_status(409))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv::KvPair;

    fn pair(key: &str, modify_index: u64) -> TxnResult {
        TxnResult::Kv(KvPair { key: key.into(), modify_index, ..KvPair::default() })
    }

    fn rolled_back(errors: &[(u64, &str)]) -> Result<Taken> {
        let error = |&(op_index, what): &(u64, &str)| TxnError { op_index, what: what.into() };
        judge_taking("a", TxnOutcome::RolledBack(errors.iter().map(error).collect()))
    }

    #[test]
    fn the_token_is_the_index_of_the_locking_write() {
        let won = judge_taking("a", TxnOutcome::Committed(vec![pair("a", 5), pair("a", 9)]));
        assert_eq!(won.unwrap(), Taken::Won(9));
    }

    #[test]
    fn an_answer_without_the_key_has_an_unknown_outcome() {
        for results in [vec![], vec![pair("b", 9)], vec![pair("a", 0)]] {
            let error = judge_taking("a", TxnOutcome::Committed(results)).unwrap_err();
            assert!(error.is_outcome_unknown());
        }
    }

    #[test]
    fn consuls_words_tell_why_it_was_rolled_back() {
        let delay = "failed to lock key \"a\" due to lock delay";
        let held = "failed to lock key \"a\", lock is already held";
        let stale = "failed index check for key \"a\", current modify index 7 != 5";
        assert_eq!(rolled_back(&[(1, delay)]).unwrap(), Taken::LockDelay);
        assert_eq!(rolled_back(&[(1, held)]).unwrap(), Taken::Changed);
        assert_eq!(rolled_back(&[(0, stale), (1, held)]).unwrap(), Taken::Changed);
        for gone in ["invalid session \"x\"", "failed session lookup: index error: UUID must be"] {
            assert_eq!(rolled_back(&[(1, gone)]).unwrap(), Taken::SessionInvalid(gone.into()));
        }
        assert_eq!(rolled_back(&[(1, "Permission denied")]).unwrap_err().status(), Status::Denied);
        assert_eq!(rolled_back(&[(1, "something new")]).unwrap_err().status(), Status::Http);
        assert_eq!(rolled_back(&[]).unwrap_err().status(), Status::Http);
    }
}
