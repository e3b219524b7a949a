//! Leader election: of all candidates for a key, one leads.
//!
//! A candidate campaigns in the background from the start of its election until it resigns: while
//! Consul is away, while another one leads, and again after it has lost. Who leads, and what it
//! wrote, is there to read at any moment, for those who only observe too. The leader holds an
//! ordinary lock ([`crate::recipes::lock`]), so only one leads at a time, and
//! [`Election::is_leader`] asks the clock, not the network.
//!
//! ```no_run
//! use consul_ffi::recipes::election::ElectionSpec;
//! use consul_ffi::{Client, Config};
//! use std::time::Duration;
//!
//! # fn main() -> consul_ffi::Result<()> {
//! let client = Client::new(&Config::new())?;
//! let election = client.election(ElectionSpec::new("app/leader").value("node-1"))?;
//! election.wait_elected(Duration::MAX)?;
//! while election.is_leader() {
//!     // ... work, with election.fencing_token() ...
//! }
//! election.resign()?;
//! # Ok(())
//! # }
//! ```

mod campaign;
mod leadership;
mod listening;
mod observe;
mod shared;
mod spec;
#[cfg(test)]
mod tests;

pub use leadership::{Leader, Leadership};
pub use listening::{ElectionListener, News};
pub use spec::ElectionSpec;

use crate::client::{Blocking, Client, Deferred, Style};
use crate::error::Result;
use crate::observe::Stats;
use crate::recipes::fence::Fence;
use crate::recipes::owned::Owned;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;

/// An election. Any method from any thread. Dropping it resigns in the background.
///
/// Its calls end in the style of the client that it was made through.
///
/// In a forked child it stays its parent's, which goes on campaigning or leading: calls give
/// `Status::Forked`, it neither leads nor sees who does, and dropping it resigns nothing. A child that
/// is to be a candidate starts an election of its own.
pub struct Election<S: Style = Blocking>(Owned<Shared, S>);

impl<S: Style> Client<S> {
    /// Starts an election: observes its key, and campaigns unless it is only to observe. That Consul
    /// is away is no error.
    pub fn election(&self, spec: ElectionSpec) -> Result<Election<S>> {
        let shared = Shared::start(&self.blocking(), spec)?;
        Ok(Election(Owned::new(shared, self.style())))
    }
}

impl<S: Style> Election<S> {
    /// The same election, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> Election<Deferred> {
        self.styled(Deferred)
    }

    /// The same election, whose calls wait for their end.
    pub fn blocking(&self) -> Election {
        self.styled(Blocking)
    }

    /// The same election, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> Election<T> {
        Election(self.0.styled(style))
    }

    /// Campaigns from now on, if it does not: after it resigned, or only observed.
    pub fn campaign(&self) -> Result<()> {
        self.shared()?.campaign()
    }

    /// Campaigns no more, and gives the key back where this candidate leads: another one leads at
    /// once, without a lock-delay. It goes on observing. That it did not lead is no error. After any
    /// error it does not lead either, and the library goes on giving the key back in the background.
    /// Where an attempt may just have won it waits for that answer, for 5 s at most.
    pub fn resign(&self) -> Result<S::Output<()>> {
        self.0.run(move |shared, client| async move { shared.resign(&client).await })
    }

    /// True while this candidate leads, judged by the clock at this moment: false from the moment
    /// on at which that cannot be known any more. Makes no request.
    pub fn is_leader(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long it is known to lead if nothing is heard of Consul from now on; zero when it does
    /// not lead.
    pub fn remaining(&self) -> Duration {
        self.shared().map_or(Duration::ZERO, |shared| shared.lock.remaining())
    }

    /// The fencing token of this candidate's last term: the index of the write that began it. It
    /// grows with each term of anybody, so a store that refuses lower tokens than it has seen is
    /// safe from late writers.
    pub fn fencing_token(&self) -> Option<u64> {
        self.shared().ok()?.lock.fencing_token()
    }

    /// The session that it leads with, while it does.
    pub fn session_id(&self) -> Option<String> {
        self.shared().ok()?.lock.session_id()
    }

    /// Who leads, as far as Consul has told. Makes no request; what was known stays while Consul
    /// cannot be asked.
    pub fn leadership(&self) -> Leadership {
        self.shared().map(|shared| shared.leadership()).unwrap_or_default()
    }

    /// Changes what the others read while this candidate leads: at once where it does, and for all
    /// its terms from now on. `Status::LockLost` where it turns out not to lead any more, `TooLarge`
    /// for a value above `max_value_bytes`.
    pub fn set_value(&self, value: impl Into<Vec<u8>>) -> Result<S::Output<()>> {
        self.shared()?.lock.styled(self.0.style()).set_value(value)
    }

    /// Waits until this candidate leads. False when it does not after this time. `Status::Cancelled`
    /// once the election is freed, `Closed` once its client is closed.
    pub fn wait_elected(&self, timeout: Duration) -> Result<S::Output<bool>> {
        self.0.run(move |shared, client| async move {
            let leads = || shared.lock.is_held().then_some(());
            Ok(shared.wait(&client, timeout, leads).await?.is_some())
        })
    }

    /// Waits until somebody leads, this candidate or another; `None` when nobody does after this
    /// time. As [`Election::wait_elected`].
    pub fn wait_leader(&self, timeout: Duration) -> Result<S::Output<Option<Leadership>>> {
        self.0.run(move |shared, client| async move {
            let led = || Some(shared.leadership()).filter(|now| now.leader.is_some());
            shared.wait(&client, timeout, led).await
        })
    }

    /// Waits for something newer than this version; `None` when there was nothing in time. As
    /// [`Election::wait_elected`].
    pub fn wait_change(
        &self,
        version: u64,
        timeout: Duration,
    ) -> Result<S::Output<Option<Leadership>>> {
        self.0.run(move |shared, client| async move {
            let newer = || Some(shared.leadership()).filter(|now| now.version > version);
            shared.wait(&client, timeout, newer).await
        })
    }

    /// Has this listener told of what happens from now on, and no other; at once of who leads where
    /// that is known. None ends that. Its last news is [`News::Ended`].
    pub fn set_listener(&self, listener: Option<ElectionListener>) -> Result<()> {
        self.shared()?.listen(listener)
    }

    /// What writes only while this candidate leads. `Status::NotHeld` or `LockLost` when it does
    /// not.
    pub fn fence(&self) -> Result<Fence<S>> {
        self.shared()?.lock.styled(self.0.style()).fence()
    }

    /// How it is getting on: `campaigning`, `leading`, `observing` or `closed`. Never blocks.
    pub fn stats(&self) -> Stats {
        match self.shared() {
            Ok(shared) => shared.stats(),
            Err(error) => Stats {
                state: "closed",
                last_success: None,
                consecutive_failures: 0,
                last_error: Some(error),
                next_try: None,
            },
        }
    }

    /// An error in a forked child.
    fn shared(&self) -> Result<&Arc<Shared>> {
        self.0.shared()
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.0.abandon();
    }
}
