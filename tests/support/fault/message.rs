//! What is asked and what is answered.

use crate::support::http;
use std::time::Instant;

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    pub version: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The number of its connection, from 0.
    pub connection: usize,
    /// When all of it was there.
    pub at: Instant,
}

impl Request {
    pub(super) fn parse(head: &[u8], connection: usize) -> Option<Request> {
        let (first, headers) = http::parse_head(head)?;
        let mut words = first.split(' ').map(str::to_owned);
        Some(Request {
            method: words.next()?,
            target: words.next()?,
            version: words.next()?,
            headers,
            body: Vec::new(),
            connection,
            at: Instant::now(),
        })
    }

    /// The first header of that name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        http::find(&self.headers, name)
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query's parameter of that name, as sent; empty when it has no value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.text()))
    }
}

/// An answer: well-formed, unless it is made of raw bytes.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
    closing: bool,
    raw: Option<Vec<u8>>,
}

impl Reply {
    /// A body of JSON.
    pub fn json(status: u16, text: impl Into<String>) -> Reply {
        Reply::bytes(status, text.into()).header("Content-Type", "application/json")
    }

    /// A body of plain text, as Consul's errors have it.
    pub fn text(status: u16, text: impl Into<String>) -> Reply {
        Reply::bytes(status, text.into()).header("Content-Type", "text/plain; charset=utf-8")
    }

    /// A body of any kind.
    pub fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.into(),
            chunked: false,
            closing: false,
            raw: None,
        }
    }

    /// Just these bytes on the wire, whatever they are.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { raw: Some(bytes.into()), ..Reply::bytes(0, "") }
    }

    /// One header more.
    pub fn header(mut self, name: &str, value: impl ToString) -> Reply {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The headers that Consul's reads carry.
    pub fn index(self, index: u64) -> Reply {
        self.header("X-Consul-Index", index)
            .header("X-Consul-Knownleader", true)
            .header("X-Consul-Lastcontact", 0)
    }

    /// Sends the body in chunks.
    pub fn chunked(mut self) -> Reply {
        self.chunked = true;
        self
    }

    /// Says `Connection: close` and closes after it.
    pub fn closing(mut self) -> Reply {
        self.closing = true;
        self.header("Connection", "close")
    }

    /// True when the connection ends with it.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// What goes over the wire.
    pub fn wire(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut bytes = format!("HTTP/1.1 {} Reason\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        if self.chunked {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in self.body.chunks(7) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            // Allowed for neither of these (RFC 9110, section 8.6).
            if self.status >= 200 && self.status != 204 {
                bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
            }
            bytes.extend(b"\r\n");
            bytes.extend(&self.body);
        }
        bytes
    }
}
