//! A session that the library keeps alive.

mod end;
mod keeper;
mod lease;
mod listening;
mod own;
mod recreate;
mod renewal;
#[cfg(test)]
mod tests;

pub(crate) use end::{SessionEnd, Tenant};
pub(crate) use keeper::{GivingBack, Keeper};
pub(crate) use own::{Attempt, OwnSession};

use crate::api::session::SessionSpec;
use crate::client::{Client, Either, Style};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::recipes::loss::{Listening, LossListener};
use crate::runtime::{Leaving, Order, Resident, TaskId, at_once};
use crate::sync::Mutex;
use crate::sys::fork_generation;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The TTL of a session for which none was set.
pub(crate) const DEFAULT_TTL: Duration = Duration::from_secs(15);

/// A session that the library renews at about half of its TTL, from a lane of its own.
///
/// Renewals that fail are tried again until the deadline: the time at which the last good one was
/// sent, plus the TTL. From then on the session counts as gone, whatever becomes of it, and the
/// locks that it holds are lost. Dropping this value destroys the session in the background,
/// unless [`KeptSession::stop`] was called.
///
/// In a forked child it stays its parent's, which goes on renewing it: calls give `Status::Forked`, it
/// is not valid and has no id there, and dropping it destroys nothing. A lock or a semaphore that is
/// made with it in the child gives the same error.
pub struct KeptSession {
    shared: Arc<Shared>,
}

/// What stays while the handle, a lock or the lane uses the session.
pub(crate) struct Shared {
    client: Client,
    spec: SessionSpec,
    options: Options,
    recreate: bool,
    creation: TaskId,
    /// The process that it is kept alive in.
    process: u32,
    state: Mutex<State>,
    me: Weak<Shared>,
}

struct State {
    keeper: Arc<Keeper>,
    generation: u64,
    /// Nothing is recreated any more.
    ended: bool,
    /// How making a new one is getting on.
    creation: Progress,
    /// Why it is lost, until a new one takes its place.
    lost: Option<SessionEnd>,
    listening: Listening,
}

impl<S: Style> Client<S> {
    /// Makes a session and keeps it alive. Its TTL is 15 s where none was set; one of zero means
    /// none. When it is lost it stays lost.
    pub fn keep_session(
        &self,
        spec: &SessionSpec,
        options: &Options,
    ) -> Result<S::Output<KeptSession>> {
        KeptSession::start(self, spec, options, false)
    }

    /// As [`Client::keep_session`], and makes a new one whenever it is lost:
    /// [`KeptSession::generation`] tells that its id has changed. A session that was stopped or
    /// destroyed is not made anew.
    pub fn keep_session_recreated(
        &self,
        spec: &SessionSpec,
        options: &Options,
    ) -> Result<S::Output<KeptSession>> {
        KeptSession::start(self, spec, options, true)
    }
}

impl KeptSession {
    fn start<S: Style>(
        client: &Client<S>,
        spec: &SessionSpec,
        options: &Options,
        recreate: bool,
    ) -> Result<S::Output<KeptSession>> {
        let (spec, options) = (spec.clone().or_ttl(DEFAULT_TTL), options.scope());
        spec.check(client.settings().min_session_ttl)?;
        client.run(move |client| async move {
            let keeper = Keeper::create(&client, &spec, &options).await?;
            Ok(KeptSession::of(&client, keeper, spec, options, recreate))
        })
    }

    fn of(
        client: &Client<Either>,
        keeper: Arc<Keeper>,
        spec: SessionSpec,
        options: Options,
        recreate: bool,
    ) -> KeptSession {
        let shared = Arc::new_cyclic(|me| Shared {
            client: client.blocking().unbounded(),
            spec,
            options,
            recreate,
            creation: TaskId::new(),
            process: fork_generation(),
            state: Mutex::new(State {
                keeper: keeper.clone(),
                generation: 1,
                ended: false,
                creation: Progress::default(),
                lost: None,
                listening: Listening::default(),
            }),
            me: me.clone(),
        });
        let weak = shared.me.clone();
        client.upkeep().enter(weak);
        keeper.admit(shared.tenant());
        KeptSession { shared }
    }

    /// Its id; another one after it was recreated.
    pub fn id(&self) -> String {
        self.own().map_or_else(|_| String::new(), |session| session.keeper().id().to_string())
    }

