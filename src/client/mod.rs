//! The client: what stands around each call. Settings, token, consistency, deadline, which address
//! serves it, and what an HTTP status means.

mod audited;
mod bounds;
mod call;
mod contact;
mod embedded;
mod endpoints;
mod failure;
mod flight;
mod operation;
mod prepared;
mod reload;
mod said;
mod setup;
mod stamp;
mod streamed;
mod style;
mod target;
mod token;
mod tries;
mod vault;

pub use call::{Accept, Call};
pub use contact::Reachability;
pub use embedded::Embedded;
pub use endpoints::{
    Condition, EndpointChange, EndpointListener, EndpointNews, EndpointState, EndpointStats,
};
pub(crate) use operation::Reader;
pub use operation::{Operation, Running};
pub(crate) use streamed::{Anew, Streamed};
pub use style::{Blocking, Deferred, Either, Outcome, Style};
pub(crate) use target::Target;
pub(crate) use vault::{Sealing, Vault};

use crate::config::{Config, Settings};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::observe::shown;
use crate::runtime::{self, BootClock, Upkeep, io};
use crate::sync::Mutex;
use crate::sys::{self, PerProcess};
use crate::transport::{Method, Request, Response, Transport};
use arc_swap::ArcSwap;
use audited::Landed;
use bounds::Bounds;
use endpoints::{Endpoints, News};
use prepared::Prepared;
use setup::Setup;
use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tries::Verdict;
use ureq::http::{HeaderName, HeaderValue};

/// A client of a Consul agent, or of the servers of one cluster. Cloning gives another handle to the same client. Any method from
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
    setup: ArcSwap<Setup>,
    upkeep: PerProcess<Arc<Upkeep>>,
    /// Those whose place others have taken, as long as calls are in flight there.
    retired: PerProcess<Mutex<Vec<Weak<Endpoints>>>>,
    closed: AtomicBool,
}

impl Shared {
    fn retired(&self) -> &Mutex<Vec<Weak<Endpoints>>> {
        self.retired.get_or_init(Mutex::default)
    }
}

/// How long a client that is needed no more is there for what it gives back.
const FAREWELL: Duration = Duration::from_secs(5);

const DAY: Duration = Duration::from_secs(86_400);

const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");

impl Client {
    /// A client with this configuration. Reads the files that it names; connects on first use.
    pub fn new(config: &Config) -> Result<Client> {
        Ok(Client::with(Setup::new(Settings::resolve(config)?, News::new())?))
    }

    fn with(setup: Setup) -> Client {
        setup.endpoints.tell_in_place_of(None);
        let shared = Shared {
            setup: ArcSwap::from_pointee(setup),
            upkeep: PerProcess::new(),
            retired: PerProcess::new(),
            closed: AtomicBool::new(false),
        };
        let client =
            Client { shared: Arc::new(shared), bounds: Bounds::default(), style: Blocking };
        log::add(Level::Info, "client", || format!("opened for {}", client.addresses()));
        client
    }

    /// A client with a transport and a clock of the test's own.
    #[cfg(test)]
    pub(crate) fn for_test(
        config: &Config,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn crate::runtime::Clock>,
    ) -> Client {
        let settings = Settings::resolve(config).unwrap();
        let client = Client::with(Setup::with_transport(settings, transport).unwrap());
        client.shared.upkeep.get_or_init(|| Arc::new(Upkeep::new(clock)));
        client
    }
}

impl<S: Style> Client<S> {
    /// One call on this thread: adds what every call carries, sends it, again where that helps and
    /// does no harm, and gives the answer and the endpoint that it came from. An HTTP status that the
    /// call does not accept is an error.
    fn send(&self, call: Call<'_>) -> Result<Landed> {
        let mut call = self.prepare(call)?;
        self.carry(&mut call, |transport, request| transport.exchange(request))
    }

    /// As [`Client::send`], with a stream in the place of a body. It is begun anew for each further try.
    pub(crate) fn send_stream(&self, call: Call<'_>, mut stream: Streamed<'_>) -> Result<Response> {
        let mut call = self.prepare(call)?;
        (call.body, call.replay) = (None, false);
        call.terms = call.terms.streamed();
        let mut is_used = false;
        let landed = self.carry(&mut call, |transport, request| {
            if std::mem::replace(&mut is_used, true) {
                stream.begin_anew()?;
            }
            transport.stream(request, stream.lent())
        })?;
        landed.plain()
    }

