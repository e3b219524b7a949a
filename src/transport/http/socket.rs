//! A connected stream socket whose reads and writes end at a call's deadline.

use super::call::Call;
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// The kernel's time-out is set anew only when the time left falls below another multiple of this:
/// not once in a usual exchange. The rest is waited for exactly.
const STEP: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Socket {
    descriptor: Arc<OwnedFd>,
    receive_timeout: Duration,
    send_timeout: Duration,
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

impl Socket {
    /// Takes over a connected socket in blocking mode.
    pub(super) fn new(descriptor: Arc<OwnedFd>) -> Socket {
        Socket { descriptor, receive_timeout: Duration::ZERO, send_timeout: Duration::ZERO }
    }

    pub(super) fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.descriptor
    }

    /// Sends everything. SIGPIPE is never raised: the host may have it at its default.
    pub(super) fn send_all(&mut self, mut bytes: &[u8], call: &Call) -> io::Result<()> {
        let mut exact = false;
        while !bytes.is_empty() {
            arm(&self.descriptor, Timeout::Send, &mut self.send_timeout, exact, call)?;
            match rustix::net::send(&self.descriptor, bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    call.note_sent();
                    bytes = bytes.get(sent..).unwrap_or_default();
                }
                Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
                Err(Errno::AGAIN) => exact = true,
                Err(errno) => return Err(failed(errno, call)),
            }
        }
        Ok(())
    }

    /// Waits for bytes. 0 when the peer has closed.
    pub(super) fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        let mut exact = false;
        loop {
            arm(&self.descriptor, Timeout::Recv, &mut self.receive_timeout, exact, call)?;
            match rustix::net::recv(&self.descriptor, &mut *into, RecvFlags::empty()) {
                // An interruption shuts the socket, which reads like an end.
                Ok((0, _)) => return call.check().map(|()| 0).map_err(io::Error::other),
                Ok((received, _)) => return Ok(received),
                Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
                Err(Errno::AGAIN) => exact = true,
                Err(errno) => return Err(failed(errno, call)),
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        end(&self.descriptor);
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

/// An error of the socket, unless an interruption caused it.
pub(super) fn failed(errno: Errno, call: &Call) -> io::Error {
    match call.check() {
        Err(reason) => io::Error::other(reason),
        Ok(()) => errno.into(),
    }
}

/// Sees to it that the next read or write ends at the deadline, or a little before it: then it is
/// repeated with the exact rest.
fn arm(
    descriptor: &OwnedFd,
    direction: Timeout,
    armed: &mut Duration,
    exact: bool,
    call: &Call,
) -> io::Result<()> {
    let rest = call.rest().map_err(io::Error::other)?;
    let wanted = if exact || rest < STEP { rest } else { whole_steps(rest) };
    if wanted == *armed {
        return Ok(());
    }
    // Below a microsecond it would mean "no time-out" to the kernel.
    sockopt::set_socket_timeout(descriptor, direction, Some(wanted.max(Duration::from_micros(1))))?;
    *armed = wanted;
    Ok(())
}

fn whole_steps(rest: Duration) -> Duration {
    let steps = rest.as_millis() / STEP.as_millis();
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Idle, STEP, Socket, look, whole_steps};
    use crate::error::Status;
    use crate::transport::http::call::Call;
    use crate::transport::http::tests::control::{GRACE, timed};
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Socket::new(Arc::new(ours.into())), theirs)
    }

    fn status(error: std::io::Error) -> Status {
        error.into_inner().unwrap().downcast::<crate::error::Error>().unwrap().status()
    }

    #[test]
    fn time_left_is_rounded_down() {
        assert_eq!(whole_steps(Duration::from_millis(9999)), Duration::from_millis(9750));
        assert_eq!(whole_steps(STEP), STEP);
    }

    #[test]
    fn a_read_ends_at_the_deadline() {
        let (mut socket, _peer) = pair();
        // Longer than one step, so that the exact rest is waited for as well.
        for rest in [20, 280].map(Duration::from_millis) {
            let (outcome, timing) = timed(|| {
                let end = Instant::now() + rest;
                socket.receive(&mut [0; 8], &Call::new(end, end, false, 0))
            });
            assert_eq!(status(outcome.unwrap_err()), Status::Timeout);
            assert!(timing.elapsed >= rest && timing.fair() < rest + GRACE, "{timing:?}");
        }
    }

    #[test]
    fn a_write_ends_at_the_deadline() {
        let (mut socket, _peer) = pair();
        let (outcome, timing) = timed(|| {
            let end = Instant::now() + Duration::from_millis(50);
            socket.send_all(&vec![0; 8 << 20], &Call::new(end, end, false, 0))
        });
        assert_eq!(status(outcome.unwrap_err()), Status::Timeout);
        assert!(timing.fair() < GRACE, "{timing:?}");
    }

    #[test]
    fn a_look_tells_quiet_from_unread_and_gone() {
        let (socket, mut peer) = pair();
        assert_eq!(look(socket.descriptor()), Idle::Quiet);
        peer.write_all(b"x").unwrap();
        assert_eq!(look(socket.descriptor()), Idle::Unread);
        let (socket, peer) = pair();
        drop(peer);
        assert_eq!(look(socket.descriptor()), Idle::Gone);
    }
}
