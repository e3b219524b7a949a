//! Opens connections for tasks.

use super::link::{Link, TlsLink};
use super::socket::{Socket, wait};
use super::wait_in_task;
use crate::error::Result;
use crate::runtime::io::{Io, Source, Tell};
use crate::transport::http::call::{Call, Phase};
use crate::transport::http::connector::{
    Begun, Connector, Pauses, Target, Tries, UnixSocket, begin_tcp, finish_tcp, not_secured,
};
use crate::transport::http::failure;
use crate::transport::tls::TlsClient;
use rustix::io::Errno;
use rustix::net::sockopt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

pub(super) async fn open(connector: &Connector, io: &Io, call: &Arc<Call>) -> Result<Link> {
    call.note_connection(false);
    let source = match connector.target() {
        Target::Tcp(resolver) => {
            open_tcp(&resolver.addresses_in_task(io, call).await?, io, call).await?
        }
        Target::Unix(path) => open_unix(path, io, call).await?,
    };
    let socket = Socket::new(source);
    match connector.tls() {
        None => Ok(Link::Plain(socket)),
        Some(client) => secured(socket, client, call).await,
    }
}

async fn secured(socket: Socket, client: &TlsClient, call: &Call) -> Result<Link> {
    let handshake = TlsLink::handshake(socket, client, call).await;
    handshake.map(|tls| Link::Tls(Box::new(tls))).map_err(|error| not_secured(error, call))
}

async fn open_tcp(addresses: &[SocketAddr], io: &Io, call: &Call) -> Result<Source> {
    call.enter(Phase::Connect);
    let mut tries = Tries::new(addresses);
    while let Some((address, until)) = tries.next(call)? {
        match connect_tcp(&address, until, io, call).await {
            Ok(source) => return Ok(source),
            Err(error) => tries.failed(error, call)?,
        }
    }
    Err(tries.failure())
}

async fn connect_tcp(
    address: &SocketAddr,
    until: Instant,
    io: &Io,
    call: &Call,
) -> io::Result<Source> {
    let (descriptor, begun) = begin_tcp(address, call)?;
    // Not before: the kernel calls a socket that is not being connected yet hung up.
    let source = io.watch(descriptor, Tell::Room)?;
    if begun == Begun::Pending {
        await_connected(&source, until, io, call).await?;
    }
    finish_tcp(source.descriptor(), address)?;
    Ok(source)
}

async fn await_connected(source: &Source, until: Instant, io: &Io, call: &Call) -> io::Result<()> {
    let mut timer = None;
    let connected = wait(call, |context| {
        if source.poll_writable(context)?.is_ready() {
            return Ok(Poll::Ready(()));
        }
        timer.get_or_insert_with(|| io.wake_at(until, context.waker()));
        Ok(if Instant::now() >= until { Poll::Ready(()) } else { Poll::Pending })
    });
    connected.await?;
    sockopt::socket_error(source.descriptor())??;
    // Neither connected nor refused: its time is over.
    match rustix::net::getpeername(source.descriptor()) {
        Ok(_) => Ok(()),
        Err(Errno::NOTCONN) => Err(Errno::TIMEDOUT.into()),
        Err(errno) => Err(errno.into()),
    }
}

async fn open_unix(path: &Path, io: &Io, call: &Call) -> Result<Source> {
    let socket = UnixSocket::new(path, call)?;
    let mut pauses = Pauses::new();
    while !socket.connect(call)? {
        wait_in_task(io, call, pauses.next(call)?).await?;
    }
    io.watch(socket.finish(true)?, Tell::Bytes).map_err(failure::from_io)
}
