//! A thread that waits for what the I/O thread brings runs the loop itself meanwhile.
//!
//! Otherwise each answer wakes two threads, one after the other, and on a machine with few processors
//! they take them from each other and from the agent. With 32 gets in flight from one thread a get costs
//! 10 µs of processor time this way, on two processors, before what [`Wheel::linger`] spends; it was 17.
//!
//! The I/O thread hands over when it has woken the only thread that waits, since that one will in
//! general begin the next operation and wait again. It naps then, and takes the wheel back when nobody
//! has wanted it for so long: until then what comes to a socket may wait, but nothing that is asked of
//! it does.

use super::work::{AtWork, Wheel, is_io_thread};
use super::{Io, Shared, bell, threads};
use crate::sync::MutexGuard;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the I/O thread leaves the wheel to whoever comes: what the answers of others may be late
/// by, and what a reader may do with an event before the two threads take turns again.
const NAP: Duration = Duration::from_millis(1);

/// The kernel counts in milliseconds: a shorter wait than this would be too long.
const LEAST: Duration = Duration::from_millis(1);

/// A thread that waits for what the I/O thread brings.
pub(crate) struct Guest(Arc<Shared>);

/// Ends the sleep of whoever is at the wheel.
#[derive(Clone)]
pub(crate) struct Nudge(Arc<Shared>);

impl Guest {
    /// None while there is no I/O thread.
    pub(crate) fn enter() -> Option<Guest> {
        let owner = threads().current.lock().upgrade()?;
        Some(Guest::of(&Io(owner)))
    }

    pub(super) fn of(io: &Io) -> Guest {
        let shared = io.0.0.clone();
        shared.queue.lock().guests += 1;
        Guest(shared)
    }

    pub(crate) fn nudge(&self) -> Nudge {
        Nudge(self.0.clone())
    }

    /// Runs the loop until `has_news`, or this time is almost over. False when that is not possible:
    /// somebody else runs it, or waits too.
    pub(crate) fn drive(&self, until: Option<Instant>, has_news: impl Fn() -> bool) -> bool {
        let shared = &*self.0;
        let rest = || match until {
            Some(until) => until.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        };
        if rest() < LEAST {
            return false;
        }
        let Some(mut wheel) = shared.wheel.try_lock() else { return false };
        if !shared.take_wheel() {
            return false;
        }
        let (at_work, mut works) = (AtWork::begin(), true);
        while works && wheel.work(shared) {
            bell::ring_asked();
            let rest = rest();
            if has_news() || rest < LEAST {
                break;
            }
            // In whole milliseconds, so that it is not too long.
            let rest = Duration::from_millis(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
            works = match wheel.linger(shared) {
                Ok(false) => wheel.sleep(shared, rest).is_ok(),
                lingered => lingered.is_ok(),
            };
        }
        drop(at_work);
        shared.leave_wheel();
        works
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.queue.lock().guests -= 1;
    }
}

impl Nudge {
    /// Who runs the loop looks for news by itself.
    pub(crate) fn nudge(&self) {
        if !is_io_thread() {
            self.0.ring();
        }
    }
}

impl Shared {
    /// False where more than one waits: the I/O thread serves them all better. And where it is about
    /// to end.
    fn take_wheel(&self) -> bool {
        let mut queue = self.queue.lock();
        let may = queue.guests == 1 && !queue.stopping && !queue.ended;
        queue.is_free &= !may;
        queue.drives += u64::from(may);
        may
    }

    fn leave_wheel(&self) {
        let mut queue = self.queue.lock();
        queue.is_free = true;
        if !queue.jobs.is_empty() || queue.stopping || queue.guests > 1 {
            self.call_back(&mut queue);
        }
    }
}

/// Leaves the wheel to guests until none has taken it for a while, or somebody needs this thread.
pub(super) fn nap<'a>(shared: &'a Shared, wheel: MutexGuard<'a, Wheel>) -> MutexGuard<'a, Wheel> {
    let mut queue = shared.queue.lock();
    queue.is_free = true;
    queue.wanted_back = !queue.jobs.is_empty() || queue.stopping;
    // Not before: who takes it says that it is not free.
    drop(wheel);
    loop {
        let drives = queue.drives;
        let until = Instant::now() + NAP;
        while !queue.wanted_back && !shared.back.wait_until(&mut queue, until).timed_out() {}
        if queue.wanted_back || queue.drives == drives {
            break;
        }
    }
    drop(queue);
    // A guest that is in the middle of a long wait wakes nobody but by leaving the wheel.
    let wheel = shared.wheel.lock();
    shared.queue.lock().is_free = false;
    wheel
}
