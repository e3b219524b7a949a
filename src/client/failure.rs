//! What an HTTP status and Consul's text beside it mean.
//!
//! Consul 1.8 dresses many mistakes of the caller as 500, so the status alone does not tell: the
//! text does (agent/http.go and agent/consul/rpc.go of Consul's source).

use super::said::Said;
use crate::error::{Error, Status};
use crate::transport::Response;

const MAX_SHOWN: usize = 500;

/// The error for an answer that the call does not accept.
pub(super) fn from_answer(response: &Response) -> Error {
    let text = shown(&response.body);
    let said = Said::new(&text);
    let (status, retryable) = match response.status {
        403 => (Status::Denied, false),
        404 if is_unknown_endpoint(response) => (Status::Unsupported, false),
        404 => (Status::NotFound, false),
        413 => (Status::TooLarge, false),
        429 => (Status::RateLimited, true),
        // A 404 in newer versions.
        500 if said.has(&["does not have associated TTL", "Unknown check"]) => {
            (Status::NotFound, false)
        }
        // Said with ACLs alone: without them Consul 1.8 deregisters what it does not have.
        500 if said.begins(&["Unknown service"]) => (Status::NotFound, false),
        500.. if said.has(&["Permission denied", "ACL not found"]) => (Status::Denied, false),
        500.. if said.is_leaderless() => (Status::NoLeader, true),
        500.. if said.has(&["rate limit"]) => (Status::RateLimited, true),
        500 if said.has(&["user event exceeds"]) => (Status::TooLarge, false),
        // The second of an id that is no UUID.
        500.. if said.has(&["invalid session", "failed session lookup"]) => {
            (Status::SessionInvalid, false)
        }
        500.. => (Status::Http, said.is_passing() || (502..=504).contains(&response.status)),
        _ => (Status::Http, false),
    };
    let unknown = response.status >= 500 && !said.is_undone();
    Error::new(status, message(response.status, &text, status))
        .with_http_status(response.status)
        .with_retryable(retryable)
        .with_outcome_unknown(unknown)
}

/// Whether a 429 or 503 is about the rate of requests. The one that reports health has it in its
/// body; the one of the limit has none, or says so in plain text
/// (<https://developer.hashicorp.com/consul/docs/agent/limits>).
pub(super) fn is_limit(response: &Response) -> bool {
    // Health in JSON holds the output of checks, which may speak of anything.
    if !matches!(response.status, 429 | 503) || is_json(response) {
        return false;
    }
    let text = shown(&response.body);
    text.is_empty() || text.contains("rate limit") || text.contains("concurrent connections")
}

fn is_json(response: &Response) -> bool {
    let content_type = response.headers.get("Content-Type");
    content_type.is_some_and(|value| value.starts_with("application/json"))
}

/// Consul's 404 for a path that it does not know has neither a body nor an index; its 404 for a
/// key that does not exist has the index.
fn is_unknown_endpoint(response: &Response) -> bool {
    response.body.is_empty() && response.headers.get("X-Consul-Index").is_none()
}

fn message(http_status: u16, text: &str, status: Status) -> String {
    let hint = match (http_status, status) {
        (_, Status::Unsupported) => "this Consul does not know the endpoint",
        (300..=399, _) => "a redirect, which is never followed",
        (400, _) if text.is_empty() => "refused, perhaps for an unprintable character in the path",
        _ => "",
    };
    let words = [text, hint].into_iter().filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(": ");
    format!("{http_status} {words}").trim_end().to_string()
}

