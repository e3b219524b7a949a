//! The client: what stands around each call. Settings, token, consistency, deadline, and what an
//! HTTP status means.

mod bounds;
mod call;
mod failure;
mod target;

pub(crate) use call::{Accept, Call};
pub(crate) use target::Target;

use crate::config::{Config, Settings};
use crate::error::{Error, Result, Status};
use crate::runtime::{BootClock, Upkeep};
use crate::transport::{Request, Response, Transport};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bounds::Bounds;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use ureq::http::{HeaderName, HeaderValue, header};

/// A client of one Consul agent. Cloning gives another handle to the same client. Any method from
/// any thread.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    bounds: Bounds,
}

struct Shared {
    settings: Settings,
    transport: Arc<dyn Transport>,
    token: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    upkeep: OnceLock<Arc<Upkeep>>,
}

const DAY: Duration = Duration::from_secs(86_400);

const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");

impl Client {
    /// A client with this configuration. Reads the files that it names; connects on first use.
    pub fn new(config: &Config) -> Result<Client> {
        let settings = Settings::resolve(config)?;
        let transport = crate::transport::http::HttpTransport::new(&settings)?;
        Client::with_transport(settings, Arc::new(transport))
    }

    fn with_transport(settings: Settings, transport: Arc<dyn Transport>) -> Result<Client> {
        let token = settings.token.as_deref().map(secret_header).transpose()?;
        let mut headers = Vec::new();
        if let Some(user) = &settings.http_auth {
            let user = if user.contains(':') { user.clone() } else { format!("{user}:") };
            let value = secret_header(&format!("Basic {}", STANDARD.encode(user)))?;
            headers.push((header::AUTHORIZATION, value));
        }
        let upkeep = OnceLock::new();
        let shared = Shared { settings, transport, token, headers, upkeep };
        Ok(Client { shared: Arc::new(shared), bounds: Bounds::default() })
    }

    /// Where this client's calls go: `http://127.0.0.1:8500`.
    pub fn endpoint(&self) -> &str {
        self.shared.transport.endpoint()
    }

    /// Releases the locks that are held, ends the sessions that are kept alive, waits for the
    /// threads of this client, and shuts it down. `Status::Timeout` when that took longer: what is
    /// left at Consul ends by its TTL.
    pub fn close(&self, timeout: Duration) -> Result<()> {
        let started = Instant::now();
        let deadline = started.checked_add(timeout).unwrap_or(started + DAY);
        let upkeep = self.upkeep();
        let gave_back = upkeep.leave(deadline);
        self.shutdown();
        let lane_ended = upkeep.lane.wait_closed(deadline);
        if self.shared.transport.wait_closed(deadline) && lane_ended && gave_back {
            return Ok(());
        }
        let message = format!("not everything could be given back within {timeout:?}");
        Err(Error::new(Status::Timeout, message).with_endpoint(self.endpoint()))
    }

    /// Ends every call in flight with `Status::Closed` and refuses new ones. Locks are lost and
    /// sessions left to their TTL. Returns at once.
    pub fn shutdown(&self) {
        self.shared.transport.close();
        self.upkeep().close();
    }

    /// What the client keeps up between calls. Starts nothing.
    pub(crate) fn upkeep(&self) -> &Arc<Upkeep> {
        self.shared.upkeep.get_or_init(|| Arc::new(Upkeep::new(Arc::new(BootClock))))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// One exchange: adds what every call carries, sends it, and makes an error of every HTTP
    /// status that the call does not accept.
    pub(crate) fn send(&self, call: Call<'_>) -> Result<Response> {
        let settings = &self.shared.settings;
        let deadline = Instant::now() + call.timeout(settings);
        let deadline = self.bounds.deadline.map_or(deadline, |bound| bound.min(deadline));
        let headers = self.headers(&call)?;
        let (method, accept, changes) = (call.method, call.accept, call.changes);
        let (body, replay) = (call.body, call.replay);
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
        let error = match answer {
            Ok(response) if accept.takes(response.status) && !failure::is_limit(&response) => {
                return Ok(response);
            }
            Ok(response) => failure::from_answer(&response).with_endpoint(self.endpoint()),
            Err(error) => error,
        };
        // A read has no outcome to be unsure of.
        let unknown = changes && error.is_outcome_unknown();
        Err(without_secrets(error, &headers).with_outcome_unknown(unknown).context(format_args!(
            "{} {}",
            method.as_str(),
            target.shown()
        )))
    }

    /// A client with a transport and a clock of the test's own.
    #[cfg(test)]
    pub(crate) fn for_test(
        config: &Config,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn crate::runtime::Clock>,
    ) -> Client {
        let client = Client::with_transport(Settings::resolve(config).unwrap(), transport).unwrap();
        let _ = client.shared.upkeep.set(Arc::new(Upkeep::new(clock)));
        client
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
