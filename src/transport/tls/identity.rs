//! Who we are: the client's certificate and its key.

use super::certificate::Certificate;
use super::{TlsSettings, files, unusable};
use crate::error::{Error, Result};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;

/// What the client shows when a server asks for a certificate.
pub(super) struct ClientIdentity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) resolver: Arc<dyn ResolvesClientCert>,
}

pub(super) fn load(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Option<ClientIdentity>> {
    let (cert_file, key_file) = match (&settings.cert_file, &settings.key_file) {
        (None, None) => return Ok(None),
        (Some(cert_file), Some(key_file)) => (cert_file, key_file),
        (Some(_), None) => return Err(Error::config("tls_cert_file needs tls_key_file beside it")),
        (None, Some(_)) => return Err(Error::config("tls_key_file needs tls_cert_file beside it")),
    };
    let chain = files::certificates("tls_cert_file", cert_file)?;
    let key = files::private_key("tls_key_file", key_file)?;
    let signer = provider.key_provider.load_private_key(key.clone_key()).map_err(|error| {
        unusable(format_args!("tls_key_file {} cannot be used: {error}", key_file.display()))
    })?;
    // rustls would make this check with webpki, which refuses certificates of version 1; servers
    // accept them from clients.
    let certified = chain.first().and_then(|certificate| Certificate::read(certificate));
    let certified = certified.ok_or_else(|| {
        unusable(format_args!("tls_cert_file {} holds no X.509 certificate", cert_file.display()))
    })?;
    if signer.public_key().is_some_and(|key| key.as_ref() != certified.public_key_info) {
        return Err(unusable(format_args!(
            "tls_key_file {} is not the key of the certificate in tls_cert_file {}",
            key_file.display(),
            cert_file.display()
        )));
    }
    let certified = CertifiedKey::new(chain.clone(), signer);
    Ok(Some(ClientIdentity { chain, key, resolver: Arc::new(SingleCertAndKey::from(certified)) }))
}