/// The body of an error as one line of bounded length. Bodies of errors are plain text.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * MAX_SHOWN)]);
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Headers;

    fn error(status: u16, body: &str) -> Error {
        let headers = Headers::default().with("X-Consul-Index", 1);
        from_answer(&Response { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn status_and_text_decide_together() {
        let cases = [
            (403, "Permission denied", Status::Denied, false, false),
            (403, "ACL not found", Status::Denied, false, false),
            (413, "Request body(524289 bytes) too large", Status::TooLarge, false, false),
            (429, "", Status::RateLimited, true, false),
            (500, "No cluster leader", Status::NoLeader, true, false),
            (500, "rpc error making call: No cluster leader", Status::NoLeader, true, false),
            (500, "leadership lost while committing log", Status::NoLeader, true, true),
            (500, "rpc error making call: EOF", Status::Http, true, true),
            (500, "rpc error getting client: failed to get conn", Status::Http, true, false),
            (500, "invalid session \"x\"", Status::SessionInvalid, false, false),
            (
                500,
                "failed session lookup: index error: UUID must be 36 characters",
                Status::SessionInvalid,
                false,
                false,
            ),
            (500, "No path to datacenter", Status::Http, false, false),
            (500, "Missing node registration", Status::Http, false, false),
            (500, "something new", Status::Http, false, true),
            (502, "Bad Gateway", Status::Http, true, true),
            (503, "rate limit exceeded, try again later", Status::RateLimited, true, false),
            (301, "", Status::Http, false, false),
            (404, "unknown service ID: x", Status::NotFound, false, false),
            (500, "CheckID \"x\" does not have associated TTL", Status::NotFound, false, false),
            (500, "Unknown check \"x\"", Status::NotFound, false, false),
            (500, "Unknown service {\"x\" {}}", Status::NotFound, false, false),
            (500, "encoded user event exceeds configured limit", Status::TooLarge, false, false),
        ];
        for (status, body, kind, retryable, unknown) in cases {
            let error = error(status, body);
            assert_eq!(error.status(), kind, "{status} {body}");
            assert_eq!(error.is_retryable(), retryable, "{status} {body}");
            assert_eq!(error.is_outcome_unknown(), unknown, "{status} {body}");
            assert_eq!(error.http_status(), status);
        }
    }

    /// A follower and a client agent put "rpc error making call: " before what the leader said.
    fn forwarded(body: &str) -> [String; 3] {
        let once = format!("rpc error making call: {body}");
        [body.to_string(), once.clone(), format!("rpc error making call: {once}")]
    }

    #[test]
    fn what_is_refused_is_refused_whoever_passes_it_on() {
        for body in [
            "Failed to create boolean expression evaluator: Selector \"Foo\" is not valid",
            // What the parser of filters would have taken in place of what it found.
            "Failed to create boolean expression evaluator: 1:5 (4): no match found, expected: \"!=\" or EOF",
            "invalid node check",
            "Missing check 'nocheck' registration",
            "Check 'web' is in critical state",
            "Intention not found",
            "failed intention lookup: index error: UUID must be 36 characters",
            "Invalid Policy: A Policy with Name \"EOF\" already exists",
            "name 'q' aliases an existing query name",
            "Connect must be enabled in order to use this endpoint",
            "failed inserting node: Error while renaming Node ID",
            "rpc: can't find method Intention.Upsert",
        ] {
            for body in forwarded(body) {
                let error = error(500, &body);
                assert_eq!(error.status(), Status::Http, "{body}");
                assert!(!error.is_retryable() && !error.is_outcome_unknown(), "{body}");
            }
        }
        for body in forwarded("invalid session \"x\"") {
            assert_eq!(error(500, &body).status(), Status::SessionInvalid, "{body}");
        }
        for body in forwarded("ACL not found") {
            assert_eq!(error(500, &body).status(), Status::Denied, "{body}");
        }
    }

    #[test]
    fn what_passes_passes_whoever_passes_it_on() {
        for (body, status, unknown) in [
            ("No cluster leader", Status::NoLeader, false),
            ("node is not the leader", Status::NoLeader, true),
            ("leadership lost while committing log", Status::NoLeader, true),
            (
                "Failed to apply token write request: leadership lost while committing log",
                Status::NoLeader,
                true,
            ),
            ("leadership transfer in progress", Status::Http, true),
            ("raft is already shutdown", Status::Http, true),
            ("timed out enqueuing operation", Status::Http, false),
            ("Not ready to serve consistent reads", Status::Http, true),
            ("Raft leader not found in server lookup mapping", Status::Http, false),
            ("No known Consul servers", Status::Http, false),
            ("Remote DC has no server currently reachable", Status::Http, false),
            ("EOF", Status::Http, true),
            ("unexpected EOF", Status::Http, true),
            ("read tcp 10.0.0.1:40000->10.0.0.2:8300: i/o timeout", Status::Http, true),
            (
                "read tcp 10.0.0.1:40000->10.0.0.2:8300: read: connection reset by peer",
                Status::Http,
                true,
            ),
            (
                "write tcp 10.0.0.1:40000->10.0.0.2:8300: use of closed network connection",
                Status::Http,
                true,
            ),
            ("dial tcp 10.0.0.2:8300: connect: connection refused", Status::Http, true),
            (
                "rpc error getting client: failed to get conn: dial tcp 10.0.0.2:8300: i/o timeout",
                Status::Http,
                false,
            ),
            (
                "rpc error getting client: failed to get conn: rpc error: lead thread didn't get connection",
                Status::Http,
                false,
            ),
            ("i/o deadline reached", Status::Http, true),
            ("stream closed", Status::Http, true),
            ("stream reset", Status::Http, true),
            ("session shutdown", Status::Http, true),
            ("keepalive timeout", Status::Http, true),
            ("connection write timeout", Status::Http, true),
            ("context deadline exceeded", Status::Http, true),
            ("rpc error: code = Unavailable desc = transport is closing", Status::Http, true),
        ] {
            for body in forwarded(body) {
                let error = error(500, &body);
                assert_eq!(error.status(), status, "{body}");
                assert!(error.is_retryable(), "{body}");
                assert_eq!(error.is_outcome_unknown(), unknown, "{body}");
            }
        }
    }

    #[test]
    fn what_nobody_has_heard_yet_may_be_done_and_is_not_sent_again() {
        for body in forwarded("something new") {
            let error = error(500, &body);
            assert!(!error.is_retryable() && error.is_outcome_unknown(), "{body}");
        }
    }

    #[test]
    fn health_is_told_from_a_limit() {
        let is_limit = |status, body: &str| {
            let body = body.as_bytes().to_vec();
            is_limit(&Response { status, headers: Headers::default(), body })
        };
        assert!(!is_limit(503, r#"{"AggregatedStatus":"critical"}"#) && !is_limit(429, "warning"));
        assert!(is_limit(429, "") && is_limit(503, "rate limit exceeded, try again later"));
        assert!(is_limit(429, "Your IP is issuing too many concurrent connections"));
        assert!(!is_limit(200, ""));
    }

    #[test]
    fn a_check_that_speaks_of_a_rate_limit_is_health() {
        let headers = Headers::default().with("Content-Type", "application/json");
        let body =
            br#"{"AggregatedStatus":"critical","Checks":[{"Output":"rate limit"}]}"#.to_vec();
        assert!(!is_limit(&Response { status: 503, headers, body }));
    }

    #[test]
    fn an_unknown_endpoint_is_told_from_a_missing_object() {
        let answer = Response { status: 404, headers: Headers::default(), body: Vec::new() };
        assert_eq!(from_answer(&answer).status(), Status::Unsupported);
    }

    #[test]
    fn the_text_is_one_line_of_bounded_length() {
        let error = error(500, &format!("a\nb{}", "x".repeat(5000)));
        assert!(error.message().len() < 600 && !error.message().contains('\n'));
    }
}
