//! One exchange, from the place among the connections to the answer, whichever way it waits.

use super::budget::Place;
use super::call::Call;
use super::pool::Pool;
use super::wait::Wait;
use super::{HttpTransport, failure};
use crate::error::{Error, Result, Status};
use crate::transport::cancel::Watched;
use crate::transport::{Method, Request, Response};
use std::pin::pin;
use std::sync::Arc;

/// What an exchange has while it goes on: its place among the connections, and what can end it early.
pub(super) struct Standing<'a> {
    _place: Place<'a>,
    _watched: [Option<Watched<'a>>; 3],
}

impl<'a> Standing<'a> {
    /// Waits for the place; until then nothing was sent.
    pub(super) async fn begin<W: Wait>(
        transport: &'a HttpTransport,
        pool: &'a Pool<W>,
        request: &Request<'a>,
        call: &Arc<Call>,
    ) -> Result<Standing<'a>> {
        let closing = transport.process().closing.of(request.lane);
        let ends = [Some(closing), request.cancel, request.gone];
        let mut watched = [None, None, None];
        for (watched, end) in watched.iter_mut().zip(ends) {
            *watched = end.map(|end| end.watch(call.clone())).transpose()?;
        }
        call.check_begun_in_time()?;
        let limit = transport.max_connections;
        let place = pool.budget.take(&pool.wait, request.lane, limit, call).await?;
        Ok(Standing { _place: place, _watched: watched })
    }
}

/// Sends a request and reads the whole answer; once more over a new connection where an idle one
/// turned out to be dead and that does no harm.
pub(super) async fn run<W: Wait>(
    transport: &HttpTransport,
    pool: &Pool<W>,
    request: &Request<'_>,
    call: &Arc<Call>,
) -> Result<Response> {
    let _standing = Standing::begin(transport, pool, request, call).await?;
    let first = attempt(transport, pool, request, call).await;
    if first.is_err() && call.died(true) && (request.replay || !call.is_sent()) {
        call.insist_on_fresh();
        return attempt(transport, pool, request, call).await;
    }
    first
}

async fn attempt<W: Wait>(
    transport: &HttpTransport,
    pool: &Pool<W>,
    request: &Request<'_>,
    call: &Arc<Call>,
) -> Result<Response> {
    let outgoing = transport.messages.outgoing(request)?;
    // A read that was sent in vain is sent again, and leaves no doubt of what it did.
    let sure = !request.replay || request.method != Method::Get;
    let connected = pool.connection(sure, call).await;
    let mut connection = connected.map_err(|error| explain(error, call))?;
    // Pinned where it is made, as the whole exchange is.
    let answer = pin!(connection.exchange(outgoing, call)).await;
    let is_intact = call.detach();
    let (response, is_reusable) =
        answer.map_err(|error| explain(failure::from_ureq(error), call))?;
    if is_reusable && is_intact {
        pool.put(connection, transport.max_connections);
    }
    Ok(response)
}

/// Adds what is known about the likely cause.
pub(super) fn explain(error: Error, call: &Call) -> Error {
    // Consul 1.8 answers nothing at all to connections beyond its limit; later versions send 429.
    if error.status() == Status::Io && call.died(false) {
        return Error::new(
            Status::RateLimited,
            format!(
                "{}; a Consul agent ends new connections at once beyond \
                 limits.http_max_conns_per_client (200) from one address",
                error.message()
            ),
        );
    }
    error
}
