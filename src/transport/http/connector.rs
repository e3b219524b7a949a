//! Opens connections.

use super::call::{Call, Phase};
use super::failure;
use super::link::Link;
use super::resolver::Resolver;
use super::socket::Socket;
use super::tls::TlsLink;
use super::wait::Wait;
use crate::config::{Address, Place};
use crate::error::{Error, Result};
use crate::runtime::io::Tell;
use crate::transport::tls::TlsClient;
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection is silent before the kernel asks whether the peer still lives.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// The longest pause before a unix socket with a full backlog is tried again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Connector {
    target: Target,
    tls: Option<TlsClient>,
}

/// Where connections lead.
enum Target {
    Tcp(Resolver),
    Unix(PathBuf),
}

impl Connector {
    pub(super) fn new(address: &Address, tls: Option<TlsClient>) -> Connector {
        let target = match address.place() {
            Place::Tcp { host, .. } => Target::Tcp(Resolver::new(host, address.port())),
            Place::Unix(path) => Target::Unix(path.clone()),
        };
        Connector { target, tls }
    }

    pub(super) async fn open<W: Wait>(
        &self,
        wait: &W,
        call: &Arc<Call>,
    ) -> Result<Link<W::Socket>> {
        call.note_connection(false);
        let socket = match &self.target {
            Target::Tcp(resolver) => {
                open_tcp(&resolver.addresses(wait, call).await?, wait, call).await?
            }
            Target::Unix(path) => open_unix(path, wait, call).await?,
        };
        let Some(client) = &self.tls else { return Ok(Link::Plain(socket)) };
        let secured = TlsLink::handshake(socket, client, call).await;
        secured.map(|tls| Link::Tls(Box::new(tls))).map_err(|error| not_secured(error, call))
    }
}

/// The failure of a handshake.
fn not_secured(error: io::Error, call: &Call) -> Error {
    call.detach();
    if !failure::is_death(&error) {
        return failure::from_io(error);
    }
    call.note_death();
    failure::broken("the connection was closed in the TLS handshake")
}

async fn open_tcp<W: Wait>(addresses: &[SocketAddr], wait: &W, call: &Call) -> Result<W::Socket> {
    call.enter(Phase::Connect);
    let mut tries = Tries::new(addresses);
    while let Some((address, until)) = tries.next(call)? {
        match connect_tcp(&address, until, wait, call).await {
            Ok(socket) => return Ok(socket),
            Err(error) => tries.failed(error, call)?,
        }
    }
    Err(tries.failure())
}

/// The addresses of a host, to be tried in turn.
struct Tries<'a> {
    addresses: &'a [SocketAddr],
    tried: usize,
    last: String,
}

