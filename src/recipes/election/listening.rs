//! Who is told of what happens in an election.

use crate::error::Error;
use std::sync::Arc;

/// What a listener of an election is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum News {
    /// This candidate leads.
    Won,
    /// It does not lead any more, and why. Not told when it resigned.
    Lost(Error),
    /// Somebody else leads, or nobody, or the leader has changed its value.
    Changed,
    /// Nothing more comes: the election was dropped, or its client was closed.
    Ended(Error),
}

/// Hears of an election, on threads of the library; it must not block.
pub type ElectionListener = Box<dyn Fn(News) + Send + Sync>;

/// Who listens, if anybody. It is called while no lock is held.
#[derive(Clone, Default)]
pub(super) struct Listening(Option<Arc<ElectionListener>>);

impl Listening {
    pub(super) fn new(listener: Option<ElectionListener>) -> Listening {
        Listening(listener.map(Arc::new))
    }

    pub(super) fn tell(&self, news: News) {
        if let Some(listener) = &self.0 {
            listener(news);
        }
    }
}
