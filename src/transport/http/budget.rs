//! How many exchanges may be in flight to one address, over all clients of the process, and what is
//! on there now.

use super::call::{Call, Phase};
use super::wait::Wait;
use crate::error::Result;
use crate::sync::Mutex;
use crate::transport::{Lane, Usage};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Places for renewals, heartbeats, releases and lock monitors. Consul allows 200 connections from
/// one source address, so a handful beside `max_connections` is affordable; it is enough for a few
/// long-held monitors and the short requests beside them.
const UPKEEP: usize = 8;

/// The places of one address. Who comes first gets a place first.
#[derive(Debug, Default)]
pub(super) struct Budget {
    calls: Mutex<Places>,
    upkeep: Mutex<Places>,
    /// Those that stand, idle ones included.
    connections: AtomicU32,
}

#[derive(Debug, Default)]
struct Places {
    taken: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    call: Arc<Call>,
    /// Clients of one address may have different limits.
    limit: usize,
}

/// A place among the connections, given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Mutex<Places>);

/// A connection that stands, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Open(Arc<Budget>);

impl Budget {
    /// Counts a connection that stands now.
    pub(super) fn opened(self: &Arc<Budget>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// What is on at the address. Who waits for a place is not with it yet.
    pub(super) fn usage(&self) -> Usage {
        // One after the other, so that nobody holds both.
        let calls = self.calls.lock().taken;
        let upkeep = self.upkeep.lock().taken;
        Usage {
            in_flight: u32::try_from(calls + upkeep).unwrap_or(u32::MAX),
            connections: self.connections.load(Relaxed),
        }
    }

    /// Takes a place, waiting for one as long as the connection may take: until then nothing was sent.
    pub(super) async fn take<W: Wait>(
        &self,
        wait: &W,
        lane: Lane,
        limit: usize,
        call: &Arc<Call>,
    ) -> Result<Place<'_>> {
        match self.ask(lane, limit, call) {
            Asked::Given(place) => Ok(place),
            Asked::Later(queued) => queued.conclude(wait.wait(call, call.connect_by).await),
        }
    }

    /// How many calls wait for a place.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.calls.lock().waiting.len()
    }

    fn ask<'a, 'c>(&'a self, lane: Lane, limit: usize, call: &'c Arc<Call>) -> Asked<'a, 'c> {
        let (lane, limit) = match lane {
            Lane::Calls => (&self.calls, limit),
            Lane::Upkeep => (&self.upkeep, UPKEEP),
        };
        let mut places = lane.lock();
        if places.taken < limit {
            places.taken += 1;
            return Asked::Given(Place(lane));
        }
        places.waiting.push_back(Waiting { call: call.clone(), limit });
        call.enter(Phase::Place);
        Asked::Later(Queued { lane, call })
    }
}

enum Asked<'a, 'c> {
    Given(Place<'a>),
    Later(Queued<'a, 'c>),
}

/// A call in the queue; it leaves it when this is dropped.
struct Queued<'a, 'c> {
    lane: &'a Mutex<Places>,
    call: &'c Arc<Call>,
}

impl<'a> Queued<'a, '_> {
    /// The end of the wait: with a place where it was signalled.
    fn conclude(self, waited: Result<bool>) -> Result<Place<'a>> {
        match waited {
            Ok(true) => {
                let lane = self.lane;
                std::mem::forget(self);
                Ok(Place(lane))
            }
            Ok(false) => Err(self.call.timeout().with_local(true)),
            Err(reason) => Err(reason),
        }
    }
}

impl Drop for Queued<'_, '_> {
    fn drop(&mut self) {
        if !self.lane.lock().forget(self.call) {
            // It was handed over at the moment the wait ended: pass it on.
            drop(Place(self.lane));
        }
    }
}

