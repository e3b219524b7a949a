//! What the audit log hears of a call.

use super::bounds::Bounds;
use super::endpoints::Endpoint;
use super::setup::Setup;
use super::{Call, Client, Style};
use crate::error::Result;
use crate::observe::audit::{Audit, Entry};
use crate::transport::Response;
use std::sync::Arc;

impl Setup {
    /// The log that is to have a line of this call.
    pub(super) fn audit_of(&self, call: &Call<'_>, bounds: &Bounds) -> Option<&Arc<Audit>> {
        self.audit.as_ref().filter(|_| call.changes() && !bounds.heartbeat)
    }
}

impl<S: Style> Client<S> {
    /// The same client, whose calls keep alive what is there already: the audit log has no line of them.
    pub(crate) fn heartbeat(&self) -> Client<S> {
        self.bounded(|bounds| bounds.heartbeat = true)
    }
}

/// The answer of a call, where it came from, and its line.
pub(super) struct Landed {
    pub(super) answer: Result<Response>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) entry: Option<Box<Entry>>,
}

impl Landed {
    /// Makes the result, after which the line can be written.
    #[inline]
    pub(super) fn finish<T>(
        self,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T>,
    ) -> Result<T> {
        let mut entry = self.entry;
        landed(&mut entry, &self.endpoint, &self.answer);
        finished(entry, finish(self.endpoint.shown(), self.answer))
    }

    /// The answer is the result.
    pub(super) fn plain(self) -> Result<Response> {
        self.finish(|_, answer| answer)
    }
}

/// The call has ended. Cheap: nothing is written yet.
#[inline]
pub(super) fn landed(
    entry: &mut Option<Box<Entry>>,
    endpoint: &Endpoint,
    answer: &Result<Response>,
) {
    let Some(entry) = entry else { return };
    match answer {
        Ok(response) => entry.answered(endpoint.shown(), response.status, &response.body),
        Err(error) => entry.failed(endpoint.shown(), error),
    }
}

/// This was made of its answer. The line is written here.
#[inline]
pub(super) fn finished<T>(entry: Option<Box<Entry>>, result: Result<T>) -> Result<T> {
    if let (Some(mut entry), Err(error)) = (entry, &result) {
        entry.doubted(error);
    }
    result
}
