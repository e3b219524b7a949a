//! What a lock and a semaphore are to what they share.

use super::reason::LostReason;
use super::session::SessionSource;
use crate::api::Answer;
use crate::api::txn::{Txn, TxnResult};
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::Result;
use crate::runtime::Order;
use std::future::Future;
use std::time::Duration;

/// What a session can hold, as its description says it: a lock's key, a semaphore's slot.
///
/// Each step goes on only from the write that was seen: an answer that comes late, or a change
/// that is applied late, cannot touch what others did meanwhile.
pub(in crate::recipes) trait Resource: Clone + Send + Sync + 'static {
    /// What it is called, in the log and in errors.
    const NOUN: &'static str;
    /// When its turn comes while the client closes.
    const ORDER: Order;
    /// How often it is tried again at once when others change it at the same time.
    const TRIES: u32;
    /// How many operations its check has.
    const CHECKS: usize;

    /// What a look found that can be taken.
    type Offer: Send + 'static;
    /// The write at which it was ours, with what it takes to give it back.
    type Mark: Clone + Send + Sync + 'static;

    /// Its key or prefix.
    fn name(&self) -> &str;

    /// With what token, datacenter, namespace and partition it calls.
    fn options(&self) -> &Options;

    /// What it is held with.
    fn session(&self) -> &SessionSource;

    /// For how long it may be unreadable; `None` for as long as the session lives.
    fn monitor_retry(&self) -> Option<Duration>;

    /// The index of the write.
    fn index(mark: &Self::Mark) -> u64;

    /// Looks as one who wants it, with this session where there is one already. An error where
    /// something else stands there.
    fn survey(
        &self,
        client: &Client<Either>,
        session: Option<&str>,
        options: &Options,
    ) -> impl Future<Output = Result<Answer<Chance<Self>>>> + Send;

    /// Takes what was found.
    fn take(
        &self,
        client: &Client<Either>,
        session: &str,
        offer: Self::Offer,
    ) -> impl Future<Output = Result<Taken<Self::Mark>>> + Send;

    /// Looks as its holder.
    fn inspect(
        &self,
        client: &Client<Either>,
        session: &str,
        options: &Options,
    ) -> impl Future<Output = Result<Answer<Sight<Self::Mark>>>> + Send;

    /// Gives it back, which must be as it was at this write.
    fn give_back(
        &self,
        client: &Client<Either>,
        session: &str,
        mark: &Self::Mark,
    ) -> impl Future<Output = Result<GivenBack>> + Send;

    /// Adds the operations that only pass while this session holds it, or read what
    /// [`Resource::is_confirmed`] looks at.
    fn add_check(&self, txn: &mut Txn, session: &str) -> Result<()>;

    /// Whether what the operations read says that it is held.
    fn is_confirmed(&self, results: &[TxnResult], session: &str) -> bool;

    /// Deletes what stands at Consul, unless somebody uses it. True when it is gone.
    fn delete_unused(&self, client: &Client<Either>) -> impl Future<Output = Result<bool>> + Send;
}

/// What one who wants it sees.
pub(in crate::recipes) enum Chance<R: Resource> {
    /// This can be taken.
    Open(R::Offer),
    /// Our session holds it already.
    Ours(R::Mark),
    /// These sessions hold it.
    Taken(Vec<String>),
}

/// What became of an attempt to take it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::recipes) enum Taken<M> {
    /// It is ours since this write.
    Won(M),
    /// Somebody changed it meanwhile.
    Changed,
    /// A session ended while holding it, and its lock-delay is not over.
    LockDelay,
    /// Consul does not know our session any more; its words.
    SessionInvalid(String),
}

/// What its holder sees.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::recipes) enum Sight<M> {
    /// It is ours, as of this write.
    Ours(M),
    /// It is not; why, as far as it alone tells.
    Gone(LostReason),
}

impl<M> Sight<M> {
    /// Why who held it does not any more; `None` while it does. A session that ended is the cause
    /// of whatever came after.
    pub(super) fn loss(&self, session_exists: bool) -> Option<LostReason> {
        match self {
            Sight::Ours(_) => None,
            Sight::Gone(_) if !session_exists => Some(LostReason::SessionInvalid),
            Sight::Gone(reason) => Some(*reason),
        }
    }
}

/// What became of an attempt to give it back.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::recipes) enum GivenBack {
    /// It is free.
    Released,
    /// Somebody changed it meanwhile.
    Changed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_loss_is_its_first_cause() {
        let deleted = Sight::<()>::Gone(LostReason::KeyDeleted);
        assert_eq!(deleted.loss(true), Some(LostReason::KeyDeleted));
        assert_eq!(deleted.loss(false), Some(LostReason::SessionInvalid));
        assert_eq!((Sight::Ours(()).loss(true), Sight::Ours(()).loss(false)), (None, None));
    }
}
