//! The instances of one state that can be picked, prepared so that a pick looks at few of them.

use super::Strategy;
use super::shares::Shares;
use super::usage::{Lease, Usage};
use crate::api::AggregatedStatus;
use crate::api::health::ServiceEntry;
use crate::error::{Error, Result};
use crate::ring::points::{POINTS, Points};
use crate::runtime::Jitter;
use once_cell::race::OnceBox;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Up to so many instances are all looked at for the one with the fewest leases.
const ALL: usize = 32;

/// What the states of a watch have in common.
#[derive(Default)]
pub(in crate::watch) struct Bench {
    luck: Arc<Luck>,
    usage: HashMap<(String, String), Usage>,
}

/// Whose turn it is, and chance.
struct Luck {
    turn: AtomicUsize,
    jitter: Jitter,
}

impl Default for Luck {
    fn default() -> Luck {
        Luck { turn: AtomicUsize::new(0), jitter: Jitter::new() }
    }
}

/// The instances of a state that can be picked.
pub(in crate::watch) struct Roster {
    seats: Vec<Seat>,
    /// The entry of each seat, close together: it is all that most picks look at.
    entries: Vec<u32>,
    /// The seat of each entry that has one.
    by_entry: Vec<Option<u32>>,
    shares: Shares,
    ring: OnceBox<Points>,
    near: bool,
    luck: Arc<Luck>,
}

struct Seat {
    name: String,
    usage: Usage,
}

impl Bench {
    /// Prepares what can be picked of these entries. With `near` their order is their distance.
    pub(in crate::watch) fn seat(&mut self, entries: &[ServiceEntry], near: bool) -> Roster {
        let mut usage = HashMap::with_capacity(entries.len());
        let (mut seats, mut weights, mut seated) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_entry = vec![None; entries.len()];
        for (place, entry) in entries.iter().enumerate() {
            let key = (entry.node.name.clone(), entry.service.id.clone());
            let used = self.usage.remove(&key).unwrap_or_default();
            let weight = match entry.status() {
                Some(AggregatedStatus::Passing) => Some(entry.service.weights.passing),
                Some(AggregatedStatus::Warning) => Some(entry.service.weights.warning),
                _ => None,
            };
            if let Some(weight) = weight {
                by_entry[place] = Some(seats.len() as u32);
                let name = format!("{}/{}", key.0, key.1);
                seats.push(Seat { name, usage: used.clone() });
                seated.push(place as u32);
                weights.push(weight);
            }
            usage.insert(key, used);
        }
        self.usage = usage;
        let (ring, luck) = (OnceBox::new(), self.luck.clone());
        let shares = Shares::new(&weights);
        Roster { seats, entries: seated, by_entry, shares, ring, near, luck }
    }
}

impl Roster {
    /// The place of an entry; `None` when there is none to pick.
    pub(super) fn pick(&self, strategy: Strategy) -> Result<Option<usize>> {
        if strategy == Strategy::Nearest && !self.near {
            let message = "the nearest is known to a watch whose options say near, such as _agent";
            return Err(Error::argument(message));
        }
        if self.seats.is_empty() {
            return Ok(None);
        }
        let seat = match strategy {
            Strategy::RoundRobin => self.luck.turn.fetch_add(1, Relaxed) % self.seats.len(),
            Strategy::Random => self.any(),
            Strategy::Weighted => self.weighted(),
            Strategy::LeastConnections => self.least_used(),
            Strategy::Nearest => 0,
            Strategy::Hash(hash) => self.ring().owner_of(hash),
        };
        Ok(self.entries.get(seat).map(|&entry| entry as usize))
    }

    pub(super) fn lease(&self, entry: usize) -> Option<Lease> {
        let seat = (*self.by_entry.get(entry)?)?;
        Some(self.seats.get(seat as usize)?.usage.lease())
    }

    fn any(&self) -> usize {
        (self.luck.jitter.unit() * self.seats.len() as f64) as usize
    }

    fn weighted(&self) -> usize {
        // One number does for both: its whole part says whose turn it is, the rest which part.
        let point = self.luck.jitter.unit() * self.entries.len() as f64;
        self.shares.choose(point as usize, (point.fract() * 4_294_967_296.0) as u64)
    }

    fn least_used(&self) -> usize {
        let used = |seat: usize| self.seats.get(seat).map_or(u32::MAX, |seat| seat.usage.count());
        if self.seats.len() > ALL {
            let (one, other) = (self.any(), self.any());
            return if used(one) <= used(other) { one } else { other };
        }
        // Among equals it goes round, or the first would get all that is short.
        let first = self.luck.turn.fetch_add(1, Relaxed);
        let turns = (0..self.seats.len()).map(|step| (first + step) % self.seats.len());
        turns.min_by_key(|&seat| used(seat)).unwrap_or_default()
    }

