//! A request as the agent's handlers read it, and the answer that they give.

use super::json;
use crate::transport::{Headers, Method, Request, Response};
use serde::Serialize;
use std::fmt::Display;
use ureq::http::{HeaderName, HeaderValue};

/// What a handler gives: its answer, or the one that says why there is none.
pub(super) type Outcome<T> = std::result::Result<T, Answer>;

/// A request, decoded.
pub(super) struct Wire {
    pub(super) method: Method,
    /// The path, percent-decoded.
    pub(super) path: String,
    /// Where the part of the path begins that names the object.
    name_at: usize,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn new(request: &Request<'_>) -> Wire {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Wire {
            method: request.method,
            path: decoded(path, false),
            name_at: 0,
            query: pairs.map(parameter).collect(),
            headers: request.headers.to_vec(),
            body: request.body.unwrap_or_default().to_vec(),
        }
    }

    /// The same request, for a handler whose route has this path.
    pub(super) fn routed(&mut self, route: &str) {
        self.name_at = route.len().min(self.path.len());
    }

    /// What follows the route's own path: a key, an id, a name.
    pub(super) fn name(&self) -> &str {
        self.path.get(self.name_at..).unwrap_or_default()
    }

    /// True when the query has this parameter, with a value or without.
    pub(super) fn has(&self, name: &str) -> bool {
        self.query.iter().any(|(known, _)| known == name)
    }

    /// The first value of a parameter; empty where it is missing or has none.
    pub(super) fn param(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Every value of a parameter, in their order.
    pub(super) fn params<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; empty where it is missing.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.as_str() == name);
        found.and_then(|(_, value)| value.to_str().ok()).unwrap_or_default()
    }

    /// Namespaces are not for everyone.
    pub(super) fn check_namespace(&self) -> Outcome<()> {
        const PAID: &str = "Namespaces are a Consul Enterprise feature";
        let refuse =
            |what| Err(Answer::error(400, format!("Bad request: Invalid {what} - {PAID}")));
        if !self.header("x-consul-namespace").is_empty() {
            return refuse("header: \"X-Consul-Namespace\"");
        }
        if !self.param("ns").is_empty() {
            return refuse("query parameter: \"ns\"");
        }
        Ok(())
    }

    /// Both of the checks that stand before every look into the servers' state.
    pub(super) fn check_scope(&self) -> Outcome<()> {
        self.check_namespace()?;
        self.check_datacenter()
    }

    /// The query as Go writes it anew: sorted by name, form-encoded.
    pub(super) fn query_sorted(&self) -> String {
        let mut pairs: Vec<&(String, String)> = self.query.iter().collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let pairs = pairs.into_iter();
        let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// There is only `dc1` here. Consul looks at it last, where it would pass the request on.
    pub(super) fn check_datacenter(&self) -> Outcome<()> {
        match self.param("dc") {
            "" | super::DATACENTER => Ok(()),
            _ => Err(Answer::error(500, "No path to datacenter")),
        }
    }
}

/// Form-encodes, as in a query.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(byte.into())
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn parameter(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(name, true), decoded(value, true))
}

/// Percent-decodes. In a query a plus is a space, in a path it is a plus.
fn decoded(text: &str, is_query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = || Some((digit(*after.first()?)?, digit(*after.get(1)?)?));
        match byte {
            b'%' => match hex() {
                Some((high, low)) => {
                    bytes.push(high * 16 + low);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => bytes.push(byte),
            },
            b'+' if is_query => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// An answer, as it goes back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// No body.
    pub(super) fn empty(status: u16) -> Answer {
        Answer { status, headers: Headers::default(), body: Vec::new() }
    }

    /// Bytes of this kind.
    pub(super) fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
        let headers = Headers::default().with("Content-Type", content_type);
        Answer { status, headers, body }
    }

    /// What Consul says where it refuses something: plain text.
    pub(super) fn error(status: u16, text: impl Into<String>) -> Answer {
        Answer::bytes(status, "text/plain; charset=utf-8", text.into().into_bytes())
    }

    /// A value in JSON, as a Consul in development mode writes it.
    pub(super) fn json(value: &impl Serialize) -> Answer {
        Answer::bytes(200, "application/json", json::written(value))
    }

    /// The same answer under another status.
    pub(super) fn with_status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    /// The same answer with one more header.
    pub(super) fn with_header(self, name: &'static str, value: impl Display) -> Answer {
        Answer { headers: self.headers.with(name, value), ..self }
    }

    /// What Consul's handlers of reads leave on an error: they set the headers in any case, and
    /// nothing is known yet.
    pub(super) fn with_empty_meta(self) -> Answer {
        self.with_header("x-consul-index", 1)
            .with_header("x-consul-knownleader", false)
            .with_header("x-consul-lastcontact", 0)
    }

    pub(super) fn into_response(self) -> Response {
        Response { status: self.status, headers: self.headers, body: self.body }
    }
}
