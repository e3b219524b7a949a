//! Exchanges that were started: tasks on the process's I/O thread, over non-blocking sockets.

mod exchange;
mod socket;

pub(super) use exchange::start;

use super::call::Call;
use super::socket::Socket as _;
use super::wait::Wait;
use crate::error::Result;
use crate::runtime::io::{Io, Tell, Timer};
use rustix::io::Errno;
use rustix::net::sockopt;
use socket::{Socket, wait};
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

/// In a task of the I/O thread, which is woken at the call's own times, see [`start`].
impl Wait for Io {
    type Socket = Socket;

    async fn wait(&self, call: &Call, until: Instant) -> Result<bool> {
        let mut timer = None;
        poll_fn(|context| {
            let waited = call.poll_wait(until);
            if waited.is_pending() && until < call.connect_by {
                timer.get_or_insert_with(|| Io::wake_at(self, until, context.waker()));
            }
            waited
        })
        .await
    }

    /// Not before it is being connected: the kernel calls a socket that is not hung up.
    fn take_over(&self, descriptor: Arc<OwnedFd>, tell: Tell) -> io::Result<Socket> {
        Ok(Socket { source: self.watch(descriptor, tell)? })
    }

    async fn connected(&self, socket: &Socket, until: Instant, call: &Call) -> io::Result<()> {
        let mut timer = None;
        let connected = wait(call, |context| {
            if socket.source.poll_writable(context)?.is_ready() {
                return Ok(Poll::Ready(()));
            }
            timer.get_or_insert_with(|| Io::wake_at(self, until, context.waker()));
            Ok(if Instant::now() >= until { Poll::Ready(()) } else { Poll::Pending })
        });
        connected.await?;
        sockopt::socket_error(socket.descriptor())??;
        // Neither connected nor refused: its time is over.
        match rustix::net::getpeername(socket.descriptor()) {
            Ok(_) => Ok(()),
            Err(Errno::NOTCONN) => Err(Errno::TIMEDOUT.into()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn wake_at(&self, at: Instant, waker: &Waker) -> Option<Timer> {
        Some(Io::wake_at(self, at, waker))
    }
}
