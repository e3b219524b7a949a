//! What carries a connection's bytes, for tasks.

use super::socket::{Now, Socket};
use crate::transport::http::call::{Call, Phase};
use crate::transport::http::session::Session;
use crate::transport::http::socket::{Idle, look, send_now};
use crate::transport::tls::TlsClient;
use std::io::{self, ErrorKind};

pub(super) enum Link {
    Plain(Socket),
    Tls(Box<TlsLink>),
}

pub(super) struct TlsLink {
    socket: Socket,
    session: Session,
}

impl Link {
    pub(super) fn socket(&self) -> &Socket {
        match self {
            Link::Plain(socket) => socket,
            Link::Tls(tls) => &tls.socket,
        }
    }

    pub(super) async fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        match self {
            Link::Plain(socket) => socket.send_all(bytes, call).await,
            Link::Tls(tls) => tls.send_all(bytes, call).await,
        }
    }

    /// Waits for bytes. 0 when the peer has closed in the way the protocol asks for.
    pub(super) async fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        match self {
            Link::Plain(socket) => socket.receive(into, call).await,
            Link::Tls(tls) => tls.receive(into, call).await,
        }
    }

    /// True when an idle connection can serve another exchange: open, and nothing left to read.
    /// The kernel tells of news, but a little later; only a system call is `sure`.
    pub(super) fn is_reusable(&mut self, sure: bool, call: &Call) -> bool {
        loop {
            if let Link::Tls(tls) = self
                && !tls.session.is_quiet()
            {
                return false;
            }
            if !sure && !self.socket().source().has_news() {
                return true;
            }
            match (look(self.socket().descriptor()), &mut *self) {
                (Idle::Quiet, _) => return true,
                // A session ticket, for example.
                (Idle::Unread, Link::Tls(tls)) => match tls.receive_now(call) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return false,
                },
                _ => return false,
            }
        }
    }

    /// True when an idle connection has come to its end, as far as one can tell from outside.
    pub(super) fn is_over(&self) -> bool {
        let source = self.socket().source();
        source.has_news()
            && match look(self.socket().descriptor()) {
                Idle::Quiet => false,
                Idle::Unread => source.has_ended() || matches!(self, Link::Plain(_)),
                Idle::Gone => true,
            }
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        if let Link::Tls(tls) = self {
            tls.session.rest();
        }
    }
}

impl TlsLink {
    /// Speaks the handshake. The client's last words of it leave with the first request.
    pub(super) async fn handshake(
        socket: Socket,
        client: &TlsClient,
        call: &Call,
    ) -> io::Result<TlsLink> {
        call.enter(Phase::Handshake);
        let mut link = TlsLink { socket, session: Session::new(client)? };
        while link.session.is_handshaking() {
            link.send_records(call).await?;
            if link.session.is_handshaking() && link.receive_records(call).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(link)
    }

    async fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        self.session.write(bytes)?;
        self.send_records(call).await
    }

    async fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            if let Some(read) = self.session.read(into)? {
                return Ok(read);
            }
            self.receive_records(call).await?;
            if self.session.wants_write() {
                self.send_records(call).await?;
            }
        }
    }

    async fn send_records(&mut self, call: &Call) -> io::Result<()> {
        self.socket.send_all(self.session.records()?, call).await
    }

    async fn receive_records(&mut self, call: &Call) -> io::Result<usize> {
        loop {
            self.socket.readable(call).await?;
            match self.receive_now(call) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                ended => return ended,
            }
        }
    }

    fn receive_now(&mut self, call: &Call) -> io::Result<usize> {
        let received = self.session.take_in(&mut Now { socket: &self.socket, call }, call);
        if received.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            send_now(self.socket.descriptor(), self.session.last_words());
        }
        received
    }
}

impl Drop for TlsLink {
    fn drop(&mut self) {
        send_now(self.socket.descriptor(), self.session.end());
    }
}
