//! How TLS is spoken: whom to trust, and who we are.
//!
//! The cryptography is always ring's, named here: a process-wide default may be missing, or belong
//! to another library of the host.

mod certificate;
mod files;
mod identity;
mod verify;

use crate::error::{Error, Result, Status};
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::hash;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SupportedCipherSuite};
use std::path::PathBuf;
use std::sync::Arc;

/// The settings of TLS. By default the system's certificate authorities are trusted and everything
/// is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Verify the server's certificate and name. Off, anybody can pose as Consul.
    pub verify: bool,
    /// A PEM file of certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A folder of such files.
    pub ca_path: Option<PathBuf>,
    /// A PEM file with this client's certificate, and with those that lead to its authority.
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the private key of `cert_file`.
    pub key_file: Option<PathBuf>,
    /// The name to expect in the server's certificate, instead of the address's host.
    pub server_name: Option<String>,
}

impl Default for TlsSettings {
    fn default() -> TlsSettings {
        TlsSettings {
            verify: true,
            ca_file: None,
            ca_path: None,
            cert_file: None,
            key_file: None,
            server_name: None,
        }
    }
}

/// TLS as a client of one server speaks it, everything read and checked.
#[derive(Clone, Debug)]
pub(super) struct TlsClient {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
    pub(super) identity: Identity,
}

impl TlsClient {
    /// The same, without the sessions that others have cached: a child of `fork` must not touch
    /// what a thread of its parent may have locked.
    pub(super) fn fresh(&self) -> TlsClient {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::default();
        TlsClient { config: Arc::new(config), ..self.clone() }
    }
}

/// Tells what two clients must have in common to share connections: settings, authorities, key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity(Vec<u8>);

impl TlsSettings {
    /// Reads the files and checks them.
    pub(super) fn load(&self, host: &str) -> Result<TlsClient> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server_name = server_name(self.server_name.as_deref().unwrap_or(host))?;
        let mut seen = Fingerprint::new();
        seen.add(server_name.to_str().as_bytes());
        seen.add(&[u8::from(self.verify)]);
        let verifier: Arc<dyn ServerCertVerifier> = if self.verify {
            let authorities = files::authorities(self)?;
            authorities.iter().for_each(|authority| seen.add(authority));
            seen.add(&[]);
            let verifying = verify::Verifying::new(&authorities, &provider);
            Arc::new(verifying.map_err(|error| error.context(self.authorities_setting()))?)
        } else {
            Arc::new(verify::Trusting::new(&provider))
        };
        let identity = identity::load(self, &provider)?;
        if let Some(identity) = &identity {
            identity.chain.iter().for_each(|certificate| seen.add(certificate));
            seen.add(identity.key.secret_der());
        }
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(Status::Internal, error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(identity) => builder.with_client_cert_resolver(identity.resolver),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsClient { config: Arc::new(config), server_name, identity: seen.finish() })
    }
}

impl TlsSettings {
    /// Where the certificate authorities come from, for messages.
    fn authorities_setting(&self) -> String {
        let of = |name: &str, path: &PathBuf| format!("{name} {}", path.display());
        let settings = [
            self.ca_file.as_ref().map(|path| of("tls_ca_file", path)),
            self.ca_path.as_ref().map(|path| of("tls_ca_path", path)),
        ];
        settings.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A name or an IP address, as certificates have it: without a port.
fn server_name(text: &str) -> Result<ServerName<'static>> {
    let host = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        // More than one colon: an IPv6 address without brackets.
        None if text.matches(':').count() == 1 => text.split(':').next().unwrap_or_default(),
        None => text,
    };
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Error::config(format!(
            "tls_server_name: {text:?} is neither a DNS name nor an IP address, so no certificate \
             can be for it"
        ))
    })
}

/// A digest over several pieces, each with its length so that they cannot run into each other.
struct Fingerprint(Option<Box<dyn hash::Context>>);

impl Fingerprint {
    fn new() -> Fingerprint {
        let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
        Fingerprint(match suite {
            SupportedCipherSuite::Tls13(suite) => Some(suite.common.hash_provider.start()),
            SupportedCipherSuite::Tls12(_) => None,
        })
    }

    fn add(&mut self, piece: &[u8]) {
        if let Some(digest) = &mut self.0 {
            digest.update(&piece.len().to_be_bytes());
            digest.update(piece);
        }
    }

    fn finish(self) -> Identity {
        Identity(self.0.map(|digest| digest.finish().as_ref().to_vec()).unwrap_or_default())
    }
}

/// A certificate or key that cannot be used.
fn unusable(cause: impl std::fmt::Display) -> Error {
    Error::new(Status::Tls, cause.to_string())
}
