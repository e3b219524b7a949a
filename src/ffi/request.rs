//! # Any other request
//!
//! For the endpoints of Consul's HTTP API that have no call of their own here.
//!
//! ```c
//! consul_response *response = NULL;
//! if (consul_request(client, "GET", "/v1/coordinate/nodes", NULL, 0, NULL, NULL, NULL,
//!                    &response) == CONSUL_OK)
//!     puts((const char *)consul_response_body(response));
//! consul_response_free(response);
//! ```

use super::answer::consul_meta;
use super::asynchronous::{consul_async, found};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_response;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use crate::api::Answer;
use crate::api::raw::{RawAnswer, RawRequest};
use std::ffi::{CString, c_char};
use std::ptr;

/// An answer as it came.
#[derive(Debug)]
pub struct Response {
    http_status: u16,
    content_type: CString,
    /// With a NUL after the last byte.
    body: Vec<u8>,
    meta: consul_meta,
}

impl Handle for consul_response {
    type Object = Response;
}

impl From<Answer<RawAnswer>> for Response {
    fn from(answer: Answer<RawAnswer>) -> Response {
        let mut body = answer.value.body;
        body.push(0);
        Response {
            http_status: answer.value.http_status,
            // A header holds no NUL.
            content_type: CString::new(answer.value.content_type).unwrap_or_default(),
            body,
            meta: answer.meta.into(),
        }
    }
}

/// Sends any request. `method` is GET, PUT, POST or DELETE; `target` is the path from `/v1/` on with
/// its query, both percent-encoded. A parameter `token` is refused, since a token belongs into the
/// options, from where it goes into a header. `content_type` is JSON's where it is NULL and there is
/// a body. A GET may be sent twice, anything else never is.
///
/// `CONSUL_OK` for every 2xx, and for the 429 and 503 by which `/v1/agent/health/service/` and
/// `/v1/operator/autopilot/health` report health; `CONSUL_NOT_FOUND` for 404 alone, with an answer in
/// `out` all the same. Any other answer is an error, with its HTTP status and Consul's text in
/// `consul_last_error()`: so is the 500 by which Consul 1.8 tells that there is no such TTL check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_request(
    client: *const consul_client,
    method: *const c_char,
    target: *const c_char,
    body: *const u8,
    body_len: usize,
    content_type: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_response,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let method = unsafe { input::required_str(method, "method") }?;
        // SAFETY: as above.
        let target = unsafe { input::required_str(target, "target") }?;
        // SAFETY: as above.
        let body = unsafe { input::bytes(body, body_len, "body") }?;
        // SAFETY: as above.
        let content_type = unsafe { input::optional_str(content_type, "content_type") }?;
        let request = RawRequest::new(method.parse()?, target);
        let request = request.body(body, content_type.unwrap_or_default());
        ending.give(out, client.request(&request, &options)?, |answer| {
            found(answer.value.http_status != 404, answer.into())
        })
    })
}

/// The HTTP status; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_http_status(response: *const consul_response) -> u32 {
    handle::read(response, 0, |response| u32::from(response.http_status))
}

/// The body, with a NUL after its last byte; NULL for a handle that is not live. Borrowed: valid
/// until `response` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_body(response: *const consul_response) -> *const u8 {
    handle::read(response, ptr::null(), |response| response.body.as_ptr())
}

/// How many bytes the body has, without the NUL; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_body_len(response: *const consul_response) -> usize {
    handle::read(response, 0, |response| response.body.len() - 1)
}

/// The content type, empty where the answer does not say it; NULL for a handle that is not live.
/// Borrowed: valid until `response` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_content_type(response: *const consul_response) -> *const c_char {
    handle::read(response, ptr::null(), |response| response.content_type.as_ptr())
}

/// What the answer's headers say. Borrowed: valid until `response` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_meta(response: *const consul_response) -> *const consul_meta {
    handle::read(response, ptr::null(), |response| ptr::from_ref(&response.meta))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_response_free(response: *mut consul_response) {
    handle::free(response);
}
