//! TLS over one of our sockets.

use super::call::{Call, Phase};
use super::session::Session;
use super::socket::{Socket, send_now};
use crate::transport::tls::TlsClient;
use std::io::{self, ErrorKind, Read};

pub(super) struct TlsLink<S: Socket> {
    socket: S,
    session: Session,
}

impl<S: Socket> TlsLink<S> {
    /// Speaks the handshake. The client's last words of it leave with the first request.
    pub(super) async fn handshake(
        socket: S,
        client: &TlsClient,
        call: &Call,
    ) -> io::Result<TlsLink<S>> {
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

    pub(super) fn socket(&self) -> &S {
        &self.socket
    }

    pub(super) async fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        self.session.write(bytes)?;
        self.send_records(call).await
    }

    /// Waits for bytes. 0 when the peer ended the session; a connection that merely ends is
    /// `UnexpectedEof`, for it may have been cut.
    pub(super) async fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
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

    /// True when nothing is left to read of what was received.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.session.is_quiet()
    }

    /// Takes in what the socket has received.
    pub(super) fn receive_now(&mut self, call: &Call) -> io::Result<usize> {
        let mut now = Now { socket: &mut self.socket, call };
        let received = self.session.take_in(&mut now, call);
        if received.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            send_now(self.socket.descriptor(), self.session.last_words());
        }
        received
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        self.session.rest();
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
}

impl<S: Socket> Drop for TlsLink<S> {
    fn drop(&mut self) {
        send_now(self.socket.descriptor(), self.session.end());
    }
}

struct Now<'a, S> {
    socket: &'a mut S,
    call: &'a Call,
}

impl<S: Socket> Read for Now<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.receive_now(into, self.call)
    }
}
