//! Who is told when a lock, a semaphore or a kept session is lost.

use crate::error::Error;
use std::sync::Arc;

/// What a listener of a lock, a semaphore or a kept session is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Loss {
    /// It is lost, and why.
    Lost(Error),
    /// Nothing more comes: it was freed, stopped or destroyed, or its client was closed.
    Ended(Error),
}

/// Hears of losses, on whichever thread notices them; it must not block.
pub type LossListener = Box<dyn Fn(Loss) + Send + Sync>;

/// Who listens, if anybody. It is called while no lock is held.
#[derive(Clone, Default)]
pub(crate) struct Listening(Option<Arc<LossListener>>);

impl Listening {
    pub(crate) fn new(listener: Option<LossListener>) -> Listening {
        Listening(listener.map(Arc::new))
    }

    pub(crate) fn tell(&self, loss: Loss) {
        if let Some(listener) = &self.0 {
            listener(loss);
        }
    }
}
