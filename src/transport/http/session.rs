//! A TLS session apart from the socket that carries it.

use super::call::Call;
use crate::error::{Error, Status};
use crate::transport::tls::TlsClient;
use rustls::{
    AlertDescription, CertificateError, ClientConnection, Error as TlsError, InvalidMessage,
};
use std::io::{self, ErrorKind, Read, Write};

/// A buffer above this size is not kept while the connection is idle.
const KEPT: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Session {
    connection: ClientConnection,
    /// Records on their way to the socket: several leave in one write.
    records: Vec<u8>,
    has_certificate: bool,
}

impl Session {
    pub(super) fn new(client: &TlsClient) -> io::Result<Session> {
        let (config, name) = (client.config.clone(), client.server_name.clone());
        let has_certificate = config.client_auth_cert_resolver.has_certs();
        let mut connection =
            ClientConnection::new(config, name).map_err(|error| refused(&error, false))?;
        connection.set_buffer_limit(None);
        Ok(Session { connection, records: Vec::new(), has_certificate })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    pub(super) fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Takes in what is to be sent.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.writer().write_all(bytes)
    }

    /// Everything that the socket has to send now.
    pub(super) fn records(&mut self) -> io::Result<&[u8]> {
        self.records.clear();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.records)?;
        }
        Ok(&self.records)
    }

    /// Gives what has been received and understood; none when more has to come. 0 when the peer
    /// ended the session; a connection that merely ended is `UnexpectedEof`, for it may have been
    /// cut.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match self.connection.reader().read(into) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            ended => ended.map(Some),
        }
    }

    /// Takes in what the socket has received. After an error there may be last words to send.
    pub(super) fn take_in(&mut self, socket: &mut impl Read, call: &Call) -> io::Result<usize> {
        let received = self.connection.read_tls(socket)?;
        if let Err(error) = self.connection.process_new_packets() {
            if !call.is_answered() && matches!(error, TlsError::AlertReceived(_)) {
                // With TLS 1.3 the request may be on its way before the server refuses the client.
                call.note_refused();
            }
            return Err(refused(&error, self.has_certificate));
        }
        Ok(received)
    }

    /// True when nothing is left to read and the peer has not ended the session.
    pub(super) fn is_quiet(&mut self) -> bool {
        let state = self.connection.process_new_packets();
        state.is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed())
    }

    /// What the session still has to say: an alert.
    pub(super) fn last_words(&mut self) -> &[u8] {
        self.records().unwrap_or_default()
    }

    /// Ends the session, and gives what is to be said about it.
    pub(super) fn end(&mut self) -> &[u8] {
        if self.is_handshaking() {
            return &[];
        }
        self.connection.send_close_notify();
        self.last_words()
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        if self.records.capacity() > KEPT {
            self.records = Vec::new();
        }
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
