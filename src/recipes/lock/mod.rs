//! A lock on a key, as the official client has it: both exclude each other
//! (<https://developer.hashicorp.com/consul/docs/dynamic-app-config/sessions>).

mod acquire;
mod attempt;
mod claim;
mod disown;
mod monitor;
mod own_session;
mod release;
mod seen;
mod shared;
mod spec;
#[cfg(test)]
mod tests;

pub use seen::LOCK_FLAG;
pub use spec::{LockSpec, LostReason};

use crate::client::Client;
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::Stats;
use crate::recipes::fence::{Fence, Fenced};
use acquire::Campaign;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;

/// A lock on a key.
///
/// While it is held its session is renewed and its key is watched by the library. It counts as
/// held only as long as that is known to succeed: [`Lock::is_held`] asks the clock each time. A
/// lost lock can be acquired again. Dropping a held lock releases it in the background. Any method
/// from any thread.
pub struct Lock {
    shared: Arc<Shared>,
}

impl Client {
    /// A lock. Checks what it is made of; sends nothing.
    pub fn lock(&self, spec: LockSpec) -> Result<Lock> {
        Ok(Lock { shared: Shared::new(self, spec)? })
    }
}

impl Lock {
    /// Acquires the lock, waiting this long for it at most; [`Duration::MAX`] waits for ever. False
    /// when somebody else held it, or its lock-delay lasted, until the time was over.
    ///
    /// While it waits it rides out failures that pass; when Consul cannot be asked until the time
    /// is over, that failure is the error. `Status::AlreadyHeld` when this lock is held, `Busy`
    /// while another call acquires or releases it, `LockConflict` when the key is used for
    /// something else, `SessionInvalid` when a borrowed session does not exist, `Cancelled` after
    /// [`Lock::stop`].
    ///
    /// An acquire that ends without the lock leaves nothing behind: its own session is destroyed,
    /// and what a request without an answer may have got is given back, in the background. Only a
    /// session whose making was never answered is left to its TTL, since nobody knows its id.
    pub fn acquire(&self, timeout: Duration) -> Result<bool> {
        self.campaign(Some(timeout))
    }

    /// Acquires the lock if nobody else holds it; as [`Lock::acquire`], without waiting.
    pub fn try_acquire(&self) -> Result<bool> {
        self.campaign(None)
    }

    fn campaign(&self, timeout: Option<Duration>) -> Result<bool> {
        let acquiring = self.shared.begin_acquire()?;
        let campaign = Campaign::new(&self.shared, &acquiring.cancel, timeout);
        match campaign.run()? {
            Some(won) => acquiring.hold(won).map(|()| true),
            None => Ok(false),
        }
    }

    /// Releases the lock, then destroys its own session. `Status::NotHeld` when it was not held,
    /// `LockLost` when it was lost before. After any other error the lock is not held either, its
    /// state at Consul is unknown, and the library goes on releasing it in the background until the
    /// key is not its own or the TTL is over.
    pub fn release(&self) -> Result<()> {
        release::release(&self.shared)
    }

    /// Ends a waiting [`Lock::acquire`] and [`Lock::wait_lost`] of other threads with
    /// `Status::Cancelled`. Returns at once. A held lock stays held.
    pub fn stop(&self) {
        self.shared.stop(Status::Cancelled, "the lock was stopped");
    }

    /// Deletes the key if nobody holds it. True when it is gone, false when it is in use.
    /// `Status::AlreadyHeld` when this lock is held, `LockConflict` when the key is used for
    /// something else.
    pub fn destroy(&self) -> Result<bool> {
        release::destroy(&self.shared)
    }

    /// True while it is held, judged by the clock at this moment.
    pub fn is_held(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long it is known to be held if nothing is heard of Consul from now on; zero when it is
    /// not held.
    pub fn remaining(&self) -> Duration {
        self.shared.remaining()
    }

    /// The fencing token of the last acquisition: the index of the write that acquired the key. It
    /// grows with each acquisition of the key by anybody, so a store that refuses lower tokens than
    /// it has seen is safe from late writers.
    pub fn fencing_token(&self) -> Option<u64> {
        self.shared.state().token
    }

    /// The session that holds it, while it is held.
    pub fn session_id(&self) -> Option<String> {
        self.shared.claim().map(|claim| claim.id().to_string())
    }

    /// The session that held the key when an acquire looked last: `None` where nobody does, which
    /// while an acquire waits means the lock-delay.
    pub fn holder(&self) -> Option<String> {
        self.shared.holder()
    }

    /// Why it was lost; `None` when it was not, and from the next acquire on.
    pub fn lost_reason(&self) -> Option<LostReason> {
        self.shared.lost_reason()
    }

    /// Waits until the lock is lost and gives the reason; `None` when it is still held after this
    /// time. `Status::NotHeld` when it was never held or is released, `Cancelled` after
    /// [`Lock::stop`].
    pub fn wait_lost(&self, timeout: Duration) -> Result<Option<LostReason>> {
        self.shared.wait_lost(timeout)
    }

    /// How it is getting on: `free`, `acquiring`, `held`, `releasing` or `lost`. What is tried is
    /// to see that it is still held. Never blocks.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// What writes only while this lock is held. `Status::NotHeld` or `LockLost` when it is not.
    pub fn fence(&self) -> Result<Fence> {
        let claim = self.shared.claim().filter(|_| self.is_held());
        let claim = claim.ok_or_else(|| self.shared.not_held())?;
        let fence = self.shared.client.fence(self.shared.key(), claim.id());
        Ok(fence.scoped(&self.shared.spec.options))
    }

    /// Writes another key only while this lock is held, whatever its holder believes: both happen
    /// in one transaction. `Status::NotHeld` or `LockLost` when it is not held any more; nothing
    /// was written then.
    pub fn put_fenced(&self, key: &str, value: &[u8], flags: u64, options: &Options) -> Result<()> {
        match self.fence()?.put(key, value, flags, options)? {
            Fenced::Done => Ok(()),
            Fenced::NotHeld | Fenced::Conflict => Err(self.found_lost()),
        }
    }

    /// The error for a lock that Consul said is not held.
    fn found_lost(&self) -> Error {
        if let Some(claim) = self.shared.claim() {
            // If it cannot be read the lane finds the reason.
            let _ = monitor::examine(&self.shared, &claim);
        }
        self.shared.lost_reason().map_or_else(
            || Error::new(Status::LockLost, "Consul says that the session does not hold the key"),
            Error::from,
        )
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.shared.abandon();
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}
