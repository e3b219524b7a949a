//! A configuration resolved into typed values, everything checked.

use super::address::Location;
use super::encryption::{self, Encryption};
use super::options::Consistency;
use super::table::{Id, TABLE};
use super::{Config, value};
use crate::error::{Error, Result};
use crate::observe::Rotation;
use crate::observe::audit::AuditSettings;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a client works by.
#[derive(Clone)]
pub struct Settings {
    /// One at least.
    pub(crate) addresses: Vec<Location>,
    pub(crate) token: Option<String>,
    /// Where the token was read from, when it was.
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) http_auth: Option<String>,
    pub(crate) tls_verify: bool,
    pub(crate) tls_ca_file: Option<PathBuf>,
    pub(crate) tls_ca_path: Option<PathBuf>,
    pub(crate) tls_cert_file: Option<PathBuf>,
    pub(crate) tls_key_file: Option<PathBuf>,
    pub(crate) tls_server_name: Option<String>,
    pub(crate) datacenter: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) partition: Option<String>,
    pub(crate) consistency: Consistency,
    pub(crate) max_stale: Option<Duration>,
    pub(crate) stale_on_no_leader: bool,
    pub(crate) timeout: Duration,
    /// None where the number of addresses decides.
    pub(crate) retry_attempts: Option<u32>,
    pub(crate) retry_interval: Duration,
    pub(crate) prefer_first: bool,
    pub(crate) health_check_interval: Duration,
    pub(crate) health_check_timeout: Duration,
    pub(crate) wait: Duration,
    pub(crate) max_connections: usize,
    pub(crate) max_value_bytes: u64,
    pub(crate) max_txn_operations: usize,
    pub(crate) max_txn_bytes: u64,
    pub(crate) max_answer_bytes: u64,
    pub(crate) min_session_ttl: Duration,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) interruptible: bool,
    pub(crate) audit: Option<AuditSettings>,
}

impl Settings {
    /// Checks everything that was set, reads the token file, and gives the typed values.
    pub fn resolve(config: &Config) -> Result<Settings> {
        let read = Reader { config };
        let rounds = read.optional(Id::RetryAttempts)?;
        Ok(Settings {
            addresses: addresses(&read)?,
            token: token(&read)?,
            token_file: token_file(&read)?,
            http_auth: read.text(Id::HttpAuth)?,
            tls_verify: read.flag(Id::TlsVerify)?,
            tls_ca_file: read.path(Id::TlsCaFile)?,
            tls_ca_path: read.path(Id::TlsCaPath)?,
            tls_cert_file: read.path(Id::TlsCertFile)?,
            tls_key_file: read.path(Id::TlsKeyFile)?,
            tls_server_name: read.text(Id::TlsServerName)?,
            datacenter: read.text(Id::Datacenter)?,
            namespace: read.text(Id::Namespace)?,
            partition: read.text(Id::Partition)?,
            consistency: Consistency::parse(&read.text(Id::Consistency)?.unwrap_or_default()),
            max_stale: read.optional(Id::MaxStaleMs)?.map(Duration::from_millis),
            stale_on_no_leader: read.flag(Id::StaleOnNoLeader)?,
            timeout: read.duration(Id::TimeoutMs)?,
            retry_attempts: rounds.map(|rounds| u32::try_from(rounds).unwrap_or(u32::MAX)),
            retry_interval: read.duration(Id::RetryIntervalMs)?,
            prefer_first: read.flag(Id::PreferFirst)?,
            health_check_interval: read.duration(Id::HealthCheckIntervalMs)?,
            health_check_timeout: read.duration(Id::HealthCheckTimeoutMs)?,
            wait: read.duration(Id::WaitMs)?,
            max_connections: read.count(Id::MaxConnections)?,
            max_value_bytes: read.number(Id::MaxValueBytes)?,
            max_txn_operations: read.count(Id::MaxTxnOperations)?,
            max_txn_bytes: read.number(Id::MaxTxnBytes)?,
            max_answer_bytes: read.number(Id::MaxAnswerBytes)?,
            min_session_ttl: read.duration(Id::MinSessionTtlMs)?,
            encryption: encryption::resolve(&read)?,
            interruptible: read.flag(Id::Interruptible)?,
            audit: audit(&read)?,
        })
    }
}

fn audit(read: &Reader<'_>) -> Result<Option<AuditSettings>> {
    let bound = |id| read.number(id).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let rotation = Rotation {
        max_bytes: read.number(Id::AuditLogMaxBytes)?,
        max_files: bound(Id::AuditLogMaxFiles)?,
        max_age_days: bound(Id::AuditLogMaxAgeDays)?,
    };
    let named = |error: Error| Error::config(error.message().replace("max_", "audit_log_max_"));
    rotation.check().map_err(named)?;
    let actor = read.text(Id::AuditActor)?;
    Ok(read.path(Id::AuditLogFile)?.map(|file| AuditSettings { file, actor, rotation }))
}

/// Where the agents are; TLS may be asked for apart from the addresses.
fn addresses(read: &Reader<'_>) -> Result<Vec<Location>> {
    let text = read.text(Id::Address)?.unwrap_or_default();
    let addresses = Location::parse_list(&text)?.into_iter();
    let all_tls = read.flag(Id::TlsEnabled)?;
    Ok(addresses.map(|place| if all_tls { place.with_tls() } else { place }).collect())
}

