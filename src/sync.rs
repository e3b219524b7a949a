//! Locks that a forked child can use.
//!
//! They are the standard library's, which on Linux are a number each. Those of `parking_lot` keep
//! who waits in tables of the process: a child inherits these as another thread left them in the
//! middle of a change, and hangs or crashes at a lock of its own. Here a panic does not poison a
//! lock, for no invariant spans a call that can panic.

use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// A mutual exclusion.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

/// What is locked, until this is dropped.
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// None only while it waits or is unlocked.
    inner: Option<std::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard { mutex: self, inner: Some(inner) }
    }

    /// Locks it unless that would wait.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = match self.0.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(MutexGuard { mutex: self, inner: Some(inner) })
    }
}

impl<'a, T> MutexGuard<'a, T> {
    /// Runs `body` with the mutex unlocked.
    pub(crate) fn unlocked<U>(guard: &mut MutexGuard<'a, T>, body: impl FnOnce() -> U) -> U {
        struct Relock<'g, 'a, T>(&'g mut MutexGuard<'a, T>);
        impl<T> Drop for Relock<'_, '_, T> {
            fn drop(&mut self) {
                self.0.inner = self.0.mutex.lock().inner.take();
            }
        }
        guard.inner = None;
        let _relock = Relock(guard);
        body()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.inner {
            Some(inner) => inner,
            None => unreachable!("a guard is looked at while it waits"),
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.inner {
            Some(inner) => inner,
            None => unreachable!("a guard is looked at while it waits"),
        }
    }
}

/// Where threads wait for a change of what a mutex guards.
#[derive(Debug, Default)]
pub(crate) struct Condvar(std::sync::Condvar);

/// Whether a wait ended because its time was over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitResult(bool);

impl WaitResult {
    pub(crate) fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) const fn new() -> Condvar {
        Condvar(std::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits until it is notified, or for no reason.
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let Some(inner) = guard.inner.take() else { return };
        guard.inner = Some(self.0.wait(inner).unwrap_or_else(PoisonError::into_inner));
    }

    /// As [`Condvar::wait`], not longer than this.
    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, time: Duration) -> WaitResult {
        let Some(inner) = guard.inner.take() else { return WaitResult(false) };
        let waited = self.0.wait_timeout(inner, time);
        let (inner, result) = waited.unwrap_or_else(PoisonError::into_inner);
        guard.inner = Some(inner);
        WaitResult(result.timed_out())
    }

    /// As [`Condvar::wait`], not longer than until then.
    pub(crate) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        until: Instant,
    ) -> WaitResult {
        self.wait_for(guard, until.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    #[test]
    fn a_panic_poisons_nothing() {
        let mutex = Mutex::new(1);
        let broken = catch_unwind(AssertUnwindSafe(|| {
            let _guard = mutex.lock();
            panic!("out of luck");
        }));
        assert!(broken.is_err());
        *mutex.lock() += 1;
        assert_eq!(mutex.try_lock().map(|guard| *guard), Some(2));
    }

    #[test]
    fn unlocked_lets_others_in_and_locks_again_also_after_a_panic() {
        let mutex = Mutex::new(0);
        let mut guard = mutex.lock();
        assert!(mutex.try_lock().is_none());
        MutexGuard::unlocked(&mut guard, || *mutex.lock() = 7);
        assert_eq!(*guard, 7);
        let broken = catch_unwind(AssertUnwindSafe(|| {
            MutexGuard::unlocked(&mut guard, || panic!("out of luck"));
        }));
        assert!(broken.is_err() && *guard == 7 && mutex.try_lock().is_none());
    }

    #[test]
    fn who_waits_is_woken_or_wakes_in_time() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let waiter = std::thread::spawn({
            let shared = shared.clone();
            move || {
                let mut ready = shared.0.lock();
                while !*ready {
                    shared.1.wait(&mut ready);
                }
            }
        });
        *shared.0.lock() = true;
        shared.1.notify_all();
        waiter.join().unwrap();
        let mut ready = shared.0.lock();
        assert!(shared.1.wait_until(&mut ready, Instant::now()).timed_out());
        assert!(shared.1.wait_for(&mut ready, Duration::from_millis(1)).timed_out());
    }

    /// A child has locks of its own, whatever its parent's threads were doing.
    #[test]
    fn a_child_of_busy_threads_locks_and_waits() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let busy: Vec<_> = (0..4)
            .map(|_| {
                let shared = shared.clone();
                std::thread::spawn(move || {
                    while !*shared.0.lock() {
                        let mut over = shared.0.lock();
                        shared.1.notify_all();
                        shared.1.wait_for(&mut over, Duration::from_micros(10));
                    }
                })
            })
            .collect();
        for _ in 0..50 {
            let status = crate::sys::testing::in_child(|| {
                for _ in 0..100 {
                    let own = (Mutex::new(0), Condvar::new());
                    own.1.notify_all();
                    own.1.wait_for(&mut own.0.lock(), Duration::from_micros(1));
                }
                0
            });
            assert_eq!(status, 0);
        }
        *shared.0.lock() = true;
        busy.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
