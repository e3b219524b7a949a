//! One transaction that takes a lock's key, or gives it back.
//!
//! Each goes on only from the write that was seen: an answer that comes late, or a change that is
//! applied late, cannot touch what others did meanwhile.

use super::LOCK_FLAG;
use super::spec::LockSpec;
use crate::api::txn::{Txn, TxnOutcome, TxnResult};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::recipes::holding::{GivenBack, Taken, refusal};

/// Takes the key, which must be as it was at its last write; 0 is "does not exist".
pub(super) async fn take(
    client: &Client<Either>,
    spec: &LockSpec,
    session: &str,
    index: u64,
) -> Result<Taken<u64>> {
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
    txn.check_index(&spec.key, index)?.unlock(&spec.key, &spec.value, LOCK_FLAG, session)?;
    match client.commit(&txn, &spec.options)?.await?.value {
        TxnOutcome::Committed(_) => Ok(GivenBack::Released),
        TxnOutcome::RolledBack(errors) => match errors.iter().find(|error| error.is_denied()) {
            Some(denied) => Err(Error::new(Status::Denied, &denied.what)),
            None => Ok(GivenBack::Changed),
        },
    }
}

fn judge_taking(key: &str, outcome: TxnOutcome) -> Result<Taken<u64>> {
    match outcome {
        TxnOutcome::Committed(results) => match written(key, &results) {
            Some(index) => Ok(Taken::Won(index)),
            None => Err(Error::new(Status::Decode, "the answer lacks the key that was locked")
                .with_outcome_unknown(true)),
        },
        TxnOutcome::RolledBack(errors) => refusal(&errors),
    }
}

/// The index of the key's write: the last result, since locking is the last operation.
fn written(key: &str, results: &[TxnResult]) -> Option<u64> {
    match results.last()? {
        TxnResult::Kv(pair) if pair.key == key && pair.modify_index > 0 => Some(pair.modify_index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv::KvPair;

    fn pair(key: &str, modify_index: u64) -> TxnResult {
        TxnResult::Kv(KvPair { key: key.into(), modify_index, ..KvPair::default() })
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
}
