//! Locks and conditions that a process can fork amid.
//!
//! They are parking_lot's lock types over a lock of our own, which sleeps in the kernel on a word of
//! its own. parking_lot's own locks keep a list of the sleepers of the whole process: in a forked
//! child it leads to threads that are not there, and the child's first contended lock may crash or
//! hang. The standard library's are sound here, but hidden from ThreadSanitizer.

use crate::sys::RawLock;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};
use rustix::time::Timespec;
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::time::{Duration, Instant};

/// A lock that is never poisoned: a panic does not leave this library, and leaves no lock behind.
pub type Mutex<T> = parking_lot::lock_api::Mutex<RawLock, T>;

/// The right to use what a [`Mutex`] protects.
pub type MutexGuard<'a, T> = parking_lot::lock_api::MutexGuard<'a, RawLock, T>;

/// The same, and it keeps what it protects alive.
pub type ArcMutexGuard<T> = parking_lot::lock_api::ArcMutexGuard<RawLock, T>;

/// Where threads wait until another one says that something has changed. A wait may also end for
/// no reason.
#[derive(Debug, Default)]
pub struct Condvar {
    /// Changes with every notification, so that none is lost between unlocking and sleeping.
    notified: AtomicU32,
    /// Spares a system call where nobody waits.
    waiting: AtomicU32,
}

/// How a wait ended, where that was not by a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(Option<Errno>);

impl WaitTimeoutResult {
    /// True when the time was over.
    pub fn timed_out(self) -> bool {
        self.0 == Some(Errno::TIMEDOUT)
    }

    /// True when a signal was handled meanwhile.
    pub fn interrupted(self) -> bool {
        self.0 == Some(Errno::INTR)
    }
}

impl Condvar {
    /// Nobody waits yet.
    pub const fn new() -> Condvar {
        Condvar { notified: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// Wakes one of those who wait.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.notify(i32::MAX as u32);
    }

    /// Unlocks, waits to be notified, and locks again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        // Whatever ends it, the caller looks.
        let _ = self.sleep(guard, None);
    }

    /// As [`Condvar::wait`], for this long at most.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, time: Duration) -> WaitTimeoutResult {
        WaitTimeoutResult(self.sleep(guard, Some(time)).err())
    }

    /// As [`Condvar::wait`], until this moment at most.
    pub fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        until: Instant,
    ) -> WaitTimeoutResult {
        self.wait_for(guard, until.saturating_duration_since(Instant::now()))
    }

    fn notify(&self, most: u32) {
        self.notified.fetch_add(1, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            // It cannot fail for a word of ours.
            let _ = futex::wake(&self.notified, Flags::PRIVATE, most);
        }
    }

    fn sleep<T>(&self, guard: &mut MutexGuard<'_, T>, time: Option<Duration>) -> Result<(), Errno> {
        // Counted before the lock is given up: who notifies after it finds a change or a sleeper.
        self.waiting.fetch_add(1, SeqCst);
        let seen = self.notified.load(SeqCst);
        let slept = MutexGuard::unlocked(guard, || {
            // What is too long for the kernel is for ever.
            let time = time.and_then(|time| Timespec::try_from(time).ok());
            futex::wait(&self.notified, Flags::PRIVATE, seen, time.as_ref())
        });
        self.waiting.fetch_sub(1, SeqCst);
        slept
    }
}

#[cfg(test)]
mod tests {
    use super::{Condvar, Mutex};
    use std::time::{Duration, Instant};

    #[test]
    fn a_lock_lets_in_one_at_a_time() {
        let count = &Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        // Not one step: another thread would come in between.
                        let mut guard = count.lock();
                        let seen = *guard;
                        std::hint::spin_loop();
                        *guard = seen + 1;
                    }
                });
            }
        });
        assert_eq!(*count.lock(), 80_000);
    }

    #[test]
    fn a_taken_lock_is_not_taken_again() {
        let lock = Mutex::new(());
        let guard = lock.lock();
        assert!(lock.try_lock().is_none());
        assert!(lock.try_lock_for(Duration::from_millis(5)).is_none());
        drop(guard);
        assert!(lock.try_lock().is_some());
    }

    #[test]
    fn no_notification_is_lost() {
        let (turn, changed) = (&Mutex::new(0), &Condvar::new());
        std::thread::scope(|scope| {
            for own in 0..2 {
                scope.spawn(move || {
                    for _ in 0..5_000 {
                        let mut turn = turn.lock();
                        while *turn % 2 != own {
                            changed.wait(&mut turn);
                        }
                        *turn += 1;
                        drop(turn);
                        changed.notify_one();
                    }
                });
            }
        });
        assert_eq!(*turn.lock(), 10_000);
    }

    #[test]
    fn all_are_woken_and_a_time_ends_a_wait() {
        let (open, changed) = (&Mutex::new(false), &Condvar::new());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || {
                    let mut open = open.lock();
                    while !*open {
                        changed.wait(&mut open);
                    }
                });
            }
            let time = Duration::from_millis(10);
            let (mut guard, start) = (open.lock(), Instant::now());
            while !changed.wait_for(&mut guard, time).timed_out() {}
            assert!(start.elapsed() >= time);
            assert!(changed.wait_until(&mut guard, start).timed_out());
            *guard = true;
            drop(guard);
            changed.notify_all();
        });
    }
}
