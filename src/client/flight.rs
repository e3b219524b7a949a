//! A call that was started, from its first try to its answer.

use super::endpoints::Endpoint;
use super::target::Target;
use super::token::OwnToken;
use super::tries::{Tries, Verdict};
use super::{Client, slices};
use crate::error::{Error, Result, Status};
use crate::runtime::{pause, spawn};
use crate::transport::{CancelToken, OwnedRequest, Response};
use std::sync::Arc;
use std::time::Duration;

/// Gets the answer, once, and the endpoint that it came from.
pub(super) type Landed = Box<dyn FnOnce(Result<Response>, Arc<Endpoint>) + Send>;

pub(super) struct Flight {
    pub(super) client: Client,
    /// None once it is on its way and cannot come back.
    pub(super) request: Option<OwnedRequest>,
    pub(super) token: OwnToken,
    pub(super) tries: Tries,
    pub(super) cancel: CancelToken,
    pub(super) done: Landed,
}

impl Flight {
    /// Starts it. Returns at once.
    pub(super) fn begin(mut self) {
        match self.tries.begin() {
            Verdict::Over(answer) => self.land(answer),
            Verdict::Again(Duration::ZERO) => self.launch(),
            Verdict::Again(time) => self.launch_after(time),
        }
    }

    /// Starts the next try. Returns at once.
    fn launch(mut self) {
        let request = match self.tries.may_repeat() || self.token.may_change() {
            true => self.request.clone(),
            false => self.request.take(),
        };
        let Some(mut request) = request else {
            return self.land(Err(Error::new(Status::Internal, "a request that was sent already")));
        };
        let attempt = self.tries.next();
        request.deadline = attempt.deadline;
        request.connect_by = attempt.connect_by;
        request.gone = attempt.gone;
        if let Some(answerer) = self.tries.other_answerer() {
            request.target = Target::for_answerer(&request.target, answerer);
        }
        let transport = self.tries.endpoint().transport.clone();
        let cancel = self.cancel.clone();
        transport.start(request, cancel, Box::new(move |answer| self.landed(answer)));
    }

    fn landed(mut self, answer: Result<Response>) {
        let client = self.client.clone();
        match self.tries.take(answer, || client.upkeep().jitter.unit()) {
            Verdict::Over(answer) => match self.renews_token(&answer) {
                true => {
                    self.tries.repeat();
                    self.launch();
                }
                false => self.land(answer),
            },
            Verdict::Again(Duration::ZERO) => self.launch(),
            Verdict::Again(time) => self.launch_after(time),
        }
    }

    /// Whether it is to be sent once more, with another token.
    fn renews_token(&mut self, answer: &Result<Response>) -> bool {
        let Some(request) = &mut self.request else { return false };
        self.token.renewed(answer, &mut request.headers)
    }

    fn launch_after(self, time: Duration) {
        let (cancel, endpoints) = (self.cancel.clone(), self.tries.endpoints().clone());
        let wait = async move {
            for slice in slices(time) {
                endpoints.check_open()?;
                pause(&cancel, slice).await?;
            }
            Ok(())
        };
        spawn(wait, move |waited| match waited {
            Ok(()) => self.launch(),
            Err(error) => self.land(Err(error)),
        });
    }

    fn land(self, answer: Result<Response>) {
        let endpoint = self.tries.endpoint().clone();
        // The reader knows the headers that it began with.
        let sent = self.request.map(|request| request.headers).unwrap_or_default();
        let answer = answer.map_err(|error| super::without_secrets(error, &sent));
        (self.done)(answer, endpoint);
    }
}
