//! What of all that is found reaches who watches, and when: pure, without clock or threads.

use super::content::{Comparison, Content};
use super::query::Found;
use crate::client::Vault;
use std::sync::Arc;
use std::time::Duration;

/// What a watch asks of its deliveries.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) comparison: Comparison,
    pub(super) settle: Option<Settle>,
    pub(super) floor: Option<Floor>,
    pub(super) last_seen_index: u64,
}

/// A change is held back until nothing has changed for `min`, but not longer than `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settle {
    pub(super) min: Duration,
    pub(super) max: Duration,
}

/// A change that would lose more than so many percent at once is held back for this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    pub(super) percent: u8,
    pub(super) hold: Duration,
}

/// Something to deliver.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) found: Found,
    pub(super) kind: ParcelKind,
}

/// How it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParcelKind {
    /// The first one.
    Initial,
    /// The first one, of which who watches has said that he knows it.
    KnownInitial,
    /// What has changed since.
    Change,
    /// The same, encrypted anew: nothing to tell, but its indexes are to be known.
    Rewritten,
}

/// What one watch was given, and what waits.
#[derive(Debug)]
pub(super) struct Delivery {
    rules: Rules,
    given: Option<Arc<Content>>,
    seen: u64,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    found: Found,
    since: Duration,
    due: Duration,
}

impl Delivery {
    pub(super) fn new(rules: Rules) -> Delivery {
        Delivery { rules, given: None, seen: 0, waiting: None }
    }

    /// Something was found. Finds come with growing numbers; one that comes late is passed over. A value
    /// that was only encrypted anew, by the vault where there is one, has not changed.
    pub(super) fn offer(
        &mut self,
        found: &Found,
        vault: Option<&Vault>,
        now: Duration,
    ) -> Option<Parcel> {
        if found.number <= self.seen {
            return None;
        }
        self.seen = found.number;
        let Some(given) = &self.given else {
            let known =
                self.rules.last_seen_index != 0 && self.rules.last_seen_index == found.index;
            let kind = if known { ParcelKind::KnownInitial } else { ParcelKind::Initial };
            return Some(self.give(found.clone(), kind));
        };
        if given.same(&found.content, self.rules.comparison) {
            // It has come back to what was delivered, so there is nothing to tell.
            self.waiting = None;
            return None;
        }
        if vault.is_some_and(|vault| given.is_rewritten(&found.content, vault)) {
            return Some(self.give(found.clone(), ParcelKind::Rewritten));
        }
        let due = self.due_of(given, &found.content, now);
        self.waiting = Some(Waiting {
            found: found.clone(),
            since: self.waiting.as_ref().map_or(now, |waiting| waiting.since),
            due,
        });
        self.ripe(now)
    }

    /// True while all there is comes from an earlier run.
    pub(super) fn has_only_kept(&self) -> bool {
        self.seen == 0 && self.given.is_some()
    }

    /// What was kept from an earlier run, before anything is found.
    pub(super) fn begin_with(&mut self, content: Arc<Content>) -> Option<Parcel> {
        if self.given.is_some() {
            return None;
        }
        let found = Found { content, index: 0, number: 0, body: None };
        Some(self.give(found, ParcelKind::Initial))
    }

    /// What has waited long enough.
    pub(super) fn ripe(&mut self, now: Duration) -> Option<Parcel> {
        let waiting = self.waiting.take_if(|waiting| waiting.due <= now)?;
        Some(self.give(waiting.found, ParcelKind::Change))
    }

    /// When to ask [`Delivery::ripe`] again.
    pub(super) fn due(&self) -> Option<Duration> {
        self.waiting.as_ref().map(|waiting| waiting.due)
    }

    /// True while a loss is held back that is above what is allowed at once.
    pub(super) fn holds_back(&self) -> bool {
        let (Some(given), Some(waiting)) = (&self.given, &self.waiting) else { return false };
        self.falls(given, &waiting.found.content).is_some()
    }

    fn give(&mut self, found: Found, kind: ParcelKind) -> Parcel {
        self.given = Some(found.content.clone());
        self.waiting = None;
        Parcel { found, kind }
    }

