//! A semaphore, as the official client has it: a number of slots that both share
//! (<https://developer.hashicorp.com/consul/tutorials/developer-configuration/distributed-semaphore>).
//!
//! The key `<prefix>/.lock` lists the holders by their sessions, and each of them has an entry
//! `<prefix>/<session>` that its session locks: whose entry has no session any more is dead, and
//! its slot is free.

mod attempt;
mod record;
mod resource;
mod seen;
mod spec;
#[cfg(test)]
mod tests;

pub use super::holding::LostReason;
pub use seen::SEMAPHORE_FLAG;
pub use spec::SemaphoreSpec;

use super::holding::{Handle, Patience, Shared};
use crate::client::{Blocking, Client, Deferred, Style};
use crate::error::Result;
use crate::observe::Stats;
use crate::recipes::loss::LossListener;
use std::sync::Arc;
use std::time::Duration;

/// A semaphore of which one slot can be held.
///
/// While it is held its session is renewed and its keys are watched by the library. It counts as
/// held only as long as that is known to succeed: [`Semaphore::is_held`] asks the clock each time.
/// A slot that was lost can be acquired again. Dropping a held semaphore releases it in the
/// background. Any method from any thread.
///
/// For two slots of one semaphore, make two values. Its calls end in the style of the client that
/// it was made through.
///
/// In a forked child the slot stays its parent's, which goes on holding it: calls give
/// `Status::Forked`, what asks the clock says that none is held, and dropping it sends nothing. A
/// child that needs a slot makes a value of its own.
pub struct Semaphore<S: Style = Blocking>(Handle<SemaphoreSpec, S>);

impl<S: Style> Client<S> {
    /// A semaphore. Checks what it is made of; sends nothing.
    pub fn semaphore(&self, spec: SemaphoreSpec) -> Result<Semaphore<S>> {
        let spec = spec.checked(&self.settings())?;
        // Each holder writes it to a key of its own below the prefix.
        self.check_sealing(&format!("{}/", spec.prefix), &spec.value)?;
        Ok(Semaphore(Handle::new(self, spec)))
    }
}

impl<S: Style> Semaphore<S> {
    /// The same semaphore, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> Semaphore<Deferred> {
        self.styled(Deferred)
    }

    /// The same semaphore, whose calls wait for their end.
    pub fn blocking(&self) -> Semaphore {
        self.styled(Blocking)
    }

    /// The same semaphore, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> Semaphore<T> {
        Semaphore(self.0.styled(style))
    }

    /// Acquires a slot, waiting this long for it at most; [`Duration::MAX`] waits for ever. False
    /// when others held all of them until the time was over.
    ///
    /// While it waits it rides out failures that pass; when Consul cannot be asked until the time
    /// is over, that failure is the error. `Status::LimitConflict` when the semaphore exists with
    /// another limit, `LockConflict` when its key is used for something else, `AlreadyHeld` when a
    /// slot is held, `Busy` while another call acquires or releases it, `SessionInvalid` when a
    /// borrowed session does not exist, `Cancelled` after [`Semaphore::stop`].
    ///
    /// An acquire that ends without a slot leaves nothing behind: its own session is destroyed,
    /// and what a request without an answer may have got is given back, in the background. Only a
    /// session whose making was never answered is left to its TTL, since nobody knows its id.
    pub fn acquire(&self, timeout: Duration) -> Result<S::Output<bool>> {
        self.0.acquire(Patience::Within(timeout))
    }

    /// Acquires a slot if one is free; as [`Semaphore::acquire`], without waiting.
    pub fn try_acquire(&self) -> Result<S::Output<bool>> {
        self.0.acquire(Patience::Once)
    }

    /// Releases the slot, then destroys its own session. `Status::NotHeld` when none was held,
    /// `LockLost` when it was lost before. After any other error the slot is not held either, its
    /// state at Consul is unknown, and the library goes on releasing it in the background until it
    /// is not its own or the TTL is over.
    pub fn release(&self) -> Result<S::Output<()>> {
        self.0.release()
    }

    /// Ends a waiting [`Semaphore::acquire`] and [`Semaphore::wait_lost`] of other threads with
    /// `Status::Cancelled`. Returns at once. A held slot stays held.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Deletes the semaphore if nobody holds a slot, whatever its limit. True when it is gone,
    /// false when it is in use. `Status::AlreadyHeld` when this one holds a slot, `LockConflict`
    /// when the key is used for something else.
    pub fn destroy(&self) -> Result<S::Output<bool>> {
        self.0.destroy()
    }

    /// True while a slot is held, judged by the clock at this moment.
    pub fn is_held(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long the slot is known to be held if nothing is heard of Consul from now on; zero when
    /// it is not held.
    pub fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    /// The session that holds the slot, while it is held.
    pub fn session_id(&self) -> Option<String> {
        self.0.session_id()
    }

    /// The sessions that held all slots when an acquire looked last; none where one was free.
    pub fn holders(&self) -> Vec<String> {
        self.shared().map_or_else(|_| Vec::new(), |semaphore| semaphore.state().holders.clone())
    }

    /// Why the slot was lost; `None` when it was not, and from the next acquire on.
    pub fn lost_reason(&self) -> Option<LostReason> {
        self.0.lost_reason()
    }

    /// Waits until the slot is lost and gives the reason; `None` when it is still held after this
    /// time. `Status::NotHeld` when it was never held or is released, `Cancelled` after
    /// [`Semaphore::stop`].
    pub fn wait_lost(&self, timeout: Duration) -> Result<S::Output<Option<LostReason>>> {
        self.0.wait_lost(timeout)
    }

    /// Has this listener told of each loss from now on, and no other; at once where the slot is
    /// lost already. None ends that. A release is no loss. It is told [`Loss::Ended`] when the
    /// semaphore is dropped or its client closed. `Status::Closed` when that has happened.
    ///
    /// [`Loss::Ended`]: crate::recipes::loss::Loss::Ended
    pub fn set_listener(&self, listener: Option<LossListener>) -> Result<()> {
        self.shared()?.listen(listener)
    }

    /// How it is getting on: `free`, `acquiring`, `held`, `releasing` or `lost`, and `forked` in a forked
    /// child. What is tried is to see that the slot is still held. Never blocks.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.0.abandon();
    }

    fn shared(&self) -> Result<&Arc<Shared<SemaphoreSpec>>> {
        self.0.shared()
    }
}
