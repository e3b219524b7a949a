//! How TLS is spoken: whom to trust, and who we are.

use std::path::PathBuf;

/// The settings of TLS. By default the system's certificates are trusted and everything is
/// verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Verify the server's certificate and name. Off, anybody can pose as Consul.
    pub verify: bool,
    /// A PEM file of certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A folder of such files.
    pub ca_path: Option<PathBuf>,
    /// A PEM file with this client's certificate, and with those that lead to its authority.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with the private key of `client_cert`.
    pub client_key: Option<PathBuf>,
    /// The name to expect in the server's certificate, instead of the address's host.
    pub server_name: Option<String>,
}

impl Default for TlsSettings {
    fn default() -> TlsSettings {
        TlsSettings {
            verify: true,
            ca_file: None,
            ca_path: None,
            client_cert: None,
            client_key: None,
            server_name: None,
        }
    }
}
