//! Certificates and keys from PEM files.

use super::{TlsSettings, unusable};
use crate::error::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// Where systems keep the certificate authorities they trust: Debian and Ubuntu, Fedora and RHEL,
/// SUSE, Alpine.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificate authorities to trust.
pub(super) fn authorities(settings: &TlsSettings) -> Result<Vec<CertificateDer<'static>>> {
    let mut found = Vec::new();
    if let Some(file) = &settings.ca_file {
        found.extend(certificates("tls_ca_file", file)?);
    }
    if let Some(folder) = &settings.ca_path {
        found.extend(folder_certificates("tls_ca_path", folder)?);
    }
    if settings.ca_file.is_none() && settings.ca_path.is_none() {
        found.extend(system_certificates()?);
    }
    Ok(found)
}

/// The certificates of a PEM file, one at least.
pub(super) fn certificates(setting: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let place = format!("{setting} {}", file.display());
    let found: Vec<_> = CertificateDer::pem_slice_iter(&read(setting, file)?)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| unusable(format_args!("{place} is not proper PEM: {error}")))?;
    if found.is_empty() {
        return Err(unusable(format_args!(
            "{place} holds no certificate; it must be a PEM file with a CERTIFICATE in it"
        )));
    }
    Ok(found)
}

/// The private key of a PEM file.
pub(super) fn private_key(setting: &str, file: &Path) -> Result<PrivateKeyDer<'static>> {
    let place = format!("{setting} {}", file.display());
    let pem = read(setting, file)?;
    let is_encrypted = |line: &[u8]| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY")
            || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    };
    if pem.split(|byte| *byte == b'\n').any(is_encrypted) {
        return Err(unusable(format_args!(
            "{place} is encrypted, which is not supported; decrypt it with: openssl pkey -in FILE"
        )));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        unusable(format_args!(
            "{place} holds no usable private key, it must be a PEM file with a PRIVATE KEY in it: \
             {error}"
        ))
    })
}

/// The certificates of every PEM file in a folder, one at least. Other files are passed over.
fn folder_certificates(setting: &str, folder: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Error::config(format!("{setting} {}: {error}", folder.display())))?;
    let mut found: Vec<CertificateDer<'static>> = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()) {
        let pem = std::fs::read(path).unwrap_or_default();
        found.extend(CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok));
    }
    if found.is_empty() {
        let place = folder.display();
        return Err(unusable(format_args!("{setting} {place} has no PEM file with a certificate")));
    }
    // A folder links the same certificate under several names, in no certain order.
    found.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
    found.dedup();
    Ok(found)
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>> {
    for bundle in SYSTEM {
        let pem = std::fs::read(bundle).unwrap_or_default();
        let found: Vec<_> =
            CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(unusable(
        "this system has no list of certificate authorities; set tls_ca_file or tls_ca_path to \
         those that Consul's certificate comes from",
    ))
}

fn read(setting: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file)
        .map_err(|error| Error::config(format!("{setting} {}: {error}", file.display())))
}