impl<'a> Tries<'a> {
    fn new(addresses: &'a [SocketAddr]) -> Tries<'a> {
        Tries { addresses, tried: 0, last: "it has no address".to_owned() }
    }

    /// The next address, and until when to try it: each gets an equal share of the time left, so
    /// that a silent one does not use up what another one needs.
    fn next(&mut self, call: &Call) -> Result<Option<(SocketAddr, Instant)>> {
        let rest = call.rest()?;
        let Some(address) = self.addresses.get(self.tried) else { return Ok(None) };
        let left = u32::try_from(self.addresses.len() - self.tried).unwrap_or(u32::MAX);
        self.tried += 1;
        Ok(Some((*address, Instant::now() + rest / left)))
    }

    /// Notes why the address did not do. An error that another one cannot mend ends the call.
    fn failed(&mut self, error: io::Error, call: &Call) -> Result<()> {
        call.detach();
        // An interruption shuts the socket, which looks like a failure of the address.
        call.check()?;
        let error = recoverable(error)?;
        // Reset as soon as it was accepted.
        if failure::is_death(&error) {
            call.note_death();
            return Err(failure::from_io(error));
        }
        self.last = failure::words(&error);
        Ok(())
    }

    fn failure(self) -> Error {
        match self.addresses {
            [_, _, ..] => {
                let tried: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
                failure::connect(format_args!("{} (tried {})", self.last, tried.join(", ")))
            }
            _ => failure::connect(self.last),
        }
    }
}

/// An error that leaves hope for another address; an error of ours ends the call.
fn recoverable(error: io::Error) -> Result<io::Error> {
    match error.downcast::<Error>() {
        Ok(ours) => Err(ours),
        Err(error) => Ok(error),
    }
}

async fn connect_tcp<W: Wait>(
    address: &SocketAddr,
    until: Instant,
    wait: &W,
    call: &Call,
) -> io::Result<W::Socket> {
    let (descriptor, is_connected) = begin_tcp(address, call)?;
    let socket = wait.take_over(descriptor, Tell::Room)?;
    if !is_connected {
        wait.connected(&socket, until, call).await?;
    }
    finish_tcp(socket.descriptor(), address)?;
    Ok(socket)
}

/// Begins to connect a new, non-blocking socket. True when it is connected at once.
fn begin_tcp(address: &SocketAddr, call: &Call) -> io::Result<(Arc<OwnedFd>, bool)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let descriptor = new_socket(family)?;
    call.attach(&descriptor).map_err(io::Error::other)?;
    match rustix::net::connect(&descriptor, address) {
        Ok(()) => Ok((descriptor, true)),
        // Interrupted, it goes on by itself all the same (connect(2)).
        Err(Errno::INPROGRESS | Errno::INTR) => Ok((descriptor, false)),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes a connected socket ready for use.
fn finish_tcp(descriptor: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    // Connected to itself: a port of the ephemeral range that nobody listens on may do that.
    if rustix::net::getsockname(descriptor)? == rustix::net::SocketAddrAny::from(*address) {
        return Err(Errno::CONNREFUSED.into());
    }
    sockopt::set_tcp_nodelay(descriptor, true)?;
    sockopt::set_tcp_keepidle(descriptor, KEEPALIVE)?;
    Ok(sockopt::set_socket_keepalive(descriptor, true)?)
}

fn new_socket(family: AddressFamily) -> io::Result<Arc<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(Arc::new(rustix::net::socket_with(family, SocketType::STREAM, flags, None)?))
}

async fn open_unix<W: Wait>(path: &Path, wait: &W, call: &Call) -> Result<W::Socket> {
    let socket = UnixSocket::new(path, call)?;
    let mut pauses = Pauses::new();
    while !socket.connect(call)? {
        wait.wait(call, pauses.next(call)?).await?;
    }
    let taken = wait.take_over(socket.descriptor, Tell::Bytes);
    taken.map_err(|error| cannot(path, error))
}

/// A unix socket that is being connected.
struct UnixSocket<'a> {
    path: &'a Path,
    address: SocketAddrUnix,
    descriptor: Arc<OwnedFd>,
}

impl<'a> UnixSocket<'a> {
    fn new(path: &'a Path, call: &Call) -> Result<UnixSocket<'a>> {
        call.enter(Phase::Connect);
        let address = SocketAddrUnix::new(path)
            .map_err(|_| Error::config(format!("{} is no path of a socket", path.display())))?;
        let descriptor = new_socket(AddressFamily::UNIX).map_err(|error| cannot(path, error))?;
        Ok(UnixSocket { path, address, descriptor })
    }

    /// False when the backlog is full. Nothing tells when it has room again.
    fn connect(&self, call: &Call) -> Result<bool> {
        loop {
            match rustix::net::connect(&self.descriptor, &self.address) {
                Ok(()) => return call.attach(&self.descriptor).map(|()| true),
                Err(Errno::INTR) => call.signalled()?,
                Err(Errno::AGAIN) => return Ok(false),
                Err(errno) => return Err(cannot(self.path, errno.into())),
            }
        }
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    let words = failure::words(&error);
    failure::connect(format_args!("the unix socket {}: {words}", path.display()))
}

/// When to try again, less and less often.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Pauses {
        Pauses(Duration::from_millis(1))
    }

    fn next(&mut self, call: &Call) -> Result<Instant> {
        let until = Instant::now() + self.0.min(call.rest()?);
        self.0 = (self.0 * 2).min(BACKLOG_PAUSE);
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use crate::transport::cancel::Interrupt;

    #[test]
    fn what_fails_because_it_was_interrupted_ends_with_the_interruption() {
        let end = Instant::now() + Duration::from_secs(60);
        let call = Call::new(end, end, false);
        let addresses = [SocketAddr::from(([127, 0, 0, 1], 1))];
        let mut tries = Tries::new(&addresses);
        tries.next(&call).unwrap().unwrap();
        tries.failed(Errno::CONNREFUSED.into(), &call).unwrap();
        call.interrupt(&Error::new(Status::Cancelled, "enough"));
        let error = tries.failed(Errno::TIMEDOUT.into(), &call).unwrap_err();
        assert_eq!(error.status(), Status::Cancelled);
    }
}
