//! A lock on a key, as the official client has it: both exclude each other
//! (<https://developer.hashicorp.com/consul/docs/dynamic-app-config/sessions>).

mod attempt;
mod resource;
mod seen;
mod spec;
#[cfg(test)]
mod tests;
mod value;

pub use super::holding::LostReason;
pub use seen::LOCK_FLAG;
pub use spec::LockSpec;

use super::holding::{Claim, Handle, Patience, Shared, acquire};
use crate::api::kv::check_key;
use crate::client::{Blocking, Client, Deferred, Either, Style};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::Stats;
use crate::recipes::fence::{Fence, Fenced};
use crate::recipes::loss::LossListener;
use crate::transport::CancelToken;
use spec::check_value;
use std::sync::Arc;
use std::time::Duration;

/// A lock on a key.
///
/// While it is held its session is renewed and its key is watched by the library. It counts as
/// held only as long as that is known to succeed: [`Lock::is_held`] asks the clock each time. A
/// lost lock can be acquired again. Dropping a held lock releases it in the background. Any method
/// from any thread.
///
/// Its calls end in the style of the client that it was made through.
///
/// In a forked child it stays its parent's, which goes on holding it: calls give `Status::Forked`, what
/// asks the clock says that it is not held, and dropping it sends nothing. A child that needs the lock
/// makes one of its own.
pub struct Lock<S: Style = Blocking>(Handle<LockSpec, S>);

impl<S: Style> Client<S> {
    /// A lock. Checks what it is made of; sends nothing.
    pub fn lock(&self, spec: LockSpec) -> Result<Lock<S>> {
        let spec = spec.checked(&self.settings())?;
        self.check_sealing(&spec.key, &spec.value.get())?;
        Ok(Lock(Handle::new(self, spec)))
    }
}

