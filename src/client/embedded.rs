//! An embedded agent as its test sees it.

use super::{Client, Style};
use crate::error::{Error, Result, Status};
use crate::transport::Control;
use std::time::Duration;

/// The embedded agent of a client: its clock, which can be turned on, and faults to order.
///
/// It lives as long as a client of it does; this does not keep it alive for others. Any method from
/// any thread.
///
/// ```
/// # fn main() -> consul_ffi::Result<()> {
/// use consul_ffi::embedded::Embedded;
/// use consul_ffi::{Client, Config, Options};
///
/// let mut config = Config::without_environment();
/// config.set("address", "embedded:")?;
/// let client = Client::new(&config)?;
/// let agent = Embedded::of(&client)?;
/// agent.under("/v1/kv/").fail_next(1, 500, "rpc error making call: EOF")?;
/// assert!(client.kv().put("greeting", b"hello", 0, &Options::new()).is_err());
/// assert!(client.kv().put("greeting", b"hello", 0, &Options::new()).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Embedded(Control);

impl Embedded {
    /// The agent of this client. `Status::Unsupported` when that one is not embedded.
    pub fn of<S: Style>(client: &Client<S>) -> Result<Embedded> {
        client.shared.setup.load().endpoints.in_use().transport.embedded().map(Embedded).ok_or_else(
            || {
                let message =
                    "the client's agent is not embedded: its address is not \"embedded:\"";
                Error::new(Status::Unsupported, message).with_endpoint(client.endpoint())
            },
        )
    }

    /// The same agent; faults that are ordered here meet only requests whose path begins with this,
    /// such as `/v1/kv/`.
    pub fn under(&self, prefix: &str) -> Embedded {
        Embedded(self.0.under(prefix))
    }

    /// Turns the agent's clock on. What is due until then has happened when this returns: sessions
    /// have ended, waits are over. It can be turned by a year in all.
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// Stops the agent's clock: from now on it goes on as it is turned alone. Then nothing a test sees
    /// depends on how busy the machine is.
    pub fn stop_clock(&self) {
        self.0.stop_clock();
    }

    /// How long the agent has lived, by its own clock.
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// How many requests wait at this moment: blocking queries, and what latency or a missing leader
    /// holds back. A test that turns the clock under a blocking query looks here first, whether the
    /// query has arrived.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Takes sessions with TTLs from this one on, as a Consul whose `session_ttl_min` it is; 10 s
    /// before. (The client refuses what is below its own setting `min_session_ttl_ms`.)
    pub fn set_session_ttl_min(&self, ttl: Duration) {
        self.0.set_session_ttl_min(ttl);
    }

    /// Lets every request wait this long, by the agent's clock, before it is looked at. Zero ends
    /// that.
    pub fn set_latency(&self, latency: Duration) {
        self.0.set_latency(latency);
    }

    /// Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does
    /// nothing for them. 0 takes the order back.
    pub fn fail_next(&self, count: u64, http_status: u16, text: &str) -> Result<()> {
        if !(400..=599).contains(&http_status) {
            let message = format!("http_status {http_status} is no failure, it takes 400 to 599");
            return Err(Error::argument(message));
        }
        self.0.fail_next(count, http_status, text);
        Ok(())
    }

    /// Takes the leader away, or gives one back. Without one, requests that need it are held for
    /// seven seconds, and answered with `500 No cluster leader` when there is still none; stale reads
    /// are answered.
    pub fn no_leader(&self, is_gone: bool) {
        self.0.no_leader(is_gone);
    }

    /// Does what the next `count` requests ask for and loses the answers: whether it was done is
    /// unknown to who asked. 0 takes the order back.
    pub fn lose_answers(&self, count: u64) {
        self.0.lose_answers(count);
    }

    /// Takes every order back, whatever its prefix.
    pub fn reset_faults(&self) {
        self.0.reset_faults();
    }
}
