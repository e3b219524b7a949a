//! A lock as something that can be held: what stands at its key.

use super::attempt;
use super::seen::{self, LOCK_FLAG, Seen};
use super::spec::LockSpec;
use crate::api::Answer;
use crate::api::txn::{Txn, TxnResult};
use crate::client::{Client, Either};
use crate::config::{Consistency, Options};
use crate::error::Result;
use crate::recipes::holding::{Chance, GivenBack, Resource, SessionSource, Sight, Taken};
use crate::runtime::Order;
use std::time::Duration;

impl Resource for LockSpec {
    const NOUN: &'static str = "lock";
    const ORDER: Order = Order::Locks;
    const TRIES: u32 = 5;
    const CHECKS: usize = 1;

    /// The key's last write; 0 where it does not exist.
    type Offer = u64;
    type Mark = u64;

    fn name(&self) -> &str {
        &self.key
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn session(&self) -> &SessionSource {
        &self.session
    }

    fn monitor_retry(&self) -> Option<Duration> {
        self.monitor_retry
    }

    fn index(mark: &u64) -> u64 {
        *mark
    }

    async fn survey(
        &self,
        client: &Client<Either>,
        session: Option<&str>,
        options: &Options,
    ) -> Result<Answer<Chance<LockSpec>>> {
        let Answer { value, meta } = client.kv().get(&self.key, options)?.await?;
        let value = match Seen::by_contender(value, session, self.adopt) {
            Seen::Foreign(flags) => return Err(seen::conflict(&self.key, flags)),
            Seen::Absent => Chance::Open(0),
            Seen::Free(index) => Chance::Open(index),
            Seen::Ours(index) => Chance::Ours(index),
            Seen::Other(holder) => Chance::Taken(vec![holder]),
        };
        Ok(Answer { value, meta })
    }

    async fn take(&self, client: &Client<Either>, session: &str, offer: u64) -> Result<Taken<u64>> {
        attempt::take(client, self, session, offer).await
    }

    async fn inspect(
        &self,
        client: &Client<Either>,
        session: &str,
        options: &Options,
    ) -> Result<Answer<Sight<u64>>> {
        let answer = client.kv().get(&self.key, options)?.await?;
        Ok(answer.map(|pair| Seen::by_holder(pair, Some(session)).into()))
    }

    async fn give_back(
        &self,
        client: &Client<Either>,
        session: &str,
        mark: &u64,
    ) -> Result<GivenBack> {
        attempt::give_back(client, self, session, *mark).await
    }

    fn add_check(&self, txn: &mut Txn, session: &str) -> Result<()> {
        txn.check_session(&self.key, session).map(drop)
    }

    /// The operation alone says it.
    fn is_confirmed(&self, _: &[TxnResult], _: &str) -> bool {
        true
    }

    async fn delete_unused(&self, client: &Client<Either>) -> Result<bool> {
        let consistent = self.options.clone().consistency(Consistency::Consistent);
        let Some(pair) = client.kv().get(&self.key, &consistent)?.await?.value else {
            return Ok(true);
        };
        if pair.flags != LOCK_FLAG && !self.adopt {
            return Err(seen::conflict(&self.key, pair.flags));
        }
        if pair.session.is_some_and(|session| !session.is_empty()) {
            return Ok(false);
        }
        Ok(client.kv().delete_cas(&self.key, pair.modify_index, &self.options)?.await?.value)
    }
}
