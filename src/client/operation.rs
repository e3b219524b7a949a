//! An operation that was checked and has not begun.

use super::audited;
use super::endpoints::Endpoint;
use super::flight::Flight;
use super::token::OwnToken;
use super::tries::Terms;
use super::{Call, Client, Either, Outcome, Style};
use crate::error::{Error, Result, Status};
use crate::observe::audit::{Audit, Entry};
use crate::runtime::spawn;
use crate::sync::Mutex;
use crate::transport::{CancelToken, Method, OwnedRequest, Response};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use ureq::http::{HeaderName, HeaderValue};

/// An operation that was checked and has not begun. It begins when it is awaited, on any executor;
/// dropping what awaits it cancels it.
///
/// ```no_run
/// # async fn example() -> consul_ffi::Result<()> {
/// use consul_ffi::{Client, Config, Options};
///
/// let client = Client::new(&Config::new())?.deferred();
/// let found = client.kv().get("app/greeting", &Options::new())?.await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is awaited"]
pub struct Operation<T> {
    client: Client,
    work: Work<T>,
}

enum Work<T> {
    Exchange(Box<Exchange<T>>),
    Recipe(Recipe<T>),
}

struct Exchange<T> {
    request: OwnedRequest,
    token: OwnToken,
    terms: Terms,
    audit: Option<Arc<Audit>>,
    end: End<T>,
}

/// What makes the result of its answer.
struct End<T> {
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    changes: bool,
    path: String,
    finish: Finish<T>,
}

type Finish<T> = Box<dyn FnOnce(&str, Result<Response>) -> Result<T> + Send>;
type Recipe<T> = Box<dyn FnOnce(Client<Either>) -> BoxFuture<T> + Send>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// An answer that has arrived. Calling it makes the result of it, which may take its time: not on
/// the I/O thread.
pub(crate) type Arrived<T> = Box<dyn FnOnce() -> Result<T> + Send>;

/// Makes the result of an operation from the answer to its one request.
pub(crate) type Reader<T> = Box<dyn FnOnce(Result<Response>) -> Result<T> + Send>;

impl<T: Send + 'static> Operation<T> {
    pub(super) fn exchange<S: Style>(
        client: &Client<S>,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<Operation<T>> {
        let call = client.prepare(call)?;
        let now = Instant::now();
        let end = End {
            method: call.method,
            headers: call.headers.clone(),
            changes: call.changes,
            path: call.target.path_alone().to_string(),
            finish: Box::new(finish),
        };
        let request = OwnedRequest {
            method: call.method,
            target: call.target.into_string(),
            headers: call.headers,
            body: call.body.map(<[u8]>::to_vec),
            deadline: now,
            connect_by: now,
            replay: call.replay,
            max_answer: call.setup.settings.max_answer_bytes,
            lane: client.bounds.lane,
            gone: None,
        };
        let (token, terms, audit) = (call.token, call.terms, call.audit);
        let exchange = Exchange { request, token, terms, audit, end };
        Ok(Operation { client: client.blocking(), work: Work::Exchange(Box::new(exchange)) })
    }

    pub(super) fn recipe<S: Style, F>(
        client: &Client<S>,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Operation<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let recipe = Box::new(|client| Box::pin(recipe(client)) as BoxFuture<T>);
        Operation { client: client.blocking(), work: Work::Recipe(recipe) }
    }

    /// The path and query of its one request; empty when it has several.
    pub(crate) fn target(&self) -> &str {
        match &self.work {
            Work::Exchange(exchange) => &exchange.request.target,
            Work::Recipe(_) => "",
        }
    }

    /// What would make its result, for an answer that came another way; `None` when it has several
    /// requests.
    pub(crate) fn into_reader(self) -> Option<Reader<T>> {
        match self.work {
            Work::Exchange(exchange) => {
                let endpoint = self.client.shared.setup.load().endpoints.in_use().clone();
                Some(exchange.end.reader(endpoint, None))
            }
            Work::Recipe(_) => None,
        }
    }

    /// As [`Operation::start`], for an operation of one request: `done` also gets the answer as it
    /// came, to be read or not.
    pub(crate) fn start_unread(
        self,
        cancel: CancelToken,
        done: impl FnOnce(Result<Response>, Reader<T>) + Send + 'static,
    ) {
        let client = self.client;
        match self.work {
            Work::Exchange(exchange) => exchange.start(client, cancel, done),
            Work::Recipe(_) => {
                let error = Error::new(Status::Internal, "an operation of several requests");
                done(Err(error), Box::new(|answer| answer.and_then(|_| Err(unread()))));
            }
        }
    }

    /// Begins it and returns at once. `done` is called once, on the I/O thread or on this one, and
    /// must not block. `cancel` ends it early.
    pub(crate) fn start(self, cancel: CancelToken, done: impl FnOnce(Arrived<T>) + Send + 'static) {
        let client = self.client;
        match self.work {
            Work::Exchange(exchange) => exchange.start(client, cancel, |answer, read| {
                done(Box::new(move || read(answer)));
            }),
            Work::Recipe(recipe) => {
                let client = client.cancelled_by(&cancel).styled(Either::Defers);
                spawn(recipe(client), |result| done(Box::new(move || result)));
            }
        }
    }
}