    /// Made when it is asked for first. Threads that ask at once may each make one; one stays.
    fn ring(&self) -> &Points {
        let names = self.seats.iter().map(|seat| (seat.name.as_str(), POINTS));
        self.ring.get_or_init(|| Box::new(Points::new(names)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Check, Weights};
    use std::collections::{BTreeMap, HashSet};

    fn entry(id: &str, status: &str, weights: (u16, u16)) -> ServiceEntry {
        let mut entry = ServiceEntry::default();
        entry.node.name = "n".into();
        entry.service.id = id.into();
        entry.service.weights = Weights { passing: weights.0, warning: weights.1 };
        entry.checks = vec![Check { status: status.into(), ..Check::default() }];
        entry
    }

    fn passing(count: usize) -> Vec<ServiceEntry> {
        (0..count).map(|n| entry(&format!("web-{n}"), "passing", (1, 1))).collect()
    }

    fn counts(roster: &Roster, strategy: Strategy, picks: usize) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for _ in 0..picks {
            *counts.entry(roster.pick(strategy).unwrap().unwrap()).or_default() += 1;
        }
        counts
    }

    const EACH: [Strategy; 5] = [
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::Weighted,
        Strategy::LeastConnections,
        Strategy::Hash(7),
    ];

    #[test]
    fn round_robin_goes_round_even_when_the_list_changes() {
        let mut bench = Bench::default();
        let counted = counts(&bench.seat(&passing(3), false), Strategy::RoundRobin, 30);
        assert_eq!(counted, [(0, 10), (1, 10), (2, 10)].into());
        let counted = counts(&bench.seat(&passing(2), false), Strategy::RoundRobin, 30);
        assert_eq!(counted, [(0, 15), (1, 15)].into());
    }

    #[test]
    fn chance_is_fair_and_weights_count_as_the_instance_is() {
        let mut bench = Bench::default();
        let roster = bench.seat(&passing(4), false);
        assert!(counts(&roster, Strategy::Random, 8000).values().all(|n| (1700..2300).contains(n)));
        let entries = [
            entry("a", "passing", (3, 100)),
            entry("b", "warning", (100, 1)),
            entry("c", "passing", (0, 100)),
        ];
        let counted = counts(&bench.seat(&entries, false), Strategy::Weighted, 8000);
        assert!((5600..6400).contains(&counted[&0]) && (1600..2400).contains(&counted[&1]));
        assert_eq!(counted.get(&2), None);
        let nothing = [entry("a", "passing", (0, 0)), entry("b", "passing", (0, 0))];
        assert_eq!(counts(&bench.seat(&nothing, false), Strategy::Weighted, 100).len(), 2);
    }

    #[test]
    fn who_is_critical_is_never_picked_and_who_is_alone_always() {
        let mut bench = Bench::default();
        let mut down = entry("c", "passing", (1, 1));
        down.checks[0].id = "_node_maintenance".into();
        let entries = [entry("a", "critical", (1, 1)), entry("b", "warning", (1, 1)), down];
        let roster = bench.seat(&entries, false);
        for strategy in EACH {
            assert_eq!(counts(&roster, strategy, 50), [(1, 50)].into(), "{strategy:?}");
        }
        let nobody = bench.seat(&entries[..1], false);
        assert!(EACH.iter().all(|&strategy| nobody.pick(strategy) == Ok(None)));
    }

    #[test]
    fn the_least_used_is_picked_and_uses_outlive_a_change_of_the_list() {
        let mut bench = Bench::default();
        let roster = bench.seat(&passing(3), false);
        let held: Vec<_> = [0, 0, 1].map(|at| roster.lease(at).unwrap()).into();
        let more = bench.seat(&passing(4), false);
        let counted = counts(&more, Strategy::LeastConnections, 100);
        assert_eq!(counted.keys().collect::<Vec<_>>(), [&2, &3]);
        let busy = [more.lease(2).unwrap(), more.lease(3).unwrap()];
        drop(held);
        let counted = counts(&more, Strategy::LeastConnections, 100);
        assert_eq!(counted.keys().collect::<Vec<_>>(), [&0, &1]);
        drop(busy);
        assert_eq!(counts(&more, Strategy::LeastConnections, 100).len(), 4);
    }

    #[test]
    fn among_many_the_better_of_two_keeps_the_load_even() {
        let mut bench = Bench::default();
        let roster = bench.seat(&passing(200), false);
        let mut held = Vec::new();
        let mut load = [0_u32; 200];
        for _ in 0..2000 {
            let at = roster.pick(Strategy::LeastConnections).unwrap().unwrap();
            load[at] += 1;
            held.push(roster.lease(at).unwrap());
        }
        assert!(load.iter().max() <= Some(&16), "{load:?}");
    }

    #[test]
    fn the_nearest_is_the_first_of_a_watch_that_asks_for_it() {
        let mut bench = Bench::default();
        let roster = bench.seat(&passing(3), true);
        assert_eq!(roster.pick(Strategy::Nearest), Ok(Some(0)));
        assert!(bench.seat(&passing(3), false).pick(Strategy::Nearest).is_err());
    }

    #[test]
    fn a_key_stays_where_it_is_when_another_instance_goes() {
        let mut bench = Bench::default();
        let all = passing(5);
        let (before, after) = (bench.seat(&all, false), bench.seat(&all[..4], false));
        let keys: Vec<String> = (0..5000).map(|n| format!("key-{n}")).collect();
        let owner = |roster: &Roster, key: &str| {
            roster.pick(Strategy::of_key(key.as_bytes())).unwrap().unwrap()
        };
        let mut moved_to = HashSet::new();
        for key in &keys {
            let (old, new) = (owner(&before, key), owner(&after, key));
            match old {
                4 => drop(moved_to.insert(new)),
                _ => assert_eq!(old, new, "{key}"),
            }
        }
        assert_eq!(moved_to.len(), 4);
        let mut load = [0_usize; 5];
        keys.iter().for_each(|key| load[owner(&before, key)] += 1);
        assert!(load.iter().all(|load| (700..1300).contains(load)), "{load:?}");
    }
}