    /// One call, whose tries are carried by this.
    #[inline]
    fn carry(
        &self,
        call: &mut Prepared<'_>,
        mut exchange: impl FnMut(&dyn Transport, Request<'_>) -> Result<Response>,
    ) -> Result<Landed> {
        let entry = call.entry();
        let mut tries = call.terms.begin(call.setup.endpoints.clone(), &self.bounds);
        let mut verdict = tries.begin();
        let answer = loop {
            match verdict {
                Verdict::Over(answer) => match call.token.renewed(&answer, &mut call.headers) {
                    true => tries.repeat(),
                    false => break answer,
                },
                Verdict::Again(Duration::ZERO) => {}
                Verdict::Again(pause) => {
                    if let Err(error) = self.pause(&call.setup, pause) {
                        break Err(error);
                    }
                }
            }
            let attempt = tries.next();
            let other = tries.other_answerer().map(|answerer| call.target.answered_by(answerer));
            let mut request = call.request(&attempt, &self.bounds);
            request.target = other.as_deref().unwrap_or(request.target);
            let answer = exchange(&*tries.endpoint().transport, request);
            verdict = tries.take(answer, || self.upkeep().jitter.unit());
        };
        let answer = answer.map_err(|error| call.explain(error));
        Ok(Landed { answer, endpoint: tries.endpoint().clone(), entry })
    }

    /// Waits before the next round over the addresses.
    fn pause(&self, setup: &Setup, pause: Duration) -> Result<()> {
        for slice in slices(pause) {
            setup.endpoints.check_open()?;
            runtime::sleep(&self.cancel(), slice, setup.settings.interruptible)?;
        }
        Ok(())
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

    /// Where this client's calls go at the moment: `http://127.0.0.1:8500`.
    pub fn endpoint(&self) -> String {
        self.shared.setup.load().endpoints.in_use().shown().to_string()
    }

    /// Its addresses as they were configured, and how each is getting on. Never blocks.
    pub fn endpoints(&self) -> Vec<EndpointStats> {
        self.shared.setup.load().endpoints.stats()
    }

    /// Has this one told, from now on and nobody else, when one of its addresses fails or serves
    /// again, and when calls go to another one. An error once the client is closed.
    pub fn set_endpoint_listener(&self, listener: Option<EndpointListener>) -> Result<()> {
        self.shared.setup.load().endpoints.listen(listener)
    }

    /// All its addresses in a line.
    pub(crate) fn addresses(&self) -> String {
        let endpoints = &self.shared.setup.load().endpoints;
        let shown = (0..endpoints.count()).map(|i| endpoints.at(i).shown().to_string());
        shown.collect::<Vec<_>>().join(",")
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
        let answered = self.shared.setup.load().endpoints.wait_closed(deadline);
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
            log::add(Level::Info, "client", || format!("closed for {}", self.addresses()));
        }
        self.shared.close();
        self.upkeep().close();
    }

    /// Ends it as [`Client::shutdown`] does, for who needs it no more: but what is being given back
    /// already, because a lock was dropped before, is given back first, in the background and in some
    /// seconds at most. Returns at once.
    pub(crate) fn retire(&self) {
        if !self.upkeep().is_giving_back() {
            return self.shutdown();
        }
        self.shared.end_calls();
        self.upkeep().stop_waiting();
        let client = self.blocking();
        let waiting = sys::spawn("consul-close", move || {
            client.upkeep().wait_given_back(Instant::now() + FAREWELL);
            client.shutdown();
        });
        if waiting.is_err() {
            self.shutdown();
        }
    }

    /// Whether the agent answers, as far as the calls of this client tell. Never blocks.
    pub fn reachability(&self) -> Reachability {
        self.shared.setup.load().endpoints.reachability()
    }

    /// What the client keeps up between calls, in this process. Starts nothing.
    pub(crate) fn upkeep(&self) -> &Arc<Upkeep> {
        self.shared.upkeep.get_or_init(|| Arc::new(Upkeep::new(Arc::new(BootClock))))
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.shared.setup.load().settings.clone()
    }

    /// What encrypts and decrypts values, where a key is set.
    pub(crate) fn vault(&self) -> Option<Arc<Vault>> {
        match self.bounds.as_stored {
            true => None,
            false => self.shared.setup.load().vault.clone(),
        }
    }

    /// Refuses a value that could not be read again under this key, where that is known before it is
    /// sent.
    pub(crate) fn check_sealing(&self, key: &str, value: &[u8]) -> Result<()> {
        self.vault().map_or(Ok(()), |vault| vault.check(key, value))
    }

    /// What of a value is sent for this key: itself, or what it is encrypted to.
    pub(crate) fn sealed<'a>(&self, key: &str, value: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        match self.vault() {
            Some(vault) => vault.seal(key, value),
            None => Ok(Cow::Borrowed(value)),
        }
    }
}

/// A pause in parts so short that a client which is closed meanwhile is not waited for.
fn slices(pause: Duration) -> impl Iterator<Item = Duration> {
    const SLICE: Duration = Duration::from_millis(20);
    let mut left = pause;
    std::iter::from_fn(move || {
        let slice = left.min(SLICE);
        left -= slice;
        (!slice.is_zero()).then_some(slice)
    })
}

/// The failure of a call, saying which call it was.
fn explain(
    error: Error,
    method: Method,
    path: &str,
    headers: &[(HeaderName, HeaderValue)],
    changes: bool,
) -> Error {
    // A read has no outcome to be unsure of.
    let unknown = changes && error.is_outcome_unknown();
    let what = format!("{} {}", method.as_str(), shown::path(path));
    without_secrets(error, headers)
        .map_message(|message| shown::message(message, path))
        .with_outcome_unknown(unknown)
        .context(what)
}

/// Nothing that came back, echoed by a server or a proxy, may carry a credential into a message.
fn without_secrets(error: Error, headers: &[(HeaderName, HeaderValue)]) -> Error {
    let secrets = headers
        .iter()
        .filter(|(_, value)| value.is_sensitive())
        .filter_map(|(_, value)| value.to_str().ok())
        .filter(|secret| !secret.is_empty());
    error.map_message(|message| {
        secrets.fold(message, |message, secret| message.replace(secret, shown::HIDDEN))
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
