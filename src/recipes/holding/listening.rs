//! Tells who listens that what was held is lost.

use super::resource::Resource;
use super::shared::{Phase, Shared};
use crate::error::{Error, Result, Status};
use crate::recipes::loss::{Listening, Loss, LossListener};

impl<R: Resource> Shared<R> {
    /// Has this one told from now on, and nobody else; at once where it is lost.
    pub(in crate::recipes) fn listen(&self, listener: Option<LossListener>) -> Result<()> {
        if listener.is_some() {
            self.upkeep().lane.check_open()?;
        }
        // A deadline that has passed unnoticed is no loss to come.
        self.remaining();
        let listening = Listening::new(listener);
        let mut state = self.state();
        let before = std::mem::replace(&mut state.listening, listening.clone());
        let lost = match state.phase {
            Phase::Lost(reason) => Some(reason),
            _ => None,
        };
        drop(state);
        drop(before);
        if let Some(reason) = lost {
            listening.tell(Loss::Lost(reason.error(R::NOUN)));
        }
        Ok(())
    }

    /// Tells that nothing more comes.
    pub(super) fn end_listening(&self, status: Status, message: &str) {
        let listening = std::mem::take(&mut self.state().listening);
        listening.tell(Loss::Ended(Error::new(status, message)));
    }
}