/// An explicit token beats the token file, which beats the environment's token.
fn token(read: &Reader<'_>) -> Result<Option<String>> {
    if read.config.is_explicit(Id::Token) {
        return read.text(Id::Token);
    }
    let Some(path) = read.path(Id::TokenFile)? else {
        return read.text(Id::Token);
    };
    // Whoever names a file means its token: without it the client would be somebody else unnoticed.
    let empty = || Error::config(format!("token_file {}: it is empty", path.display()));
    token_in(&path)?.ok_or_else(empty).map(Some)
}

/// The token file, where no explicit token takes its place.
fn token_file(read: &Reader<'_>) -> Result<Option<PathBuf>> {
    if read.config.is_explicit(Id::Token) { Ok(None) } else { read.path(Id::TokenFile) }
}

/// The token in a file; `None` where that is empty.
pub(crate) fn token_in(path: &Path) -> Result<Option<String>> {
    let content = std::fs::read_to_string(path)
        .map_err(|e| Error::config(format!("token_file {}: {e}", path.display())))?;
    let token = content.trim();
    value::header_safe(token)
        .map_err(|error| error.context(format!("token_file {}", path.display())))?;
    Ok((!token.is_empty()).then(|| token.to_string()))
}

/// Reads the value in force of a setting. An error names the setting, or the environment variable
/// when the value comes from there.
pub(super) struct Reader<'a> {
    config: &'a Config,
}

impl Reader<'_> {
    pub(super) fn read<T>(
        &self,
        id: Id,
        parse: impl FnOnce(&'static super::Setting, &str) -> Result<T>,
    ) -> Result<T> {
        let setting = &TABLE[id as usize];
        let (text, origin) = self.config.effective(setting);
        if !text.is_empty() {
            value::check(setting, text).map_err(|error| error.context(origin))?;
        }
        parse(setting, text).map_err(|error| error.context(origin))
    }

    fn text(&self, id: Id) -> Result<Option<String>> {
        self.read(id, |_, text| Ok((!text.is_empty()).then(|| text.to_string())))
    }

    fn path(&self, id: Id) -> Result<Option<PathBuf>> {
        Ok(self.text(id)?.map(PathBuf::from))
    }

    pub(super) fn flag(&self, id: Id) -> Result<bool> {
        self.read(id, value::parse_bool)
    }

    fn number(&self, id: Id) -> Result<u64> {
        self.read(id, value::parse_integer)
    }

    /// A number that may be unset.
    fn optional(&self, id: Id) -> Result<Option<u64>> {
        self.text(id)?.map(|_| self.number(id)).transpose()
    }

    fn count(&self, id: Id) -> Result<usize> {
        Ok(usize::try_from(self.number(id)?).unwrap_or(usize::MAX))
    }

    fn duration(&self, id: Id) -> Result<Duration> {
        self.number(id).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        Config::from_environment(|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string())
        })
    }

    fn token_file(content: &str) -> (PathBuf, impl Drop) {
        struct Remove(PathBuf);
        impl Drop for Remove {
            fn drop(&mut self) {
                let _ = std::fs::remove_file(&self.0);
            }
        }
        let unique = std::time::SystemTime::now().elapsed().unwrap_or_default().as_nanos();
        let name = format!("consul-token-{}-{unique}-{}", std::process::id(), content.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        (path.clone(), Remove(path))
    }

    #[test]
    fn the_token_file_beats_the_environment_and_is_trimmed() {
        let (path, _remove) = token_file("  from-file\n");
        let mut config = config(&[
            ("CONSUL_HTTP_TOKEN", "from-environment"),
            ("CONSUL_HTTP_TOKEN_FILE", path.to_str().unwrap()),
        ]);
        assert_eq!(Settings::resolve(&config).unwrap().token.as_deref(), Some("from-file"));
        config.set("token", "explicit").unwrap();
        assert_eq!(Settings::resolve(&config).unwrap().token.as_deref(), Some("explicit"));
    }

    #[test]
    fn an_empty_token_file_is_an_error_that_names_it() {
        for (content, variables) in
            [("", &[][..]), (" \n", &[("CONSUL_HTTP_TOKEN", "from-environment")])]
        {
            let (path, _remove) = token_file(content);
            let mut config = config(variables);
            config.set("token_file", path.to_str().unwrap()).unwrap();
            let error = Settings::resolve(&config).err().unwrap();
            assert_eq!(error.status(), crate::error::Status::Config);
            assert_eq!(error.message(), format!("token_file {}: it is empty", path.display()));
            config.set("token", "explicit").unwrap();
            assert_eq!(Settings::resolve(&config).unwrap().token.as_deref(), Some("explicit"));
        }
    }

    #[test]
    fn a_missing_token_file_is_an_error_that_names_it() {
        let config = config(&[("CONSUL_HTTP_TOKEN_FILE", "/does/not/exist")]);
        let error = Settings::resolve(&config).err().unwrap();
        assert!(error.message().contains("/does/not/exist"), "{error}");
    }

    #[test]
    fn junk_in_the_environment_is_an_error_that_names_the_variable() {
        let config = config(&[("CONSUL_HTTP_SSL_VERIFY", "maybe")]);
        let error = Settings::resolve(&config).err().unwrap();
        assert_eq!(
            error.message(),
            "CONSUL_HTTP_SSL_VERIFY: \"maybe\" is not allowed, it takes true or false"
        );
    }

    #[test]
    fn an_explicit_value_saves_from_junk_in_the_environment() {
        let mut config = config(&[("CONSUL_HTTP_SSL_VERIFY", "maybe")]);
        config.set("tls_verify", "true").unwrap();
        assert!(Settings::resolve(&config).unwrap().tls_verify);
    }
}
