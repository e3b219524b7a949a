//! What a handle of a client adds to every call that is made through it.

use super::endpoints::Condition;
use super::{Client, Style};
use crate::transport::{CancelToken, Lane};
use std::sync::Arc;
use std::time::Instant;

/// The bounds of a handle's calls.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) lane: Lane,
    pub(super) cancel: Option<CancelToken>,
    pub(super) deadline: Option<Instant>,
    /// Nothing is sent twice, not even a read.
    pub(super) once: bool,
    /// Nothing is changed, only kept alive.
    pub(super) heartbeat: bool,
    /// The address that everything goes to, as long as the client has it.
    pub(super) pinned: Option<Arc<str>>,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            lane: Lane::Calls,
            cancel: None,
            deadline: None,
            once: false,
            heartbeat: false,
            pinned: None,
        }
    }
}

impl Bounds {
    /// When a call must have ended that has this deadline of its own.
    pub(super) fn bound(&self, deadline: Instant) -> Instant {
        self.deadline.map_or(deadline, |bound| bound.min(deadline))
    }
}

impl<S: Style> Client<S> {
    /// The same client, past the callers' calls: for what keeps sessions and locks alive.
    pub(crate) fn on_upkeep(&self) -> Client<S> {
        self.bounded(|bounds| bounds.lane = Lane::Upkeep)
    }

    /// The same client, whose calls end when this is cancelled.
    pub(crate) fn cancelled_by(&self, cancel: &CancelToken) -> Client<S> {
        self.bounded(|bounds| bounds.cancel = Some(cancel.clone()))
    }

    /// The same client, whose calls end at this time even where their options allow more.
    pub(crate) fn until(&self, deadline: Instant) -> Client<S> {
        self.bounded(|bounds| bounds.deadline = Some(deadline))
    }

    /// The same client, which sends nothing twice: whoever takes the place of an agent that died
    /// must not be asked what was meant for that one.
    pub(crate) fn once(&self) -> Client<S> {
        self.bounded(|bounds| bounds.once = true)
    }

    /// The same client, whose calls all go to this one of its addresses.
    pub(crate) fn pinned_to(&self, address: &Arc<str>) -> Client<S> {
        self.bounded(|bounds| bounds.pinned = Some(address.clone()))
    }

    /// Where something lives that belongs to one agent: where it was before, as long as that answers.
    /// `None` where there is one address only.
    pub(crate) fn home(&self, before: Option<&Arc<str>>) -> Option<Arc<str>> {
        let setup = self.shared.setup.load();
        let endpoints = &setup.endpoints;
        if endpoints.count() == 1 && before.is_none() {
            return None;
        }
        let home = endpoints.home(before.map(AsRef::as_ref)).shown();
        before.filter(|before| before.as_ref() == home).cloned().or_else(|| Some(home.into()))
    }

    /// Whether this one of its addresses answers, as far as is known; `None` when it is none of them.
    pub(crate) fn answers(&self, address: &str) -> Option<bool> {
        let setup = self.shared.setup.load();
        let known = setup.endpoints.named(address)?;
        Some(setup.endpoints.at(known).condition() != Condition::Down)
    }

    /// Which client it is, whatever handle it is asked through.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// What ends the calls of this handle.
    pub(crate) fn cancel(&self) -> CancelToken {
        self.bounds.cancel.clone().unwrap_or_default()
    }

    /// The same client without any of these.
    pub(crate) fn unbounded(&self) -> Client<S> {
        self.bounded(|bounds| *bounds = Bounds::default())
    }

    pub(super) fn bounded(&self, change: impl FnOnce(&mut Bounds)) -> Client<S> {
        let mut client = self.clone();
        change(&mut client.bounds);
        client
    }
}
