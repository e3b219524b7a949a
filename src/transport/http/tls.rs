//! TLS over one of our sockets.

use super::call::{Call, Phase};
use super::socket::{Idle, Socket};
use crate::error::{Error, Status};
use crate::transport::tls::TlsClient;
use rustls::{
    AlertDescription, CertificateError, ClientConnection, Error as TlsError, InvalidMessage,
};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A buffer above this size is not kept while the connection is idle.
const KEPT: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct TlsLink {
    socket: Socket,
    session: ClientConnection,
    /// Records on their way to the socket: several leave in one write.
    records: Vec<u8>,
    has_certificate: bool,
}

impl TlsLink {
    /// Speaks the handshake. The client's last words of it leave with the first request.
    pub(super) fn handshake(
        socket: Socket,
        client: &TlsClient,
        call: &Call,
    ) -> io::Result<TlsLink> {
        call.enter(Phase::Handshake);
        let mut session = ClientConnection::new(client.config.clone(), client.server_name.clone())
            .map_err(|error| refused(&error, false))?;
        session.set_buffer_limit(None);
        let has_certificate = client.config.client_auth_cert_resolver.has_certs();
        let mut link = TlsLink { socket, session, records: Vec::new(), has_certificate };
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
        self.session.writer().write_all(bytes)?;
        self.send_records(call)
    }

    /// Waits for bytes. 0 when the peer ended the session; a connection that merely ends is
    /// `UnexpectedEof`, for it may have been cut.
    pub(super) fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        loop {
            match self.session.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                ended => return ended,
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
            match self.session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
            match self.socket.look() {
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
        if self.records.capacity() > KEPT {
            self.records = Vec::new();
        }
    }

    fn send_records(&mut self, call: &Call) -> io::Result<()> {
        self.records.clear();
        while self.session.wants_write() {
            self.session.write_tls(&mut self.records)?;
        }
        self.socket.send_all(&self.records, call)
    }

    fn receive_records(&mut self, call: &Call) -> io::Result<usize> {
        let received = self.session.read_tls(&mut Receiving { socket: &mut self.socket, call })?;
        if let Err(error) = self.session.process_new_packets() {
            if !call.is_answered() && matches!(error, TlsError::AlertReceived(_)) {
                // With TLS 1.3 the request may be on its way before the server refuses the client.
                call.note_refused();
            }
            self.say_last_words();
            return Err(refused(&error, self.has_certificate));
        }
        Ok(received)
    }

    /// Sends what the session still has to say, an alert or its end, if that is possible at once.
    fn say_last_words(&mut self) {
        self.records.clear();
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.records).is_err() {
                return;
            }
        }
        if !self.records.is_empty() {
            self.socket.send_now(&self.records);
        }
    }
}

impl Drop for TlsLink {
    fn drop(&mut self) {
        if !self.session.is_handshaking() {
            self.session.send_close_notify();
            self.say_last_words();
        }
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

fn refused(error: &TlsError, has_certificate: bool) -> io::Error {
    io::Error::other(Error::new(Status::Tls, words(error, has_certificate)))
}

fn words(error: &TlsError, has_certificate: bool) -> String {
    match error {
        TlsError::InvalidCertificate(CertificateError::Other(explanation)) => {
            explanation.0.to_string()
        }
        TlsError::InvalidCertificate(cause) => {
            format!("the server's certificate is not accepted: {cause}")
        }
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port".to_owned()
        }
        // Go says `BadCertificate` of one that is missing.
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) if !has_certificate => {
            "the server asks for a client certificate; set tls_cert_file and tls_key_file"
                .to_owned()
        }
        TlsError::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied),
        ) => format!(
            "the server does not accept the client's certificate ({alert:?}); check tls_cert_file \
             and tls_key_file, and that the server knows the authority it comes from"
        ),
        TlsError::AlertReceived(alert) => format!("the server refused the handshake: {alert:?}"),
        other => other.to_string(),
    }
}