    /// 1, and one more each time it was recreated.
    pub fn generation(&self) -> u64 {
        self.own().map_or(0, |session| session.state.lock().generation)
    }

    /// True until Consul says that it is gone, or its deadline has passed, at this moment.
    pub fn is_valid(&self) -> bool {
        self.own().is_ok_and(|session| session.keeper().is_valid())
    }

    /// How long it is known to live from now on without another renewal. Zero when it is not
    /// valid, [`Duration::MAX`] when it has no TTL.
    pub fn remaining(&self) -> Duration {
        self.own().map_or(Duration::ZERO, |session| session.keeper().remaining())
    }

    /// Renews it no more, and leaves it at Consul, where it ends by its TTL.
    pub fn stop(&self) {
        let Ok(session) = self.own() else { return };
        session.end(Keeper::leave_alone);
        session.end_listening(Status::Cancelled, "the session was stopped");
    }

    /// Destroys it at Consul and says how that went. The locks that it holds are lost. After an
    /// error the library goes on trying in the background until it must have ended by itself.
    pub fn destroy(&self) -> Result<()> {
        let session = self.own()?;
        let keeper = session.end(Keeper::let_go);
        session.end_listening(Status::Cancelled, "the session was destroyed");
        at_once(keeper.destroy(&session.client.styled(Either::Blocks)))
    }

    /// Has this listener told of each loss from now on, and no other; at once where the session is
    /// lost already. None ends that. It is told [`Loss::Ended`] when the session is stopped,
    /// destroyed by this program or dropped, none of which is a loss, or its client is closed.
    /// `Status::Closed` when that has happened.
    ///
    /// [`Loss::Ended`]: crate::recipes::loss::Loss::Ended
    pub fn set_listener(&self, listener: Option<LossListener>) -> Result<()> {
        self.own()?.listen(listener)
    }

    /// How it is getting on: `kept`, `stopped`, `ending`, `ended`, or `recreating` while a new one
    /// is to take the place of a lost one; `forked` in a forked child. Never blocks.
    pub fn stats(&self) -> Stats {
        let forked = |_| Progress::default().stats("forked", Duration::ZERO);
        self.own().map_or_else(forked, |session| session.stats())
    }

    /// An error in a forked child.
    fn own(&self) -> Result<&Shared> {
        self.shared.check_process().map(|()| &*self.shared)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for KeptSession {
    fn drop(&mut self) {
        if self.shared.check_process().is_err() {
            // It is the parent's, and may be locked for ever here: it is left as it is.
            std::mem::forget(self.shared.clone());
            return;
        }
        self.shared.end(|keeper| keeper.end_unless_left(None));
        self.shared.end_listening(Status::Cancelled, "the session was freed");
    }
}

impl Shared {
    /// An error in a forked child, where nothing renews it and nothing of it may be touched.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.process == fork_generation() {
            return Ok(());
        }
        Err(Error::new(Status::Forked, "the session belongs to the parent of this process"))
    }

    pub(crate) fn keeper(&self) -> Arc<Keeper> {
        self.state.lock().keeper.clone()
    }

    fn stats(&self) -> Stats {
        let keeper = self.keeper();
        let stats = keeper.stats();
        let now = self.client.upkeep().clock.now();
        let state = self.state.lock();
        if state.ended || !self.recreate || matches!(stats.state, "kept" | "stopped") {
            return stats;
        }
        Stats { last_success: stats.last_success, ..state.creation.stats("recreating", now) }
    }

    fn tenant(&self) -> Weak<dyn Tenant> {
        self.me.clone()
    }

    /// Ends it in this way, and lets it not come back.
    fn end(&self, how: impl FnOnce(&Keeper)) -> Arc<Keeper> {
        let keeper = {
            let mut state = self.state.lock();
            state.ended = true;
            state.keeper.clone()
        };
        self.client.upkeep().lane.end(self.creation);
        how(&keeper);
        keeper
    }
}

/// Its keeper is told by itself.
impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Sessions
    }

    fn leave(&self, _: Leaving) {
        self.end(|_| ());
        self.end_listening(Status::Closed, "the client is closed");
    }

    fn evict(&self) {
        self.end(|_| ());
        self.end_listening(Status::Closed, "the client is closed");
    }
}