impl Places {
    /// Takes a call out of the queue; false when it has been given a place.
    fn forget(&mut self, call: &Arc<Call>) -> bool {
        let found = self.waiting.iter().position(|waiting| Arc::ptr_eq(&waiting.call, call));
        found.and_then(|i| self.waiting.remove(i)).is_some()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut places = self.0.lock();
        places.taken -= 1;
        let taken = places.taken;
        let next = places.waiting.iter().position(|waiting| taken < waiting.limit);
        if let Some(next) = next.and_then(|i| places.waiting.remove(i)) {
            places.taken += 1;
            drop(places);
            next.call.signal();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Place, UPKEEP};
    use crate::error::{Error, Result, Status};
    use crate::runtime::at_once;
    use crate::transport::Lane;
    use crate::transport::cancel::Interrupt;
    use crate::transport::http::blocking::Blocking;
    use crate::transport::http::call::Call;
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};

    fn call(rest: Duration) -> Arc<Call> {
        let end = Instant::now() + rest;
        Call::new(end, end, false)
    }

    fn take<'a>(
        budget: &'a Budget,
        lane: Lane,
        limit: usize,
        call: &Arc<Call>,
    ) -> Result<Place<'a>> {
        at_once(budget.take(&Blocking, lane, limit, call))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// A thread that waits for a place and reports when it has it.
    fn waiter(budget: &Arc<Budget>, report: mpsc::Sender<usize>) -> std::thread::JoinHandle<()> {
        let number = budget.waiting();
        let thread = std::thread::spawn({
            let budget = budget.clone();
            move || {
                let _place = take(&budget, Lane::Calls, 1, &call(MINUTE)).unwrap();
                report.send(number).unwrap();
            }
        });
        while budget.waiting() == number {
            std::thread::yield_now();
        }
        thread
    }

    #[test]
    fn who_comes_first_gets_a_place_first() {
        let budget = Arc::new(Budget::default());
        let first = take(&budget, Lane::Calls, 1, &call(MINUTE)).unwrap();
        let (send, order) = mpsc::channel();
        let threads: Vec<_> = (0..3).map(|_| waiter(&budget, send.clone())).collect();
        assert!(order.try_recv().is_err());
        drop(first);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(budget.calls.lock().taken, 0);
    }

    #[test]
    fn upkeep_never_waits_behind_calls() {
        let budget = Budget::default();
        let _calls = take(&budget, Lane::Calls, 1, &call(MINUTE)).unwrap();
        let upkeep: Vec<_> =
            (0..UPKEEP).map(|_| take(&budget, Lane::Upkeep, 1, &call(MINUTE)).unwrap()).collect();
        assert_eq!(upkeep.len(), UPKEEP);
        let late = take(&budget, Lane::Upkeep, 1, &call(Duration::ZERO)).unwrap_err();
        assert_eq!(late.status(), Status::Timeout);
    }

    #[test]
    fn who_gives_up_leaves_the_queue() {
        let budget = Budget::default();
        let first = take(&budget, Lane::Calls, 1, &call(MINUTE)).unwrap();
        let late = take(&budget, Lane::Calls, 1, &call(Duration::from_millis(5))).unwrap_err();
        assert!(late.message().contains("max_connections"), "{late}");
        let cancelled = call(MINUTE);
        cancelled.interrupt(&Error::new(Status::Cancelled, "enough"));
        let cancelled = take(&budget, Lane::Calls, 1, &cancelled).unwrap_err();
        assert_eq!(cancelled.status(), Status::Cancelled);
        assert_eq!(budget.waiting(), 0);
        drop(first);
        assert!(take(&budget, Lane::Calls, 1, &call(MINUTE)).is_ok());
    }

    #[test]
    fn clients_of_one_address_may_have_different_limits() {
        let budget = Budget::default();
        let _one = take(&budget, Lane::Calls, 2, &call(MINUTE)).unwrap();
        assert!(take(&budget, Lane::Calls, 1, &call(Duration::ZERO)).is_err());
        assert!(take(&budget, Lane::Calls, 2, &call(MINUTE)).is_ok());
    }
}
