//! Who is in the cluster and who in its ring, by the keys that were found: pure, without network,
//! clock or threads.
//!
//! - A member whose session ended stays in the ring for a while: it may come back.
//! - One that comes back after it was out of the ring has to last for a while first, so that one
//!   which comes and goes is in the ring or out of it, and does not reshuffle the keys.
//! - One that deleted its key has left, and is out of the ring at once.
//! - When more than half of the ring is lost together, that is an outage rather than they: the ring
//!   stays for longer, and as long as nobody is left.
//! - The key of one that died is nobody's any more when it has not come back for long enough.

use super::member::{MemberState, Record, Seen};
use std::collections::BTreeMap;
use std::time::Duration;

/// For how long one is remembered that has left: who comes back meanwhile has to last. The key of one
/// that died stays for as long.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How long things have to last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Damping {
    /// How long one whose session ended stays in the ring.
    pub(super) leave_after: Duration,
    /// How long one that comes back has to last before it is in the ring again.
    pub(super) join_after: Duration,
    /// How long the ring stays when more than half of it is lost together.
    pub(super) outage_hold: Duration,
}

/// One who is or was a member.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) record: Record,
    /// None when it does not live.
    pub(super) session: Option<String>,
    /// Since when it lives, or does not.
    pub(super) since: Duration,
    pub(super) in_ring: bool,
    /// Its key is gone: it left, or was forgotten.
    deleted: bool,
    /// The last write of its key; 0 where that is not to be deleted.
    index: u64,
    /// When its key was named by [`Roster::abandoned`].
    named: Option<Duration>,
}

impl Entry {
    fn lives(&self) -> bool {
        self.session.is_some()
    }

    pub(super) fn state(&self) -> MemberState {
        match (self.lives(), self.in_ring) {
            (true, true) => MemberState::Alive,
            (false, false) => MemberState::Left,
            _ => MemberState::Suspect,
        }
    }

    fn see(&mut self, seen: Seen, now: Duration) {
        if self.lives() != seen.session.is_some() {
            (self.since, self.named) = (now, None);
        }
        (self.record, self.session, self.deleted) = (seen.record, seen.session, false);
        self.index = seen.index;
    }

    /// Its key is there, and nobody's.
    fn is_abandoned(&self) -> bool {
        !self.lives() && !self.in_ring && !self.deleted && self.index > 0
    }

    /// When its key has been nobody's for long enough.
    fn forgotten_at(&self) -> Duration {
        self.named.unwrap_or(self.since) + REMEMBERED
    }

    fn miss(&mut self, now: Duration) {
        if self.lives() || (!self.deleted && !self.in_ring) {
            self.since = now;
        }
        (self.session, self.deleted) = (None, true);
    }
}

/// Who is in the cluster.
#[derive(Debug)]
pub(super) struct Roster {
    damping: Damping,
    entries: BTreeMap<String, Entry>,
    /// Since when more than half of the ring was lost; until all are back or it has lasted.
    outage: Option<Duration>,
}

impl Roster {
    pub(super) fn new(damping: Damping) -> Roster {
        Roster { damping, entries: BTreeMap::new(), outage: None }
    }

    /// These are all keys there are.
    pub(super) fn update(&mut self, found: Vec<Seen>, now: Duration) {
        let mut found: BTreeMap<String, Seen> =
            found.into_iter().map(|seen| (seen.record.id.clone(), seen)).collect();
        for (id, entry) in &mut self.entries {
            match found.remove(id) {
                Some(seen) => entry.see(seen, now),
                None => entry.miss(now),
            }
        }
        for (id, Seen { record, session, index }) in found {
            let (in_ring, since) = (session.is_some(), now);
            let entry =
                Entry { record, session, since, in_ring, deleted: false, index, named: None };
            self.entries.insert(id, entry);
        }
    }

    /// The keys of those that died long ago, each with its last write, to be deleted. Each is named
    /// again after as long a time, where it is still there.
    pub(super) fn abandoned(&mut self, now: Duration) -> Vec<(String, u64)> {
        let dead = self.entries.values_mut().filter(|entry| entry.is_abandoned());
        let due = dead.filter(|entry| entry.forgotten_at() <= now);
        due.map(|entry| {
            entry.named = Some(now);
            (entry.record.id.clone(), entry.index)
        })
        .collect()
    }

