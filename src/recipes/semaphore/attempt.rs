//! One transaction that takes a slot, or gives it back: the list of holders and the entry of the
//! one together, so that neither is ever there without the other.

use super::record::Record;
use super::seen::{Free, SEMAPHORE_FLAG, Slots};
use super::spec::SemaphoreSpec;
use crate::api::txn::{Txn, TxnError, TxnOutcome, TxnResult};
use crate::client::{Client, Either};
use crate::config::Consistency;
use crate::error::{Error, Result, Status};
use crate::recipes::holding::{GivenBack, Taken, refusal};

/// The list of holders and the own entry: what follows in the transaction are dead entries.
const OWN_OPERATIONS: u64 = 2;

/// Takes a slot; the holders must be those of this write. Deletes the entries of the dead, which must
/// be as they were, too.
pub(super) async fn take(
    client: &Client<Either>,
    spec: &SemaphoreSpec,
    session: &str,
    free: Free,
) -> Result<Taken<Slots>> {
    let Free { slots, dead } = free;
    let (lock, entry) = (spec.lock_key(), spec.entry_key(session));
    let record = slots.record.with(session);
    let mut txn = Txn::new();
    txn.cas(&lock, &record.encode()?, SEMAPHORE_FLAG, slots.index)?;
    txn.lock(&entry, &spec.value, SEMAPHORE_FLAG, session)?;
    for (key, index) in dead.iter().filter(|(key, _)| *key != entry) {
        txn.delete_cas(key, *index)?;
    }
    match client.commit(&txn, &spec.options)?.await?.value {
        TxnOutcome::Committed(results) => won(&lock, record, &results),
        TxnOutcome::RolledBack(errors) if concerns_the_dead(&errors) => Ok(Taken::Changed),
        TxnOutcome::RolledBack(errors) => match refusal(&errors)? {
            Taken::LockDelay => delayed(client, spec, session).await,
            other => Ok(other),
        },
    }
}

/// Somebody else deleted an entry of the dead, or it came back to life; nothing else went wrong.
fn concerns_the_dead(errors: &[TxnError]) -> bool {
    !errors.is_empty()
        && errors.iter().all(|error| error.op_index >= OWN_OPERATIONS && !error.is_denied())
}

/// An entry has a lock-delay when its session has ended while holding a slot; or, if somebody has
/// locked it with another one, that one.
async fn delayed(
    client: &Client<Either>,
    spec: &SemaphoreSpec,
    session: &str,
) -> Result<Taken<Slots>> {
    let consistent = spec.options.clone().consistency(Consistency::Consistent);
    Ok(match client.session().info(session, &consistent)?.await?.value {
        Some(_) => Taken::LockDelay,
        None => Taken::SessionInvalid(format!("the session {session} does not exist any more")),
    })
}

fn won(lock: &str, record: Record, results: &[TxnResult]) -> Result<Taken<Slots>> {
    let written = results.iter().find_map(|result| match result {
        TxnResult::Kv(pair) if pair.key == lock && pair.modify_index > 0 => Some(pair.modify_index),
        _ => None,
    });
    match written {
        Some(index) => Ok(Taken::Won(Slots { record, index })),
        None => Err(Error::new(Status::Decode, "the answer lacks the key that was written")
            .with_outcome_unknown(true)),
    }
}

/// Gives the slot back; the holders must be those of this write.
pub(super) async fn give_back(
    client: &Client<Either>,
    spec: &SemaphoreSpec,
    session: &str,
    slots: &Slots,
) -> Result<GivenBack> {
    let (lock, entry) = (spec.lock_key(), spec.entry_key(session));
    let record = slots.record.clone().without(session);
    let mut txn = Txn::new();
    txn.cas(&lock, &record.encode()?, SEMAPHORE_FLAG, slots.index)?;
    txn.check_session(&entry, session)?.delete(&entry)?;
    match client.commit(&txn, &spec.options)?.await?.value {
        TxnOutcome::Committed(_) => Ok(GivenBack::Released),
        TxnOutcome::RolledBack(errors) => match errors.iter().find(|error| error.is_denied()) {
            Some(denied) => Err(Error::new(Status::Denied, &denied.what)),
            None => Ok(GivenBack::Changed),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv::KvPair;

    #[test]
    fn an_answer_without_the_key_has_an_unknown_outcome() {
        let pair = |key: &str, modify_index| {
            TxnResult::Kv(KvPair { key: key.into(), modify_index, ..KvPair::default() })
        };
        let taken = won("a/.lock", Record::new(1), &[pair("a/.lock", 9), pair("a/s", 9)]);
        assert!(matches!(taken.unwrap(), Taken::Won(Slots { index: 9, .. })));
        for results in [vec![], vec![pair("a/s", 9)], vec![pair("a/.lock", 0)]] {
            let error = won("a/.lock", Record::new(1), &results).unwrap_err();
            assert!(error.is_outcome_unknown());
        }
    }
}
