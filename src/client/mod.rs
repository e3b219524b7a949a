//! The client: what stands around each call. Settings, token, consistency, deadline, and what an
//! HTTP status means.

mod bounds;
mod call;
mod contact;
mod embedded;
mod failure;
mod operation;
mod style;
mod target;

pub use call::{Accept, Call};
pub use contact::Reachability;
pub use embedded::Embedded;
pub(crate) use operation::Reader;
pub use operation::{Operation, Running};
pub use style::{Blocking, Deferred, Either, Outcome, Style};
pub(crate) use target::Target;

use crate::config::{Config, Settings};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::runtime::{BootClock, Upkeep, io};
use crate::sys::PerProcess;
use crate::transport::{Method, Request, Response, Stream, Transport};
use base64_simd::STANDARD;
use bounds::Bounds;
use contact::Contact;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderName, HeaderValue, header};

/// A client of one Consul agent. Cloning gives another handle to the same client. Any method from
/// any thread.
///
/// Its calls wait for their answer; those of [`Client::deferred`] give an [`Operation`] instead.
#[derive(Clone)]
pub struct Client<S: Style = Blocking> {
    shared: Arc<Shared>,
    bounds: Bounds,
    style: S,
}

struct Shared {
    settings: Settings,
    transport: Arc<dyn Transport>,
    token: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    upkeep: PerProcess<Arc<Upkeep>>,
    contact: Contact,
}

const DAY: Duration = Duration::from_secs(86_400);

const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");

impl Client {
    /// A client with this configuration. Reads the files that it names; connects on first use.
    pub fn new(config: &Config) -> Result<Client> {
        let settings = Settings::resolve(config)?;
        let transport = crate::transport::open(&settings)?;
        Client::with_transport(settings, transport)
    }

    fn with_transport(settings: Settings, transport: Arc<dyn Transport>) -> Result<Client> {
        let token = settings.token.as_deref().map(secret_header).transpose()?;
        let mut headers = Vec::new();
        if let Some(user) = &settings.http_auth {
            let user = if user.contains(':') { user.clone() } else { format!("{user}:") };
            let value = secret_header(&format!("Basic {}", STANDARD.encode_to_string(user)))?;
            headers.push((header::AUTHORIZATION, value));
        }
        let upkeep = PerProcess::new();
        let contact = Contact::new();
        let shared = Shared { settings, transport, token, headers, upkeep, contact };
        log::add(Level::Info, "client", || format!("opened for {}", shared.transport.endpoint()));
        Ok(Client { shared: Arc::new(shared), bounds: Bounds::default(), style: Blocking })
    }

    /// A client with a transport and a clock of the test's own.
    #[cfg(test)]
    pub(crate) fn for_test(
        config: &Config,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn crate::runtime::Clock>,
    ) -> Client {
        let client = Client::with_transport(Settings::resolve(config).unwrap(), transport).unwrap();
        client.shared.upkeep.get_or_init(|| Arc::new(Upkeep::new(clock)));
        client
    }
}

impl<S: Style> Client<S> {
    /// One exchange on this thread: adds what every call carries, sends it, and makes an error of
    /// every HTTP status that the call does not accept.
    fn send(&self, call: Call<'_>) -> Result<Response> {
        let settings = &self.shared.settings;
        let deadline = self.bounds.deadline_after(call.timeout(settings));
        let headers = self.headers(&call)?;
        let (method, accept, changes) = (call.method, call.accept, call.changes);
        let (body, replay) = (call.body, call.replay && !self.bounds.once);
        let target = call.into_target(settings);
        let answer = self.shared.transport.exchange(Request {
            method,
            target: target.as_str(),
            headers: &headers,
            body,
            deadline,
            replay,
            max_answer: settings.max_answer_bytes,
            lane: self.bounds.lane,
            cancel: self.bounds.cancel.as_ref(),
        });
        self.shared.contact.heard(&answer);
        judge(answer, accept, self.endpoint())
            .map_err(|error| explain(error, method, target.shown(), &headers, changes))
    }

    /// As [`Client::send`], with a stream in the place of a body; nothing is sent twice.
    pub(crate) fn send_stream(&self, call: Call<'_>, stream: Stream<'_>) -> Result<Response> {
        let settings = &self.shared.settings;
        let deadline = self.bounds.deadline_after(call.timeout(settings));
        let headers = self.headers(&call)?;
        let (method, accept, changes) = (call.method, call.accept, call.changes);
        let target = call.into_target(settings);
        let request = Request {
            method,
            target: target.as_str(),
            headers: &headers,
            body: None,
            deadline,
            replay: false,
            max_answer: settings.max_answer_bytes,
            lane: self.bounds.lane,
            cancel: self.bounds.cancel.as_ref(),
        };
        let answer = self.shared.transport.stream(request, stream);
        self.shared.contact.heard(&answer);
        judge(answer, accept, self.endpoint())
            .map_err(|error| explain(error, method, target.shown(), &headers, changes))
    }

