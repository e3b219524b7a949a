//! Whether the server is who it should be, and, when not, what to do about it.

use super::certificate::Certificate;
use super::unusable;
use crate::error::Result;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
};
use std::fmt;
use std::sync::Arc;

/// Verifies the certificate and the name, and explains what it refuses.
#[derive(Debug)]
pub(super) struct Verifying(Arc<WebPkiServerVerifier>);

impl Verifying {
    pub(super) fn new(
        authorities: &[CertificateDer<'static>],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifying> {
        let mut roots = RootCertStore::empty();
        // A system's list may hold one that is not understood: that is no reason to trust none.
        roots.add_parsable_certificates(authorities.iter().cloned());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map(Verifying)
            .map_err(|_| unusable("no certificate of an authority can be used"))
    }
}

impl ServerCertVerifier for Verifying {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        self.0
            .verify_server_cert(certificate, intermediates, server_name, ocsp_response, now)
            .map_err(|error| explained(error, certificate, server_name))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes any certificate; only checks that the server has its key.
#[derive(Debug)]
pub(super) struct Trusting(WebPkiSupportedAlgorithms);

impl Trusting {
    pub(super) fn new(provider: &CryptoProvider) -> Trusting {
        Trusting(provider.signature_verification_algorithms)
    }

    /// Checks the signature with the key as it stands in the certificate, of version 1 too.
    fn check(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let bad_encoding = TlsError::InvalidCertificate(CertificateError::BadEncoding);
        let certificate = Certificate::read(certificate).ok_or(bad_encoding)?;
        let fits = self
            .0
            .mapping
            .iter()
            .filter(|(scheme, _)| *scheme == signed.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == certificate.key_algorithm)
            .any(|algorithm| {
                let (key, signature) = (certificate.public_key, signed.signature());
                algorithm.verify_signature(key, message, signature).is_ok()
            });
        match fits {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(TlsError::InvalidCertificate(CertificateError::BadSignature)),
        }
    }
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.check(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.check(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// What is wrong with a certificate, in words that tell how to mend it.
#[derive(Debug)]
struct Explanation(String);

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Explanation {}

fn explained(error: TlsError, certificate: &[u8], name: &ServerName<'_>) -> TlsError {
    let TlsError::InvalidCertificate(cause) = &error else { return error };
    match explain(cause, Certificate::read(certificate).as_ref(), &name.to_str()) {
        Some(text) => CertificateError::Other(OtherError(Arc::new(Explanation(text)))).into(),
        None => error,
    }
}

fn explain(
    cause: &CertificateError,
    certificate: Option<&Certificate<'_>>,
    name: &str,
) -> Option<String> {
    let is_version_1 = certificate.is_some_and(|certificate| certificate.is_version_1);
    let is_nameless = certificate.is_some_and(|certificate| !certificate.has_alternative_name);
    let problem = match cause {
        _ if is_version_1 => "is X.509 version 1, which cannot carry a subjectAltName",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            if is_nameless =>
        {
            "has no subjectAltName; a common name does not count"
        }
        _ => return explain_other(cause, name),
    };
    let entry = match name.parse::<std::net::IpAddr>() {
        Ok(_) => format!("IP:{name}"),
        Err(_) => format!("DNS:{name}"),
    };
    Some(format!(
        "the server's certificate {problem}; make it anew with: openssl x509 -req ... -extfile \
         FILE, where FILE holds the lines basicConstraints=CA:FALSE and subjectAltName={entry}"
    ))
}

/// webpki writes names as `DnsName("example.com")` and `IpAddress(127.0.0.1)`.
fn bare(presented: &str) -> &str {
    let inner = presented.split_once('(').map_or(presented, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn explain_other(cause: &CertificateError, name: &str) -> Option<String> {
    let text = match cause {
        CertificateError::UnknownIssuer => "the server's certificate comes from an authority that \
             is not trusted; set tls_ca_file or tls_ca_path to that authority's certificate"
            .to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the server's certificate is for {}, not for {name}; set tls_server_name to one of \
             its names",
            presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        _ => return None,
    };
    Some(text)
}
