//! Opens connections for ureq.

use super::call::{Call, Phase, current};
use super::connection::Connection;
use super::failure;
use super::link::Link;
use super::resolver::Resolver;
use super::socket::Socket;
use super::tls::TlsLink;
use crate::config::{Address, Place};
use crate::error::{Error, Result};
use crate::transport::tls::TlsClient;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::unversioned::transport::{ConnectionDetails, Connector as UreqConnector};

/// How long a connection is silent before the kernel asks whether the peer still lives.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// The longest pause before a unix socket with a full backlog is tried again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Connector {
    target: Target,
    tls: Option<TlsClient>,
}

/// Where connections lead.
#[derive(Debug)]
pub(super) enum Target {
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

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn tls(&self) -> Option<&TlsClient> {
        self.tls.as_ref()
    }

    fn open(&self, call: Arc<Call>) -> Result<Connection> {
        call.note_connection(false);
        let descriptor = match &self.target {
            Target::Tcp(resolver) => open_tcp(&resolver.addresses(&call)?, &call)?,
            Target::Unix(path) => open_unix(path, &call)?,
        };
        let socket = Socket::new(descriptor);
        let link = match &self.tls {
            None => Link::Plain(socket),
            Some(client) => Link::Tls(Box::new(secured(socket, client, &call)?)),
        };
        Ok(Connection::new(link, call))
    }
}

/// The same one, for ureq.
#[derive(Debug)]
pub(super) struct SharedConnector(pub(super) Arc<Connector>);

impl UreqConnector for SharedConnector {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> std::result::Result<Option<Connection>, ureq::Error> {
        let call = current().ok_or(ureq::Error::ConnectionFailed)?;
        self.0.open(call).map(Some).map_err(failure::of)
    }
}

fn secured(socket: Socket, client: &TlsClient, call: &Call) -> Result<TlsLink> {
    TlsLink::handshake(socket, client, call).map_err(|error| not_secured(error, call))
}

/// The failure of a handshake.
pub(super) fn not_secured(error: io::Error, call: &Call) -> Error {
    call.detach();
    if !failure::is_death(&error) {
        return failure::from_io(error);
    }
    call.note_death();
    failure::broken("the connection was closed in the TLS handshake")
}

fn open_tcp(addresses: &[SocketAddr], call: &Call) -> Result<Arc<OwnedFd>> {
    call.enter(Phase::Connect);
    let mut tries = Tries::new(addresses);
    while let Some((address, until)) = tries.next(call)? {
        match connect_tcp(&address, until, call) {
            Ok(descriptor) => return Ok(descriptor),
            Err(error) => tries.failed(error, call)?,
        }
    }
    Err(tries.failure())
}

/// The addresses of a host, to be tried in turn.
pub(super) struct Tries<'a> {
    addresses: &'a [SocketAddr],
    tried: usize,
    last: String,
}

