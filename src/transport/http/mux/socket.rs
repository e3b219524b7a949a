//! A connected stream socket, for tasks.

use crate::runtime::io::Source;
use crate::transport::http::call::Call;
use crate::transport::http::socket::{end, failed};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

pub(super) struct Socket {
    source: Source,
}

impl Socket {
    /// Takes over a connected, non-blocking socket.
    pub(super) fn new(source: Source) -> Socket {
        Socket { source }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        self.source.descriptor()
    }

    /// Sends everything, at once where that is possible. SIGPIPE is never raised.
    pub(super) async fn send_all(&self, mut bytes: &[u8], call: &Call) -> io::Result<()> {
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

    /// Waits for bytes. 0 when the peer has closed.
    pub(super) async fn receive(&self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            self.readable(call).await?;
            if let Some(received) = self.receive_now(into, call)? {
                return Ok(received);
            }
        }
    }

    /// Waits until there may be bytes.
    pub(super) async fn readable(&self, call: &Call) -> io::Result<()> {
        wait(call, |context| Ok(self.source.poll_readable(context))).await
    }

    /// Receives what is there; none when that is nothing.
    pub(super) fn receive_now(&self, into: &mut [u8], call: &Call) -> io::Result<Option<usize>> {
        loop {
            return match rustix::net::recv(self.descriptor(), &mut *into, RecvFlags::empty()) {
                // An interruption shuts the socket, which reads like an end.
                Ok((0, _)) => call.check().map(|()| Some(0)).map_err(io::Error::other),
                Ok((received, _)) => {
                    // The kernel tells of what comes, not of what has been left.
                    if received == into.len() {
                        self.source.unread();
                    }
                    Ok(Some(received))
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(None),
                Err(errno) => Err(failed(errno, call)),
            };
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        end(self.descriptor());
    }
}

/// What is there, for who reads without waiting.
pub(super) struct Now<'a> {
    pub(super) socket: &'a Socket,
    pub(super) call: &'a Call,
}

impl Read for Now<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.receive_now(into, self.call)?.ok_or_else(|| ErrorKind::WouldBlock.into())
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
