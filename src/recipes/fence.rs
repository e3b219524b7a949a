//! Writes that happen only while a session holds a lock.

use crate::api::kv::check_key;
use crate::api::session::check_id;
use crate::api::txn::{Txn, TxnError, TxnOutcome};
use crate::client::{Blocking, Client, Style};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::recipes::lock::LOCK_FLAG;

/// Writes only while a session holds a lock's key, checked by Consul in the same transaction: a
/// holder that does not know yet that it lost the lock cannot do harm through it.
#[derive(Clone)]
pub struct Fence<S: Style = Blocking> {
    client: Client<S>,
    lock_key: String,
    session: String,
    /// What a call's options do not say.
    options: Options,
}

/// What became of a fenced change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// Done.
    Done,
    /// Not done: the key was not as the caller wants it.
    Conflict,
    /// Not done: the session does not hold the lock's key.
    NotHeld,
}

impl<S: Style> Client<S> {
    /// What writes only while this session holds this key.
    pub fn fence(&self, lock_key: impl Into<String>, session: impl Into<String>) -> Fence<S> {
        let (lock_key, session) = (lock_key.into(), session.into());
        Fence { client: self.clone(), lock_key, session, options: Options::new() }
    }
}

impl<S: Style> Fence<S> {
    /// The same, with these token, datacenter, namespace and partition where a call says nothing.
    pub(crate) fn scoped(self, options: &Options) -> Fence<S> {
        Fence { options: options.clone(), ..self }
    }

    /// Writes a key. `flags` replace the key's flags; the lock's own key keeps a lock's.
    pub fn put(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        options: &Options,
    ) -> Result<S::Output<Fenced>> {
        let mut txn = self.begin()?;
        if key == self.lock_key {
            // A plain write would keep the session and break the lock for whoever comes next.
            txn.lock(key, value, LOCK_FLAG, &self.session)?;
        } else {
            txn.set(key, value, flags)?;
        }
        self.commit(&txn, options)
    }

    /// Writes a key if its modify index is still this one; 0 means "if it does not exist".
    pub fn cas(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        modify_index: u64,
        options: &Options,
    ) -> Result<S::Output<Fenced>> {
        let mut txn = self.begin()?;
        txn.cas(key, value, flags, modify_index)?;
        self.commit(&txn, options)
    }

    /// Deletes a key, which need not exist.
    pub fn delete(&self, key: &str, options: &Options) -> Result<S::Output<Fenced>> {
        let mut txn = self.begin()?;
        txn.delete(key)?;
        self.commit(&txn, options)
    }

    fn begin(&self) -> Result<Txn> {
        check_key(&self.lock_key)?;
        let mut txn = Txn::new();
        txn.check_session(&self.lock_key, check_id(&self.session)?)?;
        Ok(txn)
    }

    fn commit(&self, txn: &Txn, options: &Options) -> Result<S::Output<Fenced>> {
        let options = options.or_scope(&self.options);
        self.client.commit_as(txn, &options, |outcome| match outcome {
            TxnOutcome::Committed(_) => Ok(Fenced::Done),
            TxnOutcome::RolledBack(errors) => judge(&errors),
        })
    }
}

/// The first operation is the check.
fn judge(errors: &[TxnError]) -> Result<Fenced> {
    if let Some(denied) = errors.iter().find(|error| error.is_denied()) {
        return Err(Error::new(Status::Denied, &denied.what));
    }
    let not_held = errors.iter().any(|error| error.op_index == 0);
    Ok(if not_held { Fenced::NotHeld } else { Fenced::Conflict })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(errors: &[(u64, &str)]) -> Result<Fenced> {
        let error = |&(op_index, what): &(u64, &str)| TxnError { op_index, what: what.into() };
        judge(&errors.iter().map(error).collect::<Vec<_>>())
    }

    #[test]
    fn the_lock_is_told_from_the_key() {
        assert_eq!(judged(&[(0, "x"), (1, "y")]).unwrap(), Fenced::NotHeld);
        assert_eq!(judged(&[(1, "index is stale")]).unwrap(), Fenced::Conflict);
        assert_eq!(judged(&[(1, "Permission denied")]).unwrap_err().status(), Status::Denied);
    }
}
