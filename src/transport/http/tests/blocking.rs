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
use crate::transport::http::endpoint::MAX_IDLE_AGE;

fn exchange(transport: &Arc<HttpTransport>, request: Request<'_>) -> Result<Response> {
    transport.exchange(request)
}

fn get(transport: &Arc<HttpTransport>) -> Result<Response> {
    exchange(transport, request(Method::Get, "/v1/kv/a"))
}

fn put(transport: &Arc<HttpTransport>, body: &[u8]) -> Result<Response> {
    exchange(transport, Request { body: Some(body), ..request(Method::Put, "/v1/kv/a") })
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_over() {
    let server = Server::start(1, |_, stream| answer_all(stream, ANSWER));
    let transport = server.transport();
    let pool = transport.blocking().unwrap();
    for _ in 0..2 {
        get(&transport).unwrap();
        // Both are served by one connection.
        pool.sweep(Instant::now());
    }
    pool.sweep(Instant::now() + MAX_IDLE_AGE);
    server.join();
}
