//! An exchange as a task.

use crate::error::Result;
use crate::runtime::fault;
use crate::runtime::io::{Io, next_turn};
use crate::transport::http::call::Call;
use crate::transport::http::pool::Pool;
use crate::transport::http::{HttpTransport, exchange};
use crate::transport::tasks::Finish;
use crate::transport::{CancelToken, Done, OwnedRequest, Request, Response};
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
    pool.wait.clone().spawn(async move {
        let answer = attended(&transport, &pool, &request.borrow(&cancel), &call).await;
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
    pool: &Pool<Io>,
    request: &Request<'_>,
    call: &Arc<Call>,
) -> Result<Response> {
    let (mut deadline, mut connect_by, mut is_immediate) = (None, None, true);
    let mut exchange = pin!(exchange::run(transport, pool, request, call));
    let answer = poll_fn(|context| {
        if deadline.is_none() {
            call.run_in(context.waker());
            deadline = Some(pool.wait.wake_at(call.deadline, context.waker()));
            if call.connect_by < call.deadline {
                connect_by = Some(pool.wait.wake_at(call.connect_by, context.waker()));
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
