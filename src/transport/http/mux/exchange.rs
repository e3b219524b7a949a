//! One exchange, from the place among the connections to the answer.

use super::connection::Outgoing;
use super::pool::Pool;
use crate::error::Result;
use crate::runtime::fault;
use crate::runtime::io::next_turn;
use crate::transport::http::call::Call;
use crate::transport::http::{HttpTransport, explain, failure};
use crate::transport::tasks::Finish;
use crate::transport::{CancelToken, Done, OwnedRequest, Response};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Starts an exchange. Its first steps are taken on the caller's thread, up to where it would have
/// to wait: in general the request is on its way when this returns.
pub(in crate::transport::http) fn start(
    transport: Arc<HttpTransport>,
    request: OwnedRequest,
    cancel: CancelToken,
    done: Done,
) {
    let (pool, call) = match transport.pool() {
        Ok(pool) => (pool, transport.call(&request.borrow(&cancel))),
        Err(error) => return done(Err(transport.told(error, false))),
    };
    let (done, counted) = (Finish::new(done), transport.process().tasks.enter());
    pool.io.clone().spawn(async move {
        let answer = attended(&transport, &pool, &request, &cancel, &call).await;
        let answer = answer.map_err(|error| transport.told(error, call.is_sent()));
        // The last to go may have to close.
        drop((pool, transport));
        done.with(answer);
        drop(counted);
    });
}

/// Runs the exchange in this task, woken at its deadline and by an interruption. A panic in it is
/// an answer, too.
async fn attended(
    transport: &HttpTransport,
    pool: &Pool,
    request: &OwnedRequest,
    cancel: &CancelToken,
    call: &Arc<Call>,
) -> Result<Response> {
    let (mut deadline, mut connect_by, mut is_immediate) = (None, None, true);
    let mut exchange = pin!(run(transport, pool, request, cancel, call));
    let answer = poll_fn(|context| {
        if deadline.is_none() {
            call.run_in(context.waker());
            deadline = Some(pool.io.wake_at(call.deadline, context.waker()));
            if call.connect_by < call.deadline {
                connect_by = Some(pool.io.wake_at(call.connect_by, context.waker()));
            }
        }
        let progress = fault::caught(|| exchange.as_mut().poll(context));
        let progress = progress.unwrap_or_else(|fault| Poll::Ready(Err(fault)));
        is_immediate &= progress.is_ready();
        progress
    });
    let answer = answer.await;
    drop(connect_by);
    call.leave_task();
    if is_immediate {
        // This is still the caller's thread, or within what another exchange told its answer to.
        next_turn().await;
    }
    answer
}

async fn run(
    transport: &HttpTransport,
    pool: &Pool,
    request: &OwnedRequest,
    cancel: &CancelToken,
    call: &Arc<Call>,
) -> Result<Response> {
    let process = transport.process();
    let _closing = process.closing.watch(call.clone())?;
    let _cancel = cancel.watch(call.clone())?;
    let _gone = request.gone.as_ref().map(|token| token.watch(call.clone())).transpose()?;
    call.rest()?;
    let (lane, limit) = (request.lane, transport.max_connections);
    let _place = pool.budget.take_in_task(lane, limit, call).await?;

    let first = attempt(transport, pool, request, call).await;
    if first.is_err() && call.died(true) && (request.replay || !call.is_sent()) {
        call.insist_on_fresh();
        return attempt(transport, pool, request, call).await;
    }
    first
}

async fn attempt(
    transport: &HttpTransport,
    pool: &Pool,
    request: &OwnedRequest,
    call: &Arc<Call>,
) -> Result<Response> {
    let outgoing = Outgoing::new(&transport.messages, request)?;
    let connected = pool.connection(request.replay, call).await;
    let mut connection = connected.map_err(|error| explain(error, call))?;
    let answer = connection.exchange(outgoing, call).await;
    let is_intact = call.detach();
    let (response, is_reusable) =
        answer.map_err(|error| explain(failure::from_ureq(error), call))?;
    if is_reusable && is_intact {
        pool.put(connection, transport.max_connections);
    }
    Ok(response)
}