impl<S: Style> Lock<S> {
    /// The same lock, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> Lock<Deferred> {
        self.styled(Deferred)
    }

    /// The same lock, whose calls wait for their end.
    pub fn blocking(&self) -> Lock {
        self.styled(Blocking)
    }

    /// The same lock, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> Lock<T> {
        Lock(self.0.styled(style))
    }

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
    pub fn acquire(&self, timeout: Duration) -> Result<S::Output<bool>> {
        self.campaign(Patience::Within(timeout))
    }

    /// Acquires the lock if nobody else holds it; as [`Lock::acquire`], without waiting.
    pub fn try_acquire(&self) -> Result<S::Output<bool>> {
        self.campaign(Patience::Once)
    }

    /// Acquires the lock if nobody else holds it, once its lock-delay is over. Rides out no failure.
    /// Once this is cancelled it ends, after the answer where the key may just be taken.
    pub(crate) fn acquire_while_free(&self, cancel: &CancelToken) -> Result<S::Output<bool>> {
        self.campaign(Patience::WhileFree(cancel.clone()))
    }

    fn campaign(&self, patience: Patience) -> Result<S::Output<bool>> {
        self.0.run(move |lock, client| async move {
            let is_held = acquire(&lock, &client, patience).await?;
            if is_held && lock.spec.value.is_new() {
                // It was changed meanwhile. The lock is held whether that can be written or not; its
                // release writes it in any case.
                let _ = write_value(&lock, &client).await;
            }
            Ok(is_held)
        })
    }

    /// Releases the lock, then destroys its own session. `Status::NotHeld` when it was not held,
    /// `LockLost` when it was lost before. After any other error the lock is not held either, its
    /// state at Consul is unknown, and the library goes on releasing it in the background until the
    /// key is not its own or the TTL is over.
    pub fn release(&self) -> Result<S::Output<()>> {
        self.0.release()
    }

    fn shared(&self) -> Result<&Arc<Shared<LockSpec>>> {
        self.0.shared()
    }

    /// Ends a waiting [`Lock::acquire`] and [`Lock::wait_lost`] of other threads with
    /// `Status::Cancelled`. Returns at once. A held lock stays held.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Deletes the key if nobody holds it. True when it is gone, false when it is in use.
    /// `Status::AlreadyHeld` when this lock is held, `LockConflict` when the key is used for
    /// something else.
    pub fn destroy(&self) -> Result<S::Output<bool>> {
        self.0.destroy()
    }

    /// True while it is held, judged by the clock at this moment.
    pub fn is_held(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long it is known to be held if nothing is heard of Consul from now on; zero when it is
    /// not held.
    pub fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    /// The fencing token of the last acquisition: the index of the write that acquired the key. It
    /// grows with each acquisition of the key by anybody, so a store that refuses lower tokens than
    /// it has seen is safe from late writers.
    pub fn fencing_token(&self) -> Option<u64> {
        self.shared().ok()?.state().token
    }

    /// The session that holds it, while it is held.
    pub fn session_id(&self) -> Option<String> {
        self.0.session_id()
    }

    /// The session that held the key when an acquire looked last: `None` where nobody does, which
    /// while an acquire waits means the lock-delay.
    pub fn holder(&self) -> Option<String> {
        self.shared().ok()?.state().holders.first().cloned()
    }

    /// Why it was lost; `None` when it was not, and from the next acquire on.
    pub fn lost_reason(&self) -> Option<LostReason> {
        self.0.lost_reason()
    }

    /// Waits until the lock is lost and gives the reason; `None` when it is still held after this
    /// time. `Status::NotHeld` when it was never held or is released, `Cancelled` after
    /// [`Lock::stop`].
    pub fn wait_lost(&self, timeout: Duration) -> Result<S::Output<Option<LostReason>>> {
        self.0.wait_lost(timeout)
    }

    /// Has this listener told of each loss from now on, and no other; at once where the lock is lost
    /// already. None ends that. A release is no loss. It is told [`Loss::Ended`] when the lock is
    /// dropped or its client closed. `Status::Closed` when that has happened.
    ///
    /// [`Loss::Ended`]: crate::recipes::loss::Loss::Ended
    pub fn set_listener(&self, listener: Option<LossListener>) -> Result<()> {
        self.shared()?.listen(listener)
    }

    /// How it is getting on: `free`, `acquiring`, `held`, `releasing` or `lost`, and `forked` in a forked
    /// child. What is tried is to see that it is still held. Never blocks.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// What writes only while this lock is held. `Status::NotHeld` or `LockLost` when it is not.
    pub fn fence(&self) -> Result<Fence<S>> {
        let claim = self.0.held()?;
        Ok(fence(self.shared()?, &claim, self.0.style()))
    }

    /// Writes another key only while this lock is held, whatever its holder believes: both happen
    /// in one transaction. `Status::NotHeld` or `LockLost` when it is not held any more; nothing
    /// was written then.
    pub fn put_fenced(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        options: &Options,
    ) -> Result<S::Output<()>> {
        check_key(key)?;
        let claim = self.0.held()?;
        let (key, value, options) = (key.to_string(), value.to_vec(), options.clone());
        self.0.run(move |lock, client| async move {
            let fence = fence(&lock, &claim, client.style());
            match fence.put(&key, &value, flags, &options)?.await? {
                Fenced::Done => Ok(()),
                Fenced::NotHeld | Fenced::Conflict => Err(found_lost(&lock, client.style()).await),
            }
        })
    }

    /// Changes the value of the key: at once where it is held, and for every acquisition from now
    /// on. `Status::LockLost` where it turns out not to be held any more, `TooLarge` for a value above
    /// `max_value_bytes`.
    pub fn set_value(&self, value: impl Into<Vec<u8>>) -> Result<S::Output<()>> {
        let value = value.into();
        let lock = self.shared()?;
        check_value(&value, &lock.client.settings())?;
        lock.client.check_sealing(&lock.spec.key, &value)?;
        lock.spec.value.replace(value);
        self.0.run(move |lock, client| async move { write_value(&lock, &client).await })
    }

    /// The value of its key while it is held.
    pub(crate) fn value(&self) -> Vec<u8> {
        self.shared().map_or_else(|_| Vec::new(), |lock| lock.spec.value.get())
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.0.abandon();
    }
}

/// Writes the value that the key is to have, if the lock is held.
async fn write_value(lock: &Arc<Shared<LockSpec>>, client: &Client<Either>) -> Result<()> {
    let Some(claim) = lock.claim().filter(|_| !lock.remaining().is_zero()) else {
        return Ok(());
    };
    let fence = fence(lock, &claim, client.style());
    let value = lock.spec.value.to_write();
    match fence.put(&lock.spec.key, &value, 0, &Options::new())?.await? {
        Fenced::Done => Ok(()),
        Fenced::NotHeld | Fenced::Conflict => Err(found_lost(lock, client.style()).await),
    }
}

/// The error for a lock that Consul said is not held.
async fn found_lost(lock: &Arc<Shared<LockSpec>>, style: Either) -> Error {
    lock.examine(style).await;
    lock.lost_error().unwrap_or_else(|| {
        Error::new(Status::LockLost, "Consul says that the session does not hold the key")
    })
}

/// What writes only while this claim holds the lock.
fn fence<S: Style>(lock: &Shared<LockSpec>, claim: &Claim, style: S) -> Fence<S> {
    let fence = lock.client.styled(style).fence(&lock.spec.key, claim.id());
    fence.scoped(&lock.spec.options)
}