fn unread() -> Error {
    Error::new(Status::Internal, "an answer that nobody can read")
}

impl<T: Send + 'static> Exchange<T> {
    fn start(
        self,
        client: Client,
        cancel: CancelToken,
        done: impl FnOnce(Result<Response>, Reader<T>) + Send + 'static,
    ) {
        let endpoints = client.shared.setup.load().endpoints.clone();
        let tries = self.terms.begin(endpoints, &client.bounds);
        let (request, end) = (self.request, self.end);
        let mut entry = self.audit.map(|audit| {
            audit.begin(request.method.as_str(), &request.target, request.body.as_deref())
        });
        let done = Box::new(move |answer, endpoint: Arc<Endpoint>| {
            audited::landed(&mut entry, &endpoint, &answer);
            done(answer, end.reader(endpoint, entry));
        });
        let (request, token) = (Some(request), self.token);
        Flight { client, request, token, tries, cancel, done }.begin();
    }
}

impl<T: Send + 'static> End<T> {
    /// What makes the result of an answer of this endpoint.
    fn reader(self, endpoint: Arc<Endpoint>, entry: Option<Box<Entry>>) -> Reader<T> {
        let End { method, headers, changes, path, finish } = self;
        Box::new(move |answer| {
            let answer =
                answer.map_err(|error| super::explain(error, method, &path, &headers, changes));
            audited::finished(entry, finish(endpoint.shown(), answer))
        })
    }
}

impl<T: Send + 'static> IntoFuture for Operation<T> {
    type Output = Result<T>;
    type IntoFuture = Running<T>;

    fn into_future(self) -> Running<T> {
        Running(State::Fresh(Some(self)))
    }
}

impl<T: Send + 'static> IntoFuture for Outcome<T> {
    type Output = Result<T>;
    type IntoFuture = Running<T>;

    fn into_future(self) -> Running<T> {
        match self {
            Outcome::Ready(value) => Running(State::Ready(Some(value))),
            Outcome::Later(operation) => operation.into_future(),
        }
    }
}

/// An operation that is awaited.
pub struct Running<T>(State<T>);

enum State<T> {
    Ready(Option<T>),
    Fresh(Option<Operation<T>>),
    Started { slot: Arc<Slot<T>>, cancel: CancelToken, own: bool },
    Over,
}

impl<T> Unpin for Running<T> {}

/// Where the answer is left, and who waits for it.
struct Slot<T>(Mutex<(Option<Arrived<T>>, Option<Waker>)>);

impl<T: Send + 'static> Future for Running<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if let State::Ready(value) = &mut self.0
            && let Some(value) = value.take()
        {
            self.0 = State::Over;
            return Poll::Ready(Ok(value));
        }
        if let State::Fresh(operation) = &mut self.0
            && let Some(operation) = operation.take()
        {
            self.0 = begin(operation);
        }
        let State::Started { slot, .. } = &self.0 else { return Poll::Pending };
        let arrived = {
            let mut slot = slot.0.lock();
            slot.1 = Some(context.waker().clone());
            slot.0.take()
        };
        match arrived {
            Some(arrived) => {
                self.0 = State::Over;
                Poll::Ready(arrived())
            }
            None => Poll::Pending,
        }
    }
}

fn begin<T: Send + 'static>(operation: Operation<T>) -> State<T> {
    let slot = Arc::new(Slot(Mutex::new((None, None))));
    let given = operation.client.bounds.cancel.clone();
    let own = given.is_none();
    let cancel = given.unwrap_or_default();
    let filling = Filling(Some(slot.clone()));
    operation.start(cancel.clone(), move |arrived| filling.fill(arrived));
    State::Started { slot, cancel, own }
}

/// Whoever waits for the slot is not left alone, also where the operation is given up.
struct Filling<T: Send + 'static>(Option<Arc<Slot<T>>>);

impl<T: Send + 'static> Filling<T> {
    fn fill(mut self, arrived: Arrived<T>) {
        self.put(arrived);
    }

    fn put(&mut self, arrived: Arrived<T>) {
        let Some(slot) = self.0.take() else { return };
        let waker = {
            let mut slot = slot.0.lock();
            slot.0 = Some(arrived);
            slot.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: Send + 'static> Drop for Filling<T> {
    fn drop(&mut self) {
        let message = "a fault in the library: the operation was given up";
        self.put(Box::new(move || Err(Error::new(Status::Internal, message))));
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        if let State::Started { cancel, own: true, .. } = &self.0 {
            cancel.cancel(Status::Cancelled, "nobody waits for it any more");
        }
    }
}
