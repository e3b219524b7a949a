//! Tells who listens that a kept session is lost.

use super::{SessionEnd, Shared};
use crate::error::{Error, Result, Status};
use crate::recipes::loss::{Listening, Loss, LossListener};

impl Shared {
    /// Has this one told from now on, and nobody else; at once where the session is lost.
    pub(super) fn listen(&self, listener: Option<LossListener>) -> Result<()> {
        if listener.is_some() {
            self.client.upkeep().lane.check_open()?;
        }
        // A deadline that has passed unnoticed is no loss to come.
        self.keeper().is_valid();
        let listening = Listening::new(listener);
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut state.listening, listening.clone());
        let lost = state.lost;
        drop(state);
        drop(before);
        if let Some(end) = lost {
            listening.tell(Loss::Lost(error_of(end)));
        }
        Ok(())
    }

    /// Its keeper has ended.
    pub(super) fn hear(&self, end: SessionEnd) {
        match end {
            SessionEnd::Invalid | SessionEnd::Deadline => {}
            SessionEnd::Destroyed => {
                return self.end_listening(Status::Cancelled, "the session was destroyed");
            }
            SessionEnd::Closed => {
                return self.end_listening(Status::Closed, "the client is closed");
            }
        }
        let listening = {
            let mut state = self.state.lock();
            if state.ended {
                return;
            }
            state.lost = Some(end);
            state.listening.clone()
        };
        listening.tell(Loss::Lost(error_of(end)));
    }

    /// Tells that nothing more comes.
    pub(super) fn end_listening(&self, status: Status, message: &str) {
        let listening = std::mem::take(&mut self.state.lock().listening);
        listening.tell(Loss::Ended(Error::new(status, message)));
    }
}

fn error_of(end: SessionEnd) -> Error {
    Error::new(Status::SessionInvalid, format!("the session was lost: {}", end.as_str()))
}