impl<'a> Tries<'a> {
    pub(super) fn new(addresses: &'a [SocketAddr]) -> Tries<'a> {
        Tries { addresses, tried: 0, last: "it has no address".to_owned() }
    }

    /// The next address, and until when to try it: each gets an equal share of the time left, so
    /// that a silent one does not use up what another one needs.
    pub(super) fn next(&mut self, call: &Call) -> Result<Option<(SocketAddr, Instant)>> {
        let rest = call.rest()?;
        let Some(address) = self.addresses.get(self.tried) else { return Ok(None) };
        let left = u32::try_from(self.addresses.len() - self.tried).unwrap_or(u32::MAX);
        self.tried += 1;
        Ok(Some((*address, Instant::now() + rest / left)))
    }

    /// Notes why the address did not do. An error that another one cannot mend ends the call.
    pub(super) fn failed(&mut self, error: io::Error, call: &Call) -> Result<()> {
        call.detach();
        let error = recoverable(error)?;
        // Reset as soon as it was accepted.
        if failure::is_death(&error) {
            call.note_death();
            return Err(failure::from_io(error));
        }
        self.last = failure::words(&error);
        Ok(())
    }

    pub(super) fn failure(self) -> Error {
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

fn connect_tcp(address: &SocketAddr, until: Instant, call: &Call) -> io::Result<Arc<OwnedFd>> {
    let (descriptor, state) = begin_tcp(address, call)?;
    if state == Begun::Pending {
        await_connected(&descriptor, until, call)?;
    }
    finish_tcp(&descriptor, address)?;
    rustix::io::ioctl_fionbio(&descriptor, false)?;
    Ok(descriptor)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Connected,
    Pending,
}

/// Begins to connect a new, non-blocking socket.
pub(super) fn begin_tcp(address: &SocketAddr, call: &Call) -> io::Result<(Arc<OwnedFd>, Begun)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let descriptor = new_socket(family)?;
    call.attach(&descriptor).map_err(io::Error::other)?;
    match rustix::net::connect(&descriptor, address) {
        Ok(()) => Ok((descriptor, Begun::Connected)),
        // Interrupted, it goes on by itself all the same (connect(2)).
        Err(Errno::INPROGRESS | Errno::INTR) => Ok((descriptor, Begun::Pending)),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes a connected socket ready for use.
pub(super) fn finish_tcp(descriptor: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
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

fn await_connected(descriptor: &OwnedFd, until: Instant, call: &Call) -> io::Result<()> {
    loop {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            call.rest().map_err(io::Error::other)?;
            return Err(Errno::TIMEDOUT.into());
        }
        let rest = rest.try_into().unwrap_or(rustix::event::Timespec { tv_sec: 3600, tv_nsec: 0 });
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

fn open_unix(path: &Path, call: &Call) -> Result<Arc<OwnedFd>> {
    let socket = UnixSocket::new(path, call)?;
    let mut pauses = Pauses::new();
    while !socket.connect(call)? {
        call.wait(pauses.next(call)?)?;
    }
    socket.finish(false)
}

/// A unix socket that is being connected.
pub(super) struct UnixSocket<'a> {
    path: &'a Path,
    address: SocketAddrUnix,
    descriptor: Arc<OwnedFd>,
}

impl<'a> UnixSocket<'a> {
    pub(super) fn new(path: &'a Path, call: &Call) -> Result<UnixSocket<'a>> {
        call.enter(Phase::Connect);
        let address = SocketAddrUnix::new(path)
            .map_err(|_| Error::config(format!("{} is no path of a socket", path.display())))?;
        let descriptor = new_socket(AddressFamily::UNIX).map_err(|error| cannot(path, error))?;
        Ok(UnixSocket { path, address, descriptor })
    }

    /// False when the backlog is full. Nothing tells when it has room again.
    pub(super) fn connect(&self, call: &Call) -> Result<bool> {
        loop {
            match rustix::net::connect(&self.descriptor, &self.address) {
                Ok(()) => return call.attach(&self.descriptor).map(|()| true),
                Err(Errno::INTR) => call.signalled()?,
                Err(Errno::AGAIN) => return Ok(false),
                Err(errno) => return Err(cannot(self.path, errno.into())),
            }
        }
    }

    pub(super) fn finish(self, nonblocking: bool) -> Result<Arc<OwnedFd>> {
        rustix::io::ioctl_fionbio(&self.descriptor, nonblocking)
            .map_err(|errno| cannot(self.path, errno.into()))?;
        Ok(self.descriptor)
    }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    let words = failure::words(&error);
    failure::connect(format_args!("the unix socket {}: {words}", path.display()))
}

/// When to try again, less and less often.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Pauses {
        Pauses(Duration::from_millis(1))
    }

    pub(super) fn next(&mut self, call: &Call) -> Result<Instant> {
        let until = Instant::now() + self.0.min(call.rest()?);
        self.0 = (self.0 * 2).min(BACKLOG_PAUSE);
        Ok(until)
    }
}
