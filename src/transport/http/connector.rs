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

#[derive(Debug)]
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

impl UreqConnector for Connector {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> std::result::Result<Option<Connection>, ureq::Error> {
        let call = current().ok_or(ureq::Error::ConnectionFailed)?;
        self.open(call).map(Some).map_err(failure::of)
    }
}

fn secured(socket: Socket, client: &TlsClient, call: &Call) -> Result<TlsLink> {
    TlsLink::handshake(socket, client, call).map_err(|error| {
        call.detach();
        if !failure::is_death(&error) {
            return failure::from_io(error);
        }
        call.note_death();
        failure::broken("the connection was closed in the TLS handshake")
    })
}

/// Tries the addresses in turn. Each gets an equal share of the time left, so that a silent one
/// does not use up what another one needs.
fn open_tcp(addresses: &[SocketAddr], call: &Call) -> Result<Arc<OwnedFd>> {
    call.enter(Phase::Connect);
    let mut last = "it has no address".to_owned();
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = Instant::now() + call.rest()? / left;
        match connect_tcp(address, until, call) {
            Ok(descriptor) => return Ok(descriptor),
            Err(error) => {
                call.detach();
                let error = recoverable(error)?;
                // Reset as soon as it was accepted.
                if failure::is_death(&error) {
                    call.note_death();
                    return Err(failure::from_io(error));
                }
                last = failure::words(&error);
            }
        }
    }
    call.rest()?;
    if let [_, _, ..] = addresses {
        let tried: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        last = format!("{last} (tried {})", tried.join(", "));
    }
    Err(failure::connect(last))
}

/// An error that leaves hope for another address; an error of ours ends the call.
fn recoverable(error: io::Error) -> Result<io::Error> {
    match error.downcast::<Error>() {
        Ok(ours) => Err(ours),
        Err(error) => Ok(error),
    }
}

fn connect_tcp(address: &SocketAddr, until: Instant, call: &Call) -> io::Result<Arc<OwnedFd>> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let descriptor = new_socket(family)?;
    call.attach(&descriptor).map_err(io::Error::other)?;
    match rustix::net::connect(&descriptor, address) {
        Ok(()) => {}
        // Interrupted, it goes on by itself all the same (connect(2)).
        Err(Errno::INPROGRESS | Errno::INTR) => await_connected(&descriptor, until, call)?,
        Err(errno) => return Err(errno.into()),
    }
    // Connected to itself: a port of the ephemeral range that nobody listens on may do that.
    if rustix::net::getsockname(&descriptor)? == rustix::net::SocketAddrAny::from(*address) {
        return Err(Errno::CONNREFUSED.into());
    }
    sockopt::set_tcp_nodelay(&descriptor, true)?;
    sockopt::set_tcp_keepidle(&descriptor, KEEPALIVE)?;
    sockopt::set_socket_keepalive(&descriptor, true)?;
    rustix::io::ioctl_fionbio(&descriptor, false)?;
    Ok(descriptor)
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
    call.enter(Phase::Connect);
    let cannot = |error: io::Error| match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => failure::connect(format_args!(
            "the unix socket {}: {}",
            path.display(),
            failure::words(&error)
        )),
    };
    let address = SocketAddrUnix::new(path)
        .map_err(|_| Error::config(format!("{} is no path of a socket", path.display())))?;
    connect_unix(&address, call).map_err(cannot)
}

fn connect_unix(address: &SocketAddrUnix, call: &Call) -> io::Result<Arc<OwnedFd>> {
    let descriptor = new_socket(AddressFamily::UNIX)?;
    let mut pause = Duration::from_millis(1);
    loop {
        match rustix::net::connect(&descriptor, address) {
            Ok(()) => break,
            Err(Errno::INTR) => call.signalled().map_err(io::Error::other)?,
            // The backlog is full. Nothing tells when it has room again.
            Err(Errno::AGAIN) => {
                call.wait(Instant::now() + pause.min(call.rest().map_err(io::Error::other)?))
                    .map_err(io::Error::other)?;
                pause = (pause * 2).min(BACKLOG_PAUSE);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    call.attach(&descriptor).map_err(io::Error::other)?;
    rustix::io::ioctl_fionbio(&descriptor, false)?;
    Ok(descriptor)
}
