//! What is due when.

use super::work::Job;
use std::collections::BTreeMap;
use std::time::Instant;

/// A moment, and a number that tells apart what happens at the same one.
pub(super) type Key = (Instant, u64);

/// Jobs by the time at which they are due. A tree, not a heap: most are removed before their time,
/// for they are the deadlines of exchanges.
#[derive(Default)]
pub(super) struct Timers {
    last: u64,
    jobs: BTreeMap<Key, Job>,
}

impl Timers {
    pub(super) fn next_key(&mut self, at: Instant) -> Key {
        self.last += 1;
        (at, self.last)
    }

    pub(super) fn insert(&mut self, key: Key, job: Job) {
        self.jobs.insert(key, job);
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Job> {
        self.jobs.remove(key)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.jobs.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out one that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Job> {
        let first = self.jobs.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Job> + use<> {
        std::mem::take(&mut self.jobs).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Timers};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    #[test]
    fn they_come_in_the_order_of_their_times_and_not_before() {
        let (mut timers, order) = (Timers::default(), Arc::new(Mutex::new(Vec::new())));
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut keys = Vec::new();
        for (ms, name) in [(3, 'c'), (1, 'a'), (2, 'x'), (1, 'b')] {
            let (key, order) = (timers.next_key(at(ms)), order.clone());
            let job = move || order.lock().unwrap().push(name);
            timers.insert(key, Job::Run(Box::new(job)));
            keys.push(key);
        }
        assert_eq!(timers.next(), Some(at(1)));
        assert!(timers.take_due(at(0)).is_none());
        assert!(timers.remove(&keys[2]).is_some() && timers.remove(&keys[2]).is_none());
        while let Some(job) = timers.take_due(at(3)) {
            job.run();
        }
        assert_eq!(*order.lock().unwrap(), ['a', 'b', 'c']);
        assert_eq!(timers.next(), None);
    }
}
