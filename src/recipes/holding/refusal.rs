//! Why a transaction that was to take something was rolled back.

use super::resource::Taken;
use crate::api::txn::TxnError;
use crate::error::{Error, Result, Status};

/// What it means that a transaction was rolled back whose first operation passes only where nobody
/// changed what was seen, and whose others lock a key.
///
/// Consul's words are those of agent/consul/state/txn.go and agent/consul/txn_endpoint.go.
pub(in crate::recipes) fn refusal<M>(errors: &[TxnError]) -> Result<Taken<M>> {
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

    fn rolled_back(errors: &[(u64, &str)]) -> Result<Taken<()>> {
        let error = |&(op_index, what): &(u64, &str)| TxnError { op_index, what: what.into() };
        refusal(&errors.iter().map(error).collect::<Vec<_>>())
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
