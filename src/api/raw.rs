//! Any request to Consul's HTTP API, for what has no typed call here
//! (<https://developer.hashicorp.com/consul/api-docs>).

pub use crate::transport::Method;

use super::answer::{Answer, Meta};
use crate::client::{Accept, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use std::borrow::Cow;
use std::str::FromStr;

/// A request as the HTTP API's documentation shows it.
///
/// ```no_run
/// use consul_ffi::api::raw::{Method, RawRequest};
/// use consul_ffi::{Client, Config, Options};
///
/// # fn main() -> consul_ffi::Result<()> {
/// let client = Client::new(&Config::new())?;
/// let request = RawRequest::new(Method::Get, "/v1/coordinate/nodes");
/// let answer = client.request(&request, &Options::new())?.value;
/// println!("{} {}", answer.http_status, String::from_utf8_lossy(&answer.body));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RawRequest<'a> {
    method: Method,
    target: &'a str,
    body: &'a [u8],
    content_type: &'a str,
}

impl<'a> RawRequest<'a> {
    /// A request without a body. `target` is the path from `/v1/` on with its query, both
    /// percent-encoded.
    pub fn new(method: Method, target: &'a str) -> RawRequest<'a> {
        RawRequest { method, target, body: &[], content_type: "" }
    }

    /// With this body; `content_type` is JSON's when it is empty.
    pub fn body(mut self, body: &'a [u8], content_type: &'a str) -> RawRequest<'a> {
        self.body = body;
        self.content_type = if content_type.is_empty() { JSON } else { content_type };
        self
    }
}

const JSON: &str = "application/json";

/// An answer as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawAnswer {
    /// The HTTP status.
    pub http_status: u16,
    /// The body's content type, empty where the answer does not say it.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl<S: Style> Client<S> {
    /// Sends any request. The options are added to it; where both name a parameter, the
    /// target's own stands first and Consul takes that. A blocking query is better asked for by
    /// the options, which know how long to wait for its answer.
    ///
    /// Answers are every 2xx, 404, and the 429 and 503 of the endpoints that report health by
    /// them. A GET may be sent twice, anything else never is.
    pub fn request(
        &self,
        request: &RawRequest<'_>,
        options: &Options,
    ) -> Result<S::Output<Answer<RawAnswer>>> {
        check_target(request.target)?;
        let target = Target::encoded(request.target);
        let call = Call::new(request.method, target, None, options).accept(accept(request.target));
        let call = match request.method {
            Method::Get => call.idempotent().read_only(),
            _ => call,
        };
        let call = match request.body {
            [] => call,
            body => call.body(body, request.content_type),
        };
        self.exchange(call, |_, answer| {
            let response = answer.map_err(as_it_came)?;
            let content_type = response.headers.get("Content-Type");
            let value = RawAnswer {
                http_status: response.status,
                content_type: content_type.unwrap_or_default().to_string(),
                body: response.body,
            };
            Ok(Answer { value, meta: Meta::from_headers(&response.headers) })
        })
    }
}

/// Here "not found" stands for an answer of 404: what else means it is an error with its HTTP status.
fn as_it_came(error: Error) -> Error {
    match error.status() {
        Status::NotFound => error.with_status(Status::Http),
        _ => error,
    }
}

/// The agent tells the health of a service, and a server that of the cluster, by the HTTP status.
fn accept(target: &str) -> Accept {
    const HEALTH: &[&str] = &["/v1/agent/health/service/", "/v1/operator/autopilot/health"];
    match HEALTH.iter().any(|path| target.starts_with(path)) {
        true => Accept::Health,
        false => Accept::NotFound,
    }
}

/// Refuses what is not a path and a query of the API.
fn check_target(target: &str) -> Result<()> {
    let refuse = |why: String| Err(Error::argument(format!("the path of the request {why}")));
    if !target.starts_with("/v1/") {
        return refuse("must begin with /v1/".to_string());
    }
    for (position, byte) in target.bytes().enumerate() {
        if byte == b'#' {
            return refuse("has a fragment (#): write %23 for the character itself".to_string());
        }
        if byte == b'%' && !is_escape(&target.as_bytes()[position..]) {
            return refuse("has a % without two hexadecimal digits: write %25".to_string());
        }
        if !is_allowed(byte) {
            return refuse(format!("has a character to be percent-encoded: write %{byte:02X}"));
        }
    }
    let query = target.split_once('?').map_or("", |(_, query)| query);
    // Old versions of Consul take a semicolon for a separator too.
    let mut names = query.split(['&', ';']).map(|pair| pair.split('=').next().unwrap_or_default());
    if names.any(|name| decoded(name) == b"token".as_slice()) {
        return refuse(
            "has the parameter token: set the token in the options, which send it in a \
                       header, where no log shows it"
                .to_string(),
        );
    }
    Ok(())
}

/// What RFC 3986 allows in a path or a query.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}

fn is_escape(text: &[u8]) -> bool {
    text.len() >= 3 && text[1..3].iter().all(u8::is_ascii_hexdigit)
}

/// Percent-decodes a text whose escapes are known to be whole.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'%' => {
                let value = digit(bytes.next()).zip(digit(bytes.next()));
                out.extend(value.map(|(high, low)| (high * 16 + low) as u8));
            }
            byte => out.push(byte),
        }
    }
    Cow::Owned(out)
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Method> {
        let all = [Method::Get, Method::Put, Method::Post, Method::Delete];
        all.into_iter().find(|method| method.as_str() == name).ok_or_else(|| {
            Error::argument(format!(
                "the method \"{}\" is unknown, there are GET, PUT, POST and DELETE",
                name.escape_debug()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_api_are_taken() {
        for target in ["/v1/kv/a%2Fb?raw&dc=x", "/v1/a?filter=A%20%3D%3D%20%22b%22", "/v1/"] {
            assert!(check_target(target).is_ok(), "{target}");
        }
        let cases = [
            ("", "/v1/"),
            ("v1/kv/a", "/v1/"),
            ("/ui/", "/v1/"),
            ("http://other/v1/", "/v1/"),
            ("/v1/a b", "%20"),
            ("/v1/a\r\nX: y", "%0D"),
            ("/v1/a\0", "%00"),
            ("/v1/é", "%C3"),
            ("/v1/a#b", "fragment"),
            ("/v1/a%zz", "%25"),
            ("/v1/a%2", "%25"),
        ];
        for (target, reason) in cases {
            let error = check_target(target).unwrap_err();
            assert!(error.message().contains(reason), "{target:?}: {error}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_refused_and_not_repeated() {
        for query in ["token=s3cr3t", "a=b&token=s3cr3t", "a;token=s3cr3t", "%74oken=s3cr3t"] {
            let error = check_target(&format!("/v1/kv/a?{query}")).unwrap_err();
            assert!(error.message().contains("header"), "{error}");
            assert!(!error.message().contains("s3cr3t"), "{error}");
        }
        assert!(check_target("/v1/kv/token=a?tokens=1").is_ok());
    }

    #[test]
    fn methods_are_known_by_their_name() {
        assert_eq!("DELETE".parse::<Method>().ok(), Some(Method::Delete));
        assert!("get".parse::<Method>().unwrap_err().message().contains("GET"));
    }
}