    fn due_of(&self, given: &Content, content: &Content, now: Duration) -> Duration {
        let since = self.waiting.as_ref().map_or(now, |waiting| waiting.since);
        let settled = match self.rules.settle {
            Some(Settle { min, max }) => now.saturating_add(min).min(since.saturating_add(max)),
            None => now,
        };
        match self.falls(given, content) {
            Some(floor) => settled.max(since.saturating_add(floor.hold)),
            None => settled,
        }
    }

    /// The floor that this change would fall through.
    fn falls(&self, given: &Content, content: &Content) -> Option<Floor> {
        let floor = self.rules.floor?;
        let lost = given.len().saturating_sub(content.len());
        (lost * 100 > given.len() * usize::from(floor.percent)).then_some(floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Node;
    use crate::api::kv::KvPair;
    use crate::config::Encryption;

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    /// So many nodes, the first one of this name.
    fn nodes(name: &str, count: usize) -> Content {
        let node = |n| Node { name: format!("{name}{n}"), ..Node::default() };
        Content::Nodes((0..count).map(node).collect())
    }

    struct Bench {
        delivery: Delivery,
        vault: Option<Vault>,
        number: u64,
    }

    impl Bench {
        fn new(rules: Rules) -> Bench {
            Bench { delivery: Delivery::new(rules), vault: None, number: 0 }
        }

        fn offer(&mut self, content: Content, now: u64) -> Option<ParcelKind> {
            self.number += 1;
            let content = Arc::new(content);
            let found = Found { content, index: 5, number: self.number, body: None };
            let parcel = self.delivery.offer(&found, self.vault.as_ref(), ms(now));
            parcel.map(|parcel| parcel.kind)
        }

        fn ripe(&mut self, now: u64) -> Option<ParcelKind> {
            self.delivery.ripe(ms(now)).map(|parcel| parcel.kind)
        }
    }

    const SETTLE: Settle = Settle { min: Duration::from_millis(100), max: Duration::from_secs(1) };

    #[test]
    fn there_is_one_initial_delivery_even_of_nothing() {
        let mut bench = Bench::new(Rules::default());
        assert_eq!(bench.offer(Content::Key(None), 0), Some(ParcelKind::Initial));
        assert_eq!(bench.offer(Content::Key(None), 1), None);
        assert_eq!(
            bench.offer(Content::Key(Some(Default::default())), 2),
            Some(ParcelKind::Change)
        );
        assert_eq!(bench.offer(Content::Key(None), 3), Some(ParcelKind::Change));
    }

    #[test]
    fn a_hundred_wake_ups_without_a_change_deliver_nothing() {
        let mut bench = Bench::new(Rules::default());
        bench.offer(nodes("a", 3), 0);
        assert!((0..100).all(|now| bench.offer(nodes("a", 3), now).is_none()));
    }

    #[test]
    fn an_initial_state_that_was_seen_before_is_not_announced() {
        let rules = Rules { last_seen_index: 5, ..Rules::default() };
        assert_eq!(Bench::new(rules).offer(nodes("a", 1), 0), Some(ParcelKind::KnownInitial));
        let rules = Rules { last_seen_index: 4, ..Rules::default() };
        assert_eq!(Bench::new(rules).offer(nodes("a", 1), 0), Some(ParcelKind::Initial));
    }

    #[test]
    fn what_was_found_earlier_and_comes_later_is_passed_over() {
        let mut bench = Bench::new(Rules::default());
        bench.offer(nodes("a", 1), 0);
        bench.offer(nodes("b", 1), 1);
        bench.number = 0;
        assert_eq!(bench.offer(nodes("a", 1), 2), None);
    }

    #[test]
    fn a_change_that_is_taken_back_while_it_settles_is_none() {
        let mut bench = Bench::new(Rules { settle: Some(SETTLE), ..Rules::default() });
        assert_eq!(bench.offer(nodes("a", 1), 0), Some(ParcelKind::Initial));
        assert_eq!(bench.offer(nodes("b", 1), 10), None);
        assert_eq!(bench.delivery.due(), Some(ms(110)));
        assert_eq!(bench.offer(nodes("a", 1), 50), None);
        assert_eq!((bench.delivery.due(), bench.ripe(500)), (None, None));
    }

    #[test]
    fn what_has_to_settle_for_ever_is_never_due() {
        let settle = Some(Settle { min: Duration::MAX, max: Duration::MAX });
        let mut bench = Bench::new(Rules { settle, ..Rules::default() });
        bench.offer(nodes("a", 1), 1);
        assert_eq!(bench.offer(nodes("b", 1), 2), None);
        assert_eq!(bench.delivery.due(), Some(Duration::MAX));
    }

    #[test]
    fn a_burst_is_delivered_once_when_it_is_over() {
        let mut bench = Bench::new(Rules { settle: Some(SETTLE), ..Rules::default() });
        bench.offer(nodes("a", 1), 0);
        for step in 1..=5 {
            assert_eq!(bench.offer(nodes("b", step), step as u64 * 50), None);
        }
        assert_eq!(bench.ripe(349), None);
        let parcel = bench.delivery.ripe(ms(350)).unwrap();
        assert_eq!(parcel.found.content.len(), 5);
    }

    #[test]
    fn what_never_settles_is_delivered_at_the_longest_time() {
        let mut bench = Bench::new(Rules { settle: Some(SETTLE), ..Rules::default() });
        bench.offer(nodes("a", 1), 0);
        let mut delivered = Vec::new();
        for step in 1..=50_u64 {
            if bench.offer(nodes(&format!("{step}-"), 1), step * 50).is_some() {
                delivered.push(step * 50);
            }
        }
        assert_eq!(delivered, [1050, 2100]);
    }

    #[test]
    fn a_value_that_was_only_encrypted_anew_is_known_and_not_told() {
        let vault = |prefix: &str| {
            let (key, prefixes) = ([7; 32], vec![prefix.to_string()]);
            let encryption = Encryption { key, old_keys: Vec::new(), prefixes, allow_plain: true };
            Some(Vault::new(&encryption).unwrap())
        };
        let mut bench = Bench::new(Rules::default());
        bench.vault = vault("app/");
        let pair = |key: &str, value: &str, modify_index| {
            let (key, value) = (key.to_string(), value.as_bytes().to_vec());
            KvPair { key, value, modify_index, ..KvPair::default() }
        };
        let found =
            |a: (&str, u64), b| Content::Pairs(vec![pair("app/a", a.0, a.1), pair("b", "x", b)]);
        assert_eq!(bench.offer(found(("1", 5), 6), 0), Some(ParcelKind::Initial));
        assert_eq!(bench.offer(found(("1", 7), 6), 1), Some(ParcelKind::Rewritten));
        assert_eq!(bench.offer(found(("1", 7), 6), 2), None);
        assert_eq!(bench.offer(found(("2", 8), 6), 3), Some(ParcelKind::Change));
        // What no prefix covers is not encrypted anew.
        assert_eq!(bench.offer(found(("2", 8), 9), 4), Some(ParcelKind::Change));
        // The client was configured anew.
        bench.vault = vault("b");
        assert_eq!(bench.offer(found(("2", 8), 10), 5), Some(ParcelKind::Rewritten));
        assert_eq!(bench.offer(found(("2", 9), 10), 6), Some(ParcelKind::Change));
    }

    #[test]
    fn a_great_loss_is_held_back_and_delivered_when_it_lasts() {
        let floor = Floor { percent: 50, hold: ms(60_000) };
        let mut bench = Bench::new(Rules { floor: Some(floor), ..Rules::default() });
        bench.offer(nodes("a", 10), 0);
        assert_eq!(bench.offer(nodes("a", 5), 10), Some(ParcelKind::Change));
        assert_eq!(bench.offer(nodes("a", 2), 20), None);
        assert!(bench.delivery.holds_back());
        assert_eq!(bench.offer(nodes("a", 5), 30), None);
        assert!(!bench.delivery.holds_back());
        assert_eq!(bench.offer(nodes("a", 0), 40), None);
        assert_eq!(bench.offer(nodes("a", 1), 50), None);
        assert_eq!(bench.ripe(60_039), None);
        assert_eq!(bench.ripe(60_040), Some(ParcelKind::Change));
    }

    #[test]
    fn what_was_kept_is_the_initial_state_until_something_is_found() {
        let mut bench = Bench::new(Rules::default());
        let kept = bench.delivery.begin_with(Arc::new(nodes("a", 2))).unwrap();
        assert_eq!(kept.kind, ParcelKind::Initial);
        assert_eq!(bench.offer(nodes("a", 2), 0), None);
        assert_eq!(bench.offer(nodes("a", 1), 1), Some(ParcelKind::Change));
    }
}
