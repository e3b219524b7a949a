//! A connected stream socket whose reads and writes end at a call's deadline.

use super::call::Call;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;

/// A connected socket, whichever way its exchanges wait.
pub(super) trait Socket: Send + Sync {
    fn descriptor(&self) -> &Arc<OwnedFd>;

    /// Sends everything. SIGPIPE is never raised: the host may have it at its default.
    fn send_all(
        &mut self,
        bytes: &[u8],
        call: &Call,
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Waits until there may be bytes; a socket that blocks does so in [`Socket::receive_now`].
    fn readable(&self, call: &Call) -> impl Future<Output = io::Result<()>> + Send;

    /// Receives what is there, 0 when the peer has closed; `WouldBlock` when that is nothing.
    fn receive_now(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize>;

    /// Waits for bytes. 0 when the peer has closed.
    fn receive(
        &mut self,
        into: &mut [u8],
        call: &Call,
    ) -> impl Future<Output = io::Result<usize>> + Send {
        async move {
            loop {
                self.readable(call).await?;
                match self.receive_now(into, call) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    ended => return ended,
                }
            }
        }
    }

    /// What has come since the last read, as far as it is known without a system call.
    fn news(&self) -> News;

    /// Who is to be woken by the next news, where somebody tells of them.
    fn wake_on_news(&self, waker: Option<&Waker>);
}

/// What is known of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing: only a look shows it.
    Untold,
    /// Nothing has come. The kernel tells a little late.
    Nothing,
    /// There is something to read.
    Some,
    /// The peer has ended the connection.
    End,
}

/// What a look at an idle connection shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// Open, and nothing to read.
    Quiet,
    /// Open, and something to read.
    Unread,
    /// Closed by the peer, or broken.
    Gone,
}

/// Looks whether an idle connection is still good, in one system call.
pub(super) fn look(descriptor: &OwnedFd) -> Idle {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    loop {
        return match rustix::net::recv(descriptor, &mut [0u8; 1], flags) {
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Idle::Quiet,
            Ok((1.., _)) => Idle::Unread,
            Ok((0, _)) | Err(_) => Idle::Gone,
        };
    }
}

/// Ends a connection. Closing it is not enough where a forked child has a copy of the descriptor.
pub(super) fn end(descriptor: &OwnedFd) {
    // It fails only where there is nothing left to end.
    let _ = rustix::net::shutdown(descriptor, Shutdown::Both);
}

/// Sends what fits at once, for a last word that nobody waits for.
pub(super) fn send_now(descriptor: &OwnedFd, bytes: &[u8]) {
    if !bytes.is_empty() {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let _ = rustix::net::send(descriptor, bytes, flags);
    }
}

/// An error of the socket, unless an interruption caused it.
pub(super) fn failed(errno: Errno, call: &Call) -> io::Error {
    match call.check() {
        Err(reason) => io::Error::other(reason),
        Ok(()) => errno.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Idle, look};
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_look_tells_quiet_from_unread_and_gone() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let ours = ours.into();
        assert_eq!(look(&ours), Idle::Quiet);
        theirs.write_all(b"x").unwrap();
        assert_eq!(look(&ours), Idle::Unread);
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(look(&ours.into()), Idle::Gone);
    }
}
