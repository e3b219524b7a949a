//! On the caller's thread.

#[path = "answers.rs"]
mod answers;
#[path = "connections.rs"]
mod connections;
#[path = "deadlines.rs"]
mod deadlines;
#[path = "endings.rs"]
mod endings;
#[path = "forks.rs"]
mod forks;
#[path = "tls.rs"]
mod tls;
#[path = "signals.rs"]
mod signals;

use super::*;

fn exchange(transport: &Arc<HttpTransport>, request: Request<'_>) -> Result<Response> {
    transport.exchange(request)
}

fn get(transport: &Arc<HttpTransport>) -> Result<Response> {
    exchange(transport, request(Method::Get, "/v1/kv/a"))
}

fn put(transport: &Arc<HttpTransport>, body: &[u8]) -> Result<Response> {
    exchange(transport, Request { body: Some(body), ..request(Method::Put, "/v1/kv/a") })
}
