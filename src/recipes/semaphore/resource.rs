//! A semaphore's slot as something that can be held: what stands at its keys.

use super::attempt;
use super::record::Record;
use super::seen::{Free, Slots};
use super::spec::SemaphoreSpec;
use crate::api::Answer;
use crate::api::kv::KvPair;
use crate::api::txn::{Txn, TxnResult};
use crate::client::{Client, Either};
use crate::config::{Consistency, Options};
use crate::error::Result;
use crate::recipes::holding::{Chance, GivenBack, Resource, SessionSource, Sight, Taken};
use crate::runtime::Order;
use std::time::Duration;

impl Resource for SemaphoreSpec {
    const NOUN: &'static str = "semaphore";
    const ORDER: Order = Order::Semaphores;
    /// Of all who write at the same time one succeeds: more of them than this are not expected.
    const TRIES: u32 = 50;
    const CHECKS: usize = 2;

    type Offer = Free;
    type Mark = Slots;

    fn name(&self) -> &str {
        &self.prefix
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

    fn index(mark: &Slots) -> u64 {
        mark.index
    }

    async fn survey(
        &self,
        client: &Client<Either>,
        session: Option<&str>,
        options: &Options,
    ) -> Result<Answer<Chance<SemaphoreSpec>>> {
        let Answer { value, meta } = self.read(client, options).await?;
        Ok(Answer { value: self.chance(&value, session)?, meta })
    }

    async fn take(
        &self,
        client: &Client<Either>,
        session: &str,
        offer: Free,
    ) -> Result<Taken<Slots>> {
        attempt::take(client, self, session, offer).await
    }

    async fn inspect(
        &self,
        client: &Client<Either>,
        session: &str,
        options: &Options,
    ) -> Result<Answer<Sight<Slots>>> {
        let answer = self.read(client, options).await?;
        Ok(answer.map(|pairs| self.sight(&pairs, session)))
    }

    async fn give_back(
        &self,
        client: &Client<Either>,
        session: &str,
        mark: &Slots,
    ) -> Result<GivenBack> {
        attempt::give_back(client, self, session, mark).await
    }

    fn add_check(&self, txn: &mut Txn, session: &str) -> Result<()> {
        txn.check_session(&self.entry_key(session), session)?.get(&self.lock_key()).map(drop)
    }

    /// The entry was checked; the list of holders was read.
    fn is_confirmed(&self, results: &[TxnResult], session: &str) -> bool {
        let lock = self.lock_key();
        results.iter().any(|result| match result {
            TxnResult::Kv(pair) if pair.key == lock => {
                Record::parse(&pair.value).is_some_and(|record| record.holds(session))
            }
            _ => false,
        })
    }

    async fn delete_unused(&self, client: &Client<Either>) -> Result<bool> {
        let consistent = self.options.clone().consistency(Consistency::Consistent);
        let pairs = self.read(client, &consistent).await?.value;
        let Some(slots) = self.slots(&pairs)? else { return Ok(true) };
        if !slots.record.is_unused() {
            return Ok(false);
        }
        let deleted = client.kv().delete_cas(&self.lock_key(), slots.index, &self.options)?;
        Ok(deleted.await?.value)
    }
}

impl SemaphoreSpec {
    /// All keys of the semaphore.
    async fn read(
        &self,
        client: &Client<Either>,
        options: &Options,
    ) -> Result<Answer<Vec<KvPair>>> {
        client.kv().list(&format!("{}/", self.prefix), options)?.await
    }
}
