//! What a watch knows, for anyone to read at any moment.

use super::content::Content;
use super::discovery::Roster;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One state of what is watched. It never changes; a newer one takes its place.
pub struct State {
    pub(super) version: u64,
    pub(super) index: u64,
    pub(super) content: Option<Arc<Content>>,
    pub(super) roster: Option<Roster>,
    pub(super) companion: Companion,
}

/// What a binding makes of each content before anybody can read it.
pub type Companion = Option<Arc<dyn Any + Send + Sync>>;

/// Makes a [`Companion`].
pub type Dresser = fn(&Content) -> Companion;

/// How far a state can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing was found yet, not even that there is nothing.
    Pending,
    /// Consul's last answer.
    Fresh,
    /// Consul's last answer, which was that there is nothing.
    Empty,
    /// Consul cannot be asked at the moment, or was not reached yet since the state was read from
    /// a file: it was found this long ago.
    Stale(Duration),
}

impl Freshness {
    /// Its name: `pending`, `fresh`, `empty` or `stale`.
    pub fn as_str(self) -> &'static str {
        match self {
            Freshness::Pending => "pending",
            Freshness::Fresh => "fresh",
            Freshness::Empty => "empty",
            Freshness::Stale(_) => "stale",
        }
    }
}

impl State {
    pub(super) fn nothing() -> State {
        State { version: 0, index: 0, content: None, roster: None, companion: None }
    }

    /// 0 before anything was found; it grows with each state that was delivered.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The index of the answer; 0 when it had none, or the state comes from a file.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// What was found; `None` before anything was.
    pub fn content(&self) -> Option<&Content> {
        self.content.as_deref()
    }

    /// The same, to be kept.
    pub(super) fn shared_content(&self) -> Option<Arc<Content>> {
        self.content.clone()
    }

    /// What a binding has made of the content.
    pub fn companion(&self) -> &Companion {
        &self.companion
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.as_ref().is_none_or(|content| content.is_empty())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("version", &self.version)
            .field("index", &self.index)
            .field("content", &self.content)
            .finish()
    }
}
