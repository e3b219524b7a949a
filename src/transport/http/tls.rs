//! TLS over one of our sockets.

use super::call::{Call, Phase};
use super::session::Session;
use super::socket::{Idle, Socket, look, send_now};
use crate::transport::tls::TlsClient;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct TlsLink {
    socket: Socket,
    session: Session,
}

impl TlsLink {
    /// Speaks the handshake. The client's last words of it leave with the first request.
    pub(super) fn handshake(
        socket: Socket,
        client: &TlsClient,
        call: &Call,
    ) -> io::Result<TlsLink> {
        call.enter(Phase::Handshake);
        let mut link = TlsLink { socket, session: Session::new(client)? };
        while link.session.is_handshaking() {
            link.send_records(call)?;
            if link.session.is_handshaking() && link.receive_records(call)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(link)
    }

    pub(super) fn descriptor(&self) -> &Arc<OwnedFd> {
        self.socket.descriptor()
    }

    pub(super) fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        self.session.write(bytes)?;
        self.send_records(call)
    }

    /// Waits for bytes. 0 when the peer ended the session; a connection that merely ends is
    /// `UnexpectedEof`, for it may have been cut.
    pub(super) fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            if let Some(read) = self.session.read(into)? {
                return Ok(read);
            }
            self.receive_records(call)?;
            if self.session.wants_write() {
                self.send_records(call)?;
            }
        }
    }

    /// True when it can serve another exchange. What a server sends to an idle connection, such as
    /// a session ticket, is taken in first.
    pub(super) fn is_reusable(&mut self, call: &Call) -> bool {
        loop {
            if !self.session.is_quiet() {
                return false;
            }
            match look(self.descriptor()) {
                Idle::Quiet => return true,
                Idle::Gone => return false,
                Idle::Unread => match self.receive_records(call) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return false,
                },
            }
        }
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        self.session.rest();
    }

    fn send_records(&mut self, call: &Call) -> io::Result<()> {
        self.socket.send_all(self.session.records()?, call)
    }

    fn receive_records(&mut self, call: &Call) -> io::Result<usize> {
        let received =
            self.session.take_in(&mut Receiving { socket: &mut self.socket, call }, call);
        if received.is_err() {
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

struct Receiving<'a> {
    socket: &'a mut Socket,
    call: &'a Call,
}

impl Read for Receiving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.receive(into, self.call)
    }
}
