//! What carries a connection's bytes.

use super::call::Call;
use super::socket::{Idle, Socket, look};
use super::tls::TlsLink;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

#[derive(Debug)]
pub(super) enum Link {
    Plain(Socket),
    Tls(Box<TlsLink>),
}

impl Link {
    pub(super) fn descriptor(&self) -> &Arc<OwnedFd> {
        match self {
            Link::Plain(socket) => socket.descriptor(),
            Link::Tls(tls) => tls.descriptor(),
        }
    }

    pub(super) fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        match self {
            Link::Plain(socket) => socket.send_all(bytes, call),
            Link::Tls(tls) => tls.send_all(bytes, call),
        }
    }

    /// Waits for bytes. 0 when the peer has closed in the way the protocol asks for.
    pub(super) fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        match self {
            Link::Plain(socket) => socket.receive(into, call),
            Link::Tls(tls) => tls.receive(into, call),
        }
    }

    /// True when an idle connection can serve another exchange: open, and nothing left to read.
    pub(super) fn is_reusable(&mut self, call: &Call) -> bool {
        match self {
            Link::Plain(socket) => look(socket.descriptor()) == Idle::Quiet,
            Link::Tls(tls) => tls.is_reusable(call),
        }
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        if let Link::Tls(tls) = self {
            tls.rest();
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Link::Tls(_))
    }
}
