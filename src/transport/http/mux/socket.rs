//! A connected, non-blocking socket that the I/O thread looks after.

use crate::runtime::io::Source;
use crate::transport::http::call::Call;
use crate::transport::http::socket::{self, News, end, failed};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

pub(in crate::transport::http) struct Socket {
    pub(super) source: Source,
}

impl socket::Socket for Socket {
    fn descriptor(&self) -> &Arc<OwnedFd> {
        self.source.descriptor()
    }

    /// At once where that is possible.
    async fn send_all(&mut self, mut bytes: &[u8], call: &Call) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::net::send(self.descriptor(), bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    call.note_sent();
                    bytes = bytes.get(sent..).unwrap_or_default();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    wait(call, |context| self.source.poll_writable(context)).await?;
                }
                Err(errno) => return Err(failed(errno, call)),
            }
        }
        Ok(())
    }

    async fn readable(&self, call: &Call) -> io::Result<()> {
        wait(call, |context| Ok(self.source.poll_readable(context))).await
    }

    fn receive_now(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            return match rustix::net::recv(self.descriptor(), &mut *into, RecvFlags::empty()) {
                // An interruption shuts the socket, which reads like an end.
                Ok((0, _)) => call.check().map(|()| 0).map_err(io::Error::other),
                Ok((received, _)) => {
                    // The kernel tells of what comes, not of what has been left.
                    if received == into.len() {
                        self.source.unread();
                    }
                    Ok(received)
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Err(Errno::AGAIN.into()),
                Err(errno) => Err(failed(errno, call)),
            };
        }
    }

    fn news(&self) -> News {
        match (self.source.has_ended(), self.source.has_news()) {
            (true, _) => News::End,
            (false, true) => News::Some,
            (false, false) => News::Nothing,
        }
    }

    fn wake_on_news(&self, waker: Option<&Waker>) {
        self.source.wake(waker);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        end(self.source.descriptor());
    }
}

/// Waits for a socket until the call's deadline.
pub(super) async fn wait(
    call: &Call,
    mut ready: impl FnMut(&mut Context<'_>) -> io::Result<Poll<()>>,
) -> io::Result<()> {
    poll_fn(|context| {
        let waited = ready(context)?;
        if let Err(reason) = call.check().and_then(|()| call.rest()) {
            return Poll::Ready(Err(io::Error::other(reason)));
        }
        waited.map(Ok)
    })
    .await
}
