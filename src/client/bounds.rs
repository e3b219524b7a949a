//! What a handle of a client adds to every call that is made through it.

use super::{Client, Style};
use crate::transport::{CancelToken, Lane};
use std::time::{Duration, Instant};

/// The bounds of a handle's calls.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) lane: Lane,
    pub(super) cancel: Option<CancelToken>,
    pub(super) deadline: Option<Instant>,
    /// Nothing is sent twice, not even a read.
    pub(super) once: bool,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { lane: Lane::Calls, cancel: None, deadline: None, once: false }
    }
}

impl Bounds {
    /// When a call must have ended that is given this long.
    pub(super) fn deadline_after(&self, timeout: Duration) -> Instant {
        let deadline = Instant::now() + timeout;
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

    /// Which client it is, whatever handle it is asked through.
    pub(crate) fn identity(&self) -> usize {
        std::sync::Arc::as_ptr(&self.shared).addr()
    }

    /// What ends the calls of this handle.
    pub(crate) fn cancel(&self) -> CancelToken {
        self.bounds.cancel.clone().unwrap_or_default()
    }

    /// The same client without any of these.
    pub(crate) fn unbounded(&self) -> Client<S> {
        self.bounded(|bounds| *bounds = Bounds::default())
    }

    fn bounded(&self, change: impl FnOnce(&mut Bounds)) -> Client<S> {
        let mut client = self.clone();
        change(&mut client.bounds);
        client
    }
}
