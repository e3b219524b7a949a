//! What will happen by itself, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Something that happens by itself. Each has one time at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::transport::embedded) enum Due {
    /// The catalog hears of a check's output that has changed alone.
    CheckOutput(String),
    /// A check has not been told of in time.
    CheckTtl(String),
    /// The batch of coordinates is taken over.
    Coordinates,
    /// The service of a check that is critical is deregistered.
    Reap(String),
    /// The agent compares what it knows with the catalog.
    Sync,
    /// The session of this id ends.
    Session(String),
    /// The tombstones up to this index are forgotten.
    Tombstones(u64),
}

/// What is due when. Nobody watches it: whoever looks at the state lets happen what is due.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Agenda {
    times: BTreeMap<Due, Instant>,
    order: BTreeSet<(Instant, Due)>,
}

impl Agenda {
    /// It happens at this time, and no longer at another one.
    pub(in crate::transport::embedded) fn set(&mut self, due: Due, at: Instant) {
        self.cancel(&due);
        self.times.insert(due.clone(), at);
        self.order.insert((at, due));
    }

    /// It does not happen.
    pub(in crate::transport::embedded) fn cancel(&mut self, due: &Due) {
        if let Some((due, at)) = self.times.remove_entry(due) {
            self.order.remove(&(at, due));
        }
    }

    /// True where it will happen.
    pub(in crate::transport::embedded) fn has(&self, due: &Due) -> bool {
        self.times.contains_key(due)
    }

    /// When the next thing happens.
    pub(in crate::transport::embedded) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out what is due first, with its time.
    pub(in crate::transport::embedded) fn take_due(
        &mut self,
        now: Instant,
    ) -> Option<(Instant, Due)> {
        if self.next()? > now {
            return None;
        }
        let first = self.order.pop_first()?;
        self.times.remove(&first.1);
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::{Agenda, Due};
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_due_comes_in_order_and_once() {
        let (mut agenda, start) = (Agenda::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        agenda.set(Due::Tombstones(1), at(9));
        agenda.set(Due::Tombstones(2), at(2));
        agenda.set(Due::Tombstones(1), at(1));
        agenda.set(Due::Tombstones(3), at(1));
        agenda.cancel(&Due::Tombstones(3));
        assert_eq!(agenda.next(), Some(at(1)));
        assert_eq!(agenda.take_due(at(0)), None);
        assert_eq!(agenda.take_due(at(5)), Some((at(1), Due::Tombstones(1))));
        assert_eq!(agenda.take_due(at(5)), Some((at(2), Due::Tombstones(2))));
        assert_eq!(agenda.take_due(at(99)), None);
    }
}