    /// The same client, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> Client<Deferred> {
        self.styled(Deferred)
    }

    /// The same client, whose calls wait for their answer.
    pub fn blocking(&self) -> Client {
        self.styled(Blocking)
    }

    /// The same client, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> Client<T> {
        Client { shared: self.shared.clone(), bounds: self.bounds.clone(), style }
    }

    pub(crate) fn style(&self) -> S {
        self.style
    }

    /// One exchange in the client's style.
    #[inline]
    pub(crate) fn exchange<T: Send + 'static>(
        &self,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<S::Output<T>> {
        S::exchange(self, call, finish)
    }

    /// Several exchanges, and what is between them, in the client's style.
    pub(crate) fn run<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Result<S::Output<T>> {
        S::run(self, recipe)
    }

    /// Where this client's calls go: `http://127.0.0.1:8500`.
    pub fn endpoint(&self) -> &str {
        self.shared.transport.endpoint()
    }

    /// Deregisters the services that are kept registered, releases the locks that are held, ends the
    /// sessions that are kept alive, waits for the threads of this client, and shuts it down.
    /// `Status::Timeout` when that took longer: what is left at Consul ends by its TTL.
    pub fn close(&self, timeout: Duration) -> Result<()> {
        let started = Instant::now();
        let deadline = started.checked_add(timeout).unwrap_or(started + DAY);
        let upkeep = self.upkeep();
        let gave_back = upkeep.leave(deadline);
        self.shutdown();
        let lane_ended = upkeep.lane.wait_closed(deadline);
        let answered = self.shared.transport.wait_closed(deadline);
        if gave_back && lane_ended && answered && io::wait_ended(deadline) {
            return Ok(());
        }
        let message = format!("not everything could be given back within {timeout:?}");
        Err(Error::new(Status::Timeout, message).with_endpoint(self.endpoint()))
    }

    /// Ends every call in flight with `Status::Closed` and refuses new ones. Locks are lost and
    /// sessions left to their TTL. Returns at once.
    pub fn shutdown(&self) {
        if self.upkeep().lane.check_open().is_ok() {
            log::add(Level::Info, "client", || format!("closed for {}", self.endpoint()));
        }
        self.shared.transport.close();
        self.upkeep().close();
    }

    /// Whether the agent answers, as far as the calls of this client tell. Never blocks.
    pub fn reachability(&self) -> Reachability {
        self.shared.contact.reachability()
    }

    /// What the client keeps up between calls, in this process. Starts nothing.
    pub(crate) fn upkeep(&self) -> &Arc<Upkeep> {
        self.shared.upkeep.get_or_init(|| Arc::new(Upkeep::new(Arc::new(BootClock))))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    fn headers(&self, call: &Call<'_>) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let mut headers = self.shared.headers.clone();
        let token = match call.options.token.as_deref() {
            Some(token) => Some(secret_header(token)?),
            None => self.shared.token.clone(),
        };
        headers.extend(token.map(|token| (TOKEN, token)));
        if let Some(content_type) = call.content_type {
            let value = HeaderValue::from_str(content_type)
                .map_err(|_| Error::argument("the content type cannot stand in an HTTP header"))?;
            headers.push((header::CONTENT_TYPE, value));
        }
        Ok(headers)
    }
}

/// Makes an error of every HTTP status that the call does not accept.
fn judge(answer: Result<Response>, accept: Accept, endpoint: &str) -> Result<Response> {
    let response = answer?;
    if accept.takes(response.status) && !failure::is_limit(&response) {
        return Ok(response);
    }
    Err(failure::from_answer(&response).with_endpoint(endpoint))
}

/// The failure of a call, saying which call it was.
fn explain(
    error: Error,
    method: Method,
    shown: &str,
    headers: &[(HeaderName, HeaderValue)],
    changes: bool,
) -> Error {
    // A read has no outcome to be unsure of.
    let unknown = changes && error.is_outcome_unknown();
    without_secrets(error, headers)
        .with_outcome_unknown(unknown)
        .context(format_args!("{} {shown}", method.as_str()))
}

/// Nothing that came back, echoed by a server or a proxy, may carry a credential into a message.
fn without_secrets(error: Error, headers: &[(HeaderName, HeaderValue)]) -> Error {
    let secrets = headers
        .iter()
        .filter(|(_, value)| value.is_sensitive())
        .filter_map(|(_, value)| value.to_str().ok())
        .filter(|secret| !secret.is_empty());
    error.map_message(|message| {
        secrets.fold(message, |message, secret| message.replace(secret, "<hidden>"))
    })
}

/// A header value that is never printed.
fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::argument("the token has a character that cannot stand in an HTTP header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
