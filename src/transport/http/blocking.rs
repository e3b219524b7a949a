//! Exchanges that wait on their caller's thread, in system calls that end at the call's deadline.

use super::call::Call;
use super::socket::{self, News, end, failed};
use super::wait::Wait;
use crate::error::Result;
use crate::runtime::io::{Tell, Timer};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The kernel's time-out is set anew only when what it is to be falls below another multiple of this:
/// not once in a usual exchange.
const STEP: Duration = Duration::from_millis(250);

/// By which part of it a socket's time-out may come late: the kernel's timer wheel knows long times
/// less exactly than short ones, and rounds up, a minute to several seconds more.
const LATE: u32 = 7;

/// On the thread itself.
#[derive(Debug)]
pub(super) struct Blocking;

impl Wait for Blocking {
    type Socket = Socket;

    async fn wait(&self, call: &Call, until: Instant) -> Result<bool> {
        call.wait(until)
    }

    fn take_over(&self, descriptor: Arc<OwnedFd>, _: Tell) -> io::Result<Socket> {
        rustix::io::ioctl_fionbio(&descriptor, false)?;
        Ok(Socket::new(descriptor))
    }

    async fn connected(&self, socket: &Socket, until: Instant, call: &Call) -> io::Result<()> {
        await_connected(&socket.descriptor, until, call)
    }

    fn wake_at(&self, _: Instant, _: &Waker) -> Option<Timer> {
        None
    }
}

fn await_connected(descriptor: &OwnedFd, until: Instant, call: &Call) -> io::Result<()> {
    loop {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            call.rest().map_err(io::Error::other)?;
            return Err(Errno::TIMEDOUT.into());
        }
        let rest = rest.try_into().unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let mut wanted = [PollFd::new(descriptor, PollFlags::OUT)];
        match rustix::event::poll(&mut wanted, Some(&rest)) {
            Ok(0) => {}
            Ok(_) => {
                call.check().map_err(io::Error::other)?;
                return Ok(sockopt::socket_error(descriptor)??);
            }
            Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// A socket in blocking mode.
#[derive(Debug)]
pub(super) struct Socket {
    descriptor: Arc<OwnedFd>,
    receive_timeout: Duration,
    send_timeout: Duration,
}

impl Socket {
    fn new(descriptor: Arc<OwnedFd>) -> Socket {
        Socket { descriptor, receive_timeout: Duration::ZERO, send_timeout: Duration::ZERO }
    }
}

impl socket::Socket for Socket {
    fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.descriptor
    }

    async fn send_all(&mut self, mut bytes: &[u8], call: &Call) -> io::Result<()> {
        while !bytes.is_empty() {
            arm(&self.descriptor, Timeout::Send, &mut self.send_timeout, call)?;
            match rustix::net::send(&self.descriptor, bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    call.note_sent();
                    bytes = bytes.get(sent..).unwrap_or_default();
                }
                Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(failed(errno, call)),
            }
        }
        Ok(())
    }

    async fn readable(&self, _: &Call) -> io::Result<()> {
        Ok(())
    }

    fn receive_now(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            arm(&self.descriptor, Timeout::Recv, &mut self.receive_timeout, call)?;
            match rustix::net::recv(&self.descriptor, &mut *into, RecvFlags::empty()) {
                // An interruption shuts the socket, which reads like an end.
                Ok((0, _)) => return call.check().map(|()| 0).map_err(io::Error::other),
                Ok((received, _)) => return Ok(received),
                Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(failed(errno, call)),
            }
        }
    }

    fn news(&self) -> News {
        News::Untold
    }

    fn wake_on_news(&self, _: Option<&Waker>) {}
}

impl Drop for Socket {
    fn drop(&mut self) {
        end(&self.descriptor);
    }
}

/// Sees to it that the next read or write ends at the deadline, or before it: then it is repeated
/// with the rest.
fn arm(
    descriptor: &OwnedFd,
    direction: Timeout,
    armed: &mut Duration,
    call: &Call,
) -> io::Result<()> {
    let wanted = time_out(call.rest().map_err(io::Error::other)?);
    if wanted == *armed {
        return Ok(());
    }
    // Below a microsecond it would mean "no time-out" to the kernel.
    sockopt::set_socket_timeout(descriptor, direction, Some(wanted.max(Duration::from_micros(1))))?;
    *armed = wanted;
    Ok(())
}

/// A time-out that is over before this time is, however late it comes; short times come exactly.
fn time_out(rest: Duration) -> Duration {
    if rest < STEP {
        return rest;
    }
    let early = rest - rest / LATE;
    let steps = early.as_millis() / STEP.as_millis();
    match u32::try_from(steps).unwrap_or(u32::MAX) {
        0 => early,
        steps => STEP.saturating_mul(steps),
    }
}

#[cfg(test)]
mod tests {
    use super::{STEP, Socket, time_out};
    use crate::error::Status;
    use crate::runtime::at_once;
    use crate::transport::http::call::Call;
    use crate::transport::http::failure::from_io;
    use crate::transport::http::socket::Socket as _;
    use crate::transport::http::tests::control::{GRACE, timed};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Socket::new(Arc::new(ours.into())), theirs)
    }

    #[test]
    fn a_time_out_that_comes_late_is_over_before_the_deadline() {
        // The kernel knows times of more than 63 ticks to an eighth of a power of eight, rounded up.
        let late = |time: Duration| time + time * 8 / 63;
        for rest in (250..100_000).step_by(7).chain((100_000..86_400_000).step_by(99_991)) {
            let rest = Duration::from_millis(rest);
            let wanted = time_out(rest);
            assert!(late(wanted) <= rest && wanted > rest / 3, "{wanted:?} of {rest:?}");
        }
        let short = STEP - Duration::from_nanos(1);
        assert_eq!(time_out(short), short);
        // Not anew with each call.
        assert_eq!(time_out(Duration::from_millis(9999)), time_out(Duration::from_millis(9930)));
    }

    #[test]
    fn a_read_ends_at_the_deadline() {
        let (mut socket, _peer) = pair();
        // Longer than one step, so that the exact rest is waited for as well.
        for rest in [20, 280].map(Duration::from_millis) {
            let (outcome, timing) = timed(|| {
                let end = Instant::now() + rest;
                socket.receive_now(&mut [0; 8], &Call::new(end, end, false))
            });
            assert_eq!(outcome.map_err(from_io).unwrap_err().status(), Status::Timeout);
            assert!(timing.elapsed >= rest && timing.fair() < rest + GRACE, "{timing:?}");
        }
    }

    #[test]
    fn a_write_ends_at_the_deadline() {
        let (mut socket, _peer) = pair();
        let bytes = vec![0; 8 << 20];
        let (outcome, timing) = timed(|| {
            let end = Instant::now() + Duration::from_millis(50);
            let call = Call::new(end, end, false);
            at_once(async { socket.send_all(&bytes, &call).await.map_err(from_io) })
        });
        assert_eq!(outcome.unwrap_err().status(), Status::Timeout);
        assert!(timing.fair() < GRACE, "{timing:?}");
    }
}