    /// The first of those that live, by id: who does what one of them is to do.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.lives())
    }

    /// Takes into the ring and out of it whose time has come. Gives when to come back.
    pub(super) fn settle(&mut self, now: Duration) -> Option<Duration> {
        let (ring, lost) = self.count();
        let nobody = !self.entries.values().any(Entry::lives);
        // While nobody lives the time stands still: they come back one after the other.
        let since = self.outage.filter(|_| !nobody).unwrap_or(now);
        let is_outage = lost * 2 > ring || (lost > 0 && self.outage.is_some());
        self.outage = is_outage.then_some(since);
        let (damping, outage) = (self.damping, self.outage);
        let due = |entry: &Entry| match (entry.lives(), entry.in_ring) {
            (true, false) => Some(entry.since.saturating_add(damping.join_after)),
            (false, true) if nobody => None,
            (false, true) => {
                let after = if entry.deleted { Duration::ZERO } else { damping.leave_after };
                let held = outage.map(|since| since.saturating_add(damping.outage_hold));
                Some(entry.since.saturating_add(after).max(held.unwrap_or_default()))
            }
            (false, false) if entry.deleted => Some(entry.since + REMEMBERED),
            (false, false) if entry.is_abandoned() => Some(entry.forgotten_at()),
            _ => None,
        };
        for entry in self.entries.values_mut() {
            if (entry.lives() != entry.in_ring) && due(entry).is_some_and(|due| due <= now) {
                entry.in_ring = entry.lives();
            }
        }
        self.entries.retain(|_, entry| {
            let is_over = entry.deleted && due(entry).is_some_and(|due| due <= now);
            entry.lives() || entry.in_ring || !is_over
        });
        self.never_empty();
        self.entries.values().filter_map(due).min()
    }

    /// Whoever lives is better than nobody.
    fn never_empty(&mut self) {
        if self.entries.values().any(|entry| entry.in_ring) {
            return;
        }
        for entry in self.entries.values_mut() {
            entry.in_ring = entry.lives();
        }
    }

    /// How many are in the ring, and how many of them do not live.
    fn count(&self) -> (usize, usize) {
        let in_ring = self.entries.values().filter(|entry| entry.in_ring);
        in_ring.fold((0, 0), |(all, lost), entry| (all + 1, lost + usize::from(!entry.lives())))
    }

    /// All there are, by id.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAMPING: Damping = Damping {
        leave_after: Duration::from_secs(5),
        join_after: Duration::from_secs(10),
        outage_hold: Duration::from_secs(60),
    };

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    fn seen(id: &str, lives: bool) -> Seen {
        let record = Record { id: id.into(), ..Record::default() };
        Seen { record, session: lives.then(|| format!("session of {id}")), index: 7 }
    }

    /// A roster, and how often its ring has changed.
    struct Bench {
        roster: Roster,
        ring: Vec<String>,
        changes: usize,
    }

    impl Bench {
        fn new(ids: &[&str]) -> Bench {
            let mut bench = Bench { roster: Roster::new(DAMPING), ring: Vec::new(), changes: 0 };
            bench.find(ids, &[], 0);
            bench.changes = 0;
            bench
        }

        /// These live, those have a key without a session.
        fn find(&mut self, living: &[&str], dead: &[&str], now: u64) -> Option<Duration> {
            let living = living.iter().map(|id| seen(id, true));
            let found = living.chain(dead.iter().map(|id| seen(id, false))).collect();
            self.roster.update(found, ms(now));
            self.settle(now)
        }

        fn settle(&mut self, now: u64) -> Option<Duration> {
            let due = self.roster.settle(ms(now));
            let in_ring = self.roster.entries().filter(|entry| entry.in_ring);
            let ring: Vec<String> = in_ring.map(|entry| entry.record.id.clone()).collect();
            self.changes += usize::from(ring != self.ring);
            self.ring = ring;
            due
        }

        fn state(&self, id: &str) -> MemberState {
            self.roster.entries[id].state()
        }
    }

    #[test]
    fn who_is_new_is_in_the_ring_at_once() {
        let mut bench = Bench::new(&["a", "b"]);
        assert_eq!(bench.ring, ["a", "b"]);
        assert_eq!(bench.find(&["a", "b", "c"], &[], 1), None);
        assert_eq!(bench.ring, ["a", "b", "c"]);
    }

    #[test]
    fn who_dies_is_suspect_first_and_then_gone() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        assert_eq!(bench.find(&["a", "b"], &["c"], 1000), Some(ms(6000)));
        assert_eq!((bench.state("c"), bench.changes), (MemberState::Suspect, 0));
        bench.settle(5999);
        assert_eq!(bench.state("c"), MemberState::Suspect);
        assert_eq!(bench.settle(6000), Some(ms(601_000)));
        assert_eq!((bench.state("c"), bench.changes), (MemberState::Left, 1));
        assert_eq!(bench.ring, ["a", "b"]);
    }

    #[test]
    fn the_key_of_who_died_is_abandoned_when_it_has_not_come_back_for_long() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.find(&["a", "b"], &["c"], 1000);
        bench.settle(6000);
        assert_eq!(bench.roster.abandoned(ms(600_999)), []);
        assert_eq!(bench.roster.abandoned(ms(601_000)), [("c".to_string(), 7)]);
        // Once, and again where it is still there after as long a time.
        assert_eq!(bench.roster.abandoned(ms(601_001)), []);
        assert_eq!(bench.settle(601_001), Some(ms(1_201_000)));
        assert_eq!(bench.roster.abandoned(ms(1_201_000)), [("c".to_string(), 7)]);
        // Deleted, it is one that left.
        assert_eq!(bench.find(&["a", "b"], &[], 1_201_001), Some(ms(1_801_001)));
        bench.settle(1_801_001);
        assert!(!bench.roster.entries.contains_key("c"));
    }

    #[test]
    fn only_the_key_of_a_member_that_is_dead_and_out_of_the_ring_is_abandoned() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        // Another program's: no session has ever held it.
        let foreign = Seen { index: 0, ..seen("old", false) };
        let found = vec![seen("a", true), seen("b", true), seen("c", false), foreign];
        bench.roster.update(found, ms(1000));
        bench.settle(700_000);
        bench.find(&["a", "b", "c"], &[], 700_001);
        assert_eq!(bench.roster.abandoned(ms(2_000_000)), []);
        bench.find(&["a"], &["b", "c"], 2_000_001);
        // More than half of the ring: it is held, and so are their keys.
        bench.settle(2_010_000);
        assert_eq!(bench.roster.abandoned(ms(2_010_000)), []);
        assert_eq!(bench.roster.first().map(|entry| entry.record.id.as_str()), Some("a"));
    }

    #[test]
    fn who_leaves_is_out_of_the_ring_at_once() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        let due = bench.find(&["a", "b"], &[], 1000);
        assert_eq!((bench.state("c"), due), (MemberState::Left, Some(ms(601_000))));
        assert_eq!(bench.ring, ["a", "b"]);
        bench.settle(601_000);
        assert!(!bench.roster.entries.contains_key("c"));
    }

    #[test]
    fn who_comes_back_soon_was_never_away() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.find(&["a", "b"], &["c"], 1000);
        assert_eq!(bench.find(&["a", "b", "c"], &[], 5000), None);
        assert_eq!((bench.state("c"), bench.changes), (MemberState::Alive, 0));
    }

    #[test]
    fn who_comes_back_late_has_to_last_first() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.find(&["a", "b"], &["c"], 1000);
        bench.settle(6000);
        assert_eq!(bench.find(&["a", "b", "c"], &[], 7000), Some(ms(17_000)));
        assert_eq!((bench.state("c"), bench.changes), (MemberState::Suspect, 1));
        bench.settle(17_000);
        assert_eq!((bench.state("c"), bench.changes), (MemberState::Alive, 2));
    }

    #[test]
    fn who_flaps_changes_the_ring_once_at_most() {
        // Once a second, and so slowly that it is out of the ring each time it is away.
        for (period, most) in [(1000, 0), (12_000, 1)] {
            let mut bench = Bench::new(&["a", "b", "c"]);
            for now in (0..600_000).step_by(500) {
                match now / (period / 2) % 2 {
                    0 => bench.find(&["a", "b", "c"], &[], now),
                    _ => bench.find(&["a", "b"], &["c"], now),
                };
            }
            assert!(bench.changes <= most, "{} of {period} ms", bench.changes);
        }
    }

    #[test]
    fn who_leaves_and_joins_all_the_time_changes_the_ring_once() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        for now in (500..60_000).step_by(500) {
            match now / 500 % 2 {
                0 => bench.find(&["a", "b", "c"], &[], now),
                _ => bench.find(&["a", "b"], &[], now),
            };
        }
        assert_eq!(bench.changes, 1);
    }

    #[test]
    fn a_ring_that_would_be_halved_stays_until_the_loss_has_lasted() {
        let mut bench = Bench::new(&["a", "b", "c", "d"]);
        assert_eq!(bench.find(&["a"], &["b"], 1000), Some(ms(61_000)));
        bench.settle(60_999);
        assert_eq!((bench.ring.len(), bench.state("c")), (4, MemberState::Suspect));
        assert_eq!(bench.find(&["a", "b", "c", "d"], &[], 60_999), None);
        assert_eq!(bench.changes, 0);
        bench.find(&["a"], &["b"], 70_000);
        bench.settle(130_000);
        assert_eq!((bench.ring.as_slice(), bench.changes), (&["a".to_string()][..], 1));
    }

    #[test]
    fn times_that_never_end_are_never_over() {
        let ever = Duration::MAX;
        let damping = Damping { leave_after: ever, join_after: ever, outage_hold: ever };
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.roster.damping = damping;
        assert_eq!(bench.find(&["a", "b"], &["c"], 1000), Some(ever));
        assert_eq!(bench.find(&["a"], &["b", "c"], 2000), Some(ever));
        assert_eq!((bench.ring.len(), bench.changes), (3, 0));
    }

    #[test]
    fn a_list_that_is_empty_empties_no_ring() {
        let mut bench = Bench::new(&["a", "b"]);
        for now in [1000, 100_000, 10_000_000] {
            assert_eq!(bench.find(&[], &[], now), None);
        }
        assert_eq!((bench.ring.len(), bench.changes), (2, 0));
        bench.find(&["c"], &[], 10_000_001);
        assert_eq!(bench.ring, ["a", "b", "c"]);
        bench.settle(10_061_000);
        assert_eq!(bench.ring, ["c"]);
    }

    #[test]
    fn who_comes_back_last_after_an_outage_was_never_away() {
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.find(&[], &[], 1000);
        for (living, now) in [(&["a"][..], 20_000), (&["a", "b"], 40_000)] {
            bench.find(living, &[], now);
            assert_eq!((bench.ring.len(), bench.changes), (3, 0));
        }
        assert_eq!(bench.find(&["a", "b", "c"], &[], 60_000), None);
        assert_eq!(bench.changes, 0);
        // Without an outage such a one has left.
        bench.find(&["a", "b"], &[], 60_001);
        assert_eq!((bench.ring.len(), bench.changes), (2, 1));
    }

    #[test]
    fn who_was_dead_before_was_never_in_the_ring() {
        let mut bench = Bench::new(&["a"]);
        bench.find(&["a"], &["old"], 1000);
        assert_eq!((bench.state("old"), bench.changes), (MemberState::Left, 0));
    }

    #[test]
    fn what_a_member_says_anew_counts_at_once() {
        let mut bench = Bench::new(&["a", "b"]);
        let mut heavy = seen("b", true);
        heavy.record.weight = 7;
        bench.roster.update(vec![seen("a", true), heavy], ms(1000));
        bench.settle(1000);
        assert_eq!(bench.roster.entries["b"].record.weight, 7);
        assert_eq!(bench.roster.entries["b"].since, ms(0));
    }
}
