//! A call with all that its client adds to it, ready to be tried.

use super::bounds::Bounds;
use super::setup::Setup;
use super::target::Target;
use super::token::OwnToken;
use super::tries::{Terms, Try};
use super::{Call, Client, Style, explain};
use crate::error::{Error, Result};
use crate::observe::audit::{Audit, Entry};
use crate::transport::{Method, Request};
use arc_swap::Guard;
use std::sync::Arc;
use ureq::http::{HeaderName, HeaderValue};

pub(super) struct Prepared<'a> {
    pub(super) setup: Guard<Arc<Setup>>,
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<&'a [u8]>,
    pub(super) changes: bool,
    pub(super) replay: bool,
    pub(super) terms: Terms,
    pub(super) token: OwnToken,
    /// The log that is to have a line of it.
    pub(super) audit: Option<Arc<Audit>>,
}

impl<S: Style> Client<S> {
    /// Adds what every call carries. Checks, and sends nothing.
    pub(super) fn prepare<'a>(&self, call: Call<'a>) -> Result<Prepared<'a>> {
        let setup = self.shared.setup();
        let (settings, bounds) = (&*setup.settings, &self.bounds);
        Ok(Prepared {
            method: call.method,
            headers: setup.headers(&call)?,
            body: call.body,
            changes: call.changes,
            replay: call.replay && !bounds.once,
            terms: Terms::of(&call, settings, bounds),
            token: OwnToken::of(&setup, &call),
            audit: setup.audit_of(&call, bounds).cloned(),
            target: call.into_target(settings),
            setup,
        })
    }
}

impl Prepared<'_> {
    /// It begins: its line in the audit log, where it is to have one.
    pub(super) fn entry(&self) -> Option<Box<Entry>> {
        let begin =
            |audit: &Arc<Audit>| audit.begin(self.method.as_str(), self.target.as_str(), self.body);
        self.audit.as_ref().map(begin)
    }

    /// What is sent in one of its tries.
    pub(super) fn request<'r>(&'r self, attempt: &'r Try, bounds: &'r Bounds) -> Request<'r> {
        Request {
            method: self.method,
            target: self.target.as_str(),
            headers: &self.headers,
            body: self.body,
            deadline: attempt.deadline,
            connect_by: attempt.connect_by,
            replay: self.replay,
            max_answer: self.setup.settings.max_answer_bytes,
            lane: bounds.lane,
            cancel: bounds.cancel.as_ref(),
            gone: attempt.gone.as_ref(),
        }
    }

    /// Its failure, saying which call it was.
    pub(super) fn explain(&self, error: Error) -> Error {
        explain(error, self.method, self.target.path_alone(), &self.headers, self.changes)
    }
}
