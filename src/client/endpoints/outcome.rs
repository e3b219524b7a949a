//! What one try tells about the agent that was asked, apart from what it means for the call.

use crate::client::{Accept, failure};
use crate::error::{Error, Result, Status};
use crate::transport::Response;
use std::time::Duration;

/// The longest time that an agent can ask to be left alone.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// What one try tells about the agent.
#[derive(Debug)]
pub(in crate::client) enum Outcome<'a> {
    /// It has answered, whatever the answer.
    Served {
        /// The answer proves that there is a leader.
        needs_leader: bool,
    },
    /// It limits the rate of requests, or the number of connections.
    Limited {
        error: &'a Error,
        /// Another server may still take the request: a 503 says that the cluster is at its limit.
        here_only: bool,
        retry_after: Option<Duration>,
    },
    /// There is no leader, or none that it can reach.
    NoLeader(&'a Error),
    /// The time was over.
    Slow(&'a Error),
    /// No connection, or one that broke.
    Unreachable(&'a Error),
    /// What ended the call has nothing to do with the agent.
    NotItsFault,
}

impl Outcome<'_> {
    pub(in crate::client) fn error(&self) -> Option<&Error> {
        match self {
            Outcome::Limited { error, .. }
            | Outcome::NoLeader(error)
            | Outcome::Slow(error)
            | Outcome::Unreachable(error) => Some(error),
            Outcome::Served { .. } | Outcome::NotItsFault => None,
        }
    }
}

/// What an answer means for the call: the answer itself, or its error and when to come again.
pub(in crate::client) struct Judged {
    pub(in crate::client) answer: Result<Response>,
    /// Consul itself has answered.
    http_status: u16,
    retry_after: Option<Duration>,
}

impl Judged {
    /// Makes an error of every HTTP status that the call does not accept.
    pub(in crate::client) fn new(
        answer: Result<Response>,
        accept: Accept,
        endpoint: &str,
    ) -> Judged {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return Judged { answer: Err(error), http_status: 0, retry_after: None },
        };
        let http_status = response.status;
        if accept.takes(http_status) && !failure::is_limit(&response) {
            return Judged { answer: Ok(response), http_status, retry_after: None };
        }
        let retry_after = retry_after(&response);
        let error = failure::from_answer(&response).with_endpoint(endpoint);
        Judged { answer: Err(error), http_status, retry_after }
    }

    /// What it tells about the agent.
    pub(in crate::client) fn outcome(&self, needs_leader: bool) -> Outcome<'_> {
        let error = match &self.answer {
            Ok(_) => return Outcome::Served { needs_leader },
            Err(error) => error,
        };
        match error.status() {
            _ if error.is_local() => Outcome::NotItsFault,
            // Consul 1.8 cuts the connections beyond its limit, and so does one that is killed.
            Status::RateLimited if self.http_status != 0 => Outcome::Limited {
                error,
                here_only: self.http_status != 503,
                retry_after: self.retry_after,
            },
            Status::NoLeader => Outcome::NoLeader(error),
            Status::Http if self.http_status >= 500 && error.is_retryable() => {
                Outcome::NoLeader(error)
            }
            _ if self.http_status != 0 => Outcome::Served { needs_leader: false },
            Status::Timeout => Outcome::Slow(error),
            Status::Connect | Status::Tls | Status::Io | Status::Decode | Status::RateLimited => {
                Outcome::Unreachable(error)
            }
            _ => Outcome::NotItsFault,
        }
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); its form as a date is not used by Consul.
fn retry_after(response: &Response) -> Option<Duration> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    let text = response.headers.get("Retry-After")?;
    let seconds = text.parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Headers;

    fn judged(status: u16, body: &str, accept: Accept) -> Judged {
        let headers = Headers::default().with("Retry-After", 3).with("X-Consul-Index", 1);
        let response = Response { status, headers, body: body.as_bytes().to_vec() };
        Judged::new(Ok(response), accept, "http://a")
    }

    fn word(judged: &Judged) -> &'static str {
        match judged.outcome(true) {
            Outcome::Served { .. } => "served",
            Outcome::Limited { here_only: true, .. } => "limited here",
            Outcome::Limited { .. } => "limited",
            Outcome::NoLeader(_) => "no leader",
            Outcome::Slow(_) => "slow",
            Outcome::Unreachable(_) => "unreachable",
            Outcome::NotItsFault => "not its fault",
        }
    }

    /// D1, D4: what an HTTP status and its text mean for the choice of a server.
    #[test]
    fn answers_tell_how_the_agent_is() {
        let plain = Accept::Success;
        for (status, body, accept, expected) in [
            (200, "", plain, "served"),
            (403, "Permission denied", plain, "served"),
            (404, "", plain, "served"),
            (400, "Bad request", plain, "served"),
            (500, "invalid session \"x\"", plain, "served"),
            (500, "No cluster leader", plain, "no leader"),
            (500, "rpc error making call: EOF", plain, "no leader"),
            (
                500,
                "rpc error making call: leadership lost while committing log",
                plain,
                "no leader",
            ),
            (500, "rpc error making call: Intention not found", plain, "served"),
            (500, "rpc error making call: rpc error making call: something new", plain, "served"),
            (502, "Bad Gateway", plain, "no leader"),
            (429, "", plain, "limited here"),
            (503, "rate limit exceeded, try again later", plain, "limited"),
            (503, "critical", Accept::Health, "served"),
            (429, "warning", Accept::Health, "served"),
            (429, "", Accept::Health, "limited here"),
        ] {
            assert_eq!(word(&judged(status, body, accept)), expected, "{status} {body}");
        }
    }

    #[test]
    fn failures_without_an_answer_tell_how_the_agent_is() {
        let judged = |error| Judged::new(Err(error), Accept::Success, "http://a");
        for (status, expected) in [
            (Status::Connect, "unreachable"),
            (Status::Io, "unreachable"),
            (Status::RateLimited, "unreachable"),
            (Status::Tls, "unreachable"),
            (Status::Decode, "unreachable"),
            (Status::Timeout, "slow"),
            (Status::Cancelled, "not its fault"),
            (Status::Closed, "not its fault"),
            (Status::TooLarge, "not its fault"),
        ] {
            assert_eq!(word(&judged(Error::new(status, ""))), expected, "{status:?}");
        }
        let waited = Error::new(Status::Timeout, "").with_local(true);
        assert_eq!(word(&judged(waited)), "not its fault");
    }

    #[test]
    fn retry_after_is_read_where_it_belongs() {
        let seconds = |status| match judged(status, "", Accept::Success).outcome(true) {
            Outcome::Limited { retry_after, .. } => retry_after.map(|time| time.as_secs()),
            _ => None,
        };
        assert_eq!((seconds(429), seconds(500)), (Some(3), None));
    }
}
