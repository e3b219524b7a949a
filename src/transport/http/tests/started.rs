//! On the I/O thread.

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
#[path = "many.rs"]
mod many;
#[path = "tls.rs"]
mod tls;

use super::*;
use crate::transport::OwnedRequest;
use crossbeam_channel::{Receiver, bounded};

/// Starts an exchange; its answer comes out of the channel.
pub(super) fn start(
    transport: &Arc<HttpTransport>,
    request: Request<'_>,
) -> Receiver<Result<Response>> {
    let (send, answer) = bounded(1);
    let cancel = request.cancel.cloned().unwrap_or_default();
    let done = Box::new(move |result| send.send(result).unwrap());
    transport.clone().start(owned(&request), cancel, done);
    answer
}

fn owned(request: &Request<'_>) -> OwnedRequest {
    OwnedRequest {
        method: request.method,
        target: request.target.to_owned(),
        headers: request.headers.to_vec(),
        body: request.body.map(<[u8]>::to_vec),
        deadline: request.deadline,
        connect_by: request.connect_by,
        replay: request.replay,
        max_answer: request.max_answer,
        lane: request.lane,
        gone: request.gone.cloned(),
    }
}

fn exchange(transport: &Arc<HttpTransport>, request: Request<'_>) -> Result<Response> {
    // Later than any deadline of these tests: then an answer was lost.
    start(transport, request).recv_timeout(Duration::from_secs(120)).unwrap()
}

fn get(transport: &Arc<HttpTransport>) -> Result<Response> {
    exchange(transport, request(Method::Get, "/v1/kv/a"))
}

fn put(transport: &Arc<HttpTransport>, body: &[u8]) -> Result<Response> {
    exchange(transport, Request { body: Some(body), ..request(Method::Put, "/v1/kv/a") })
}
