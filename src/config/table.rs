//! The one table of settings: name, type, default, range, environment variable, help. Parsing, the
//! per-call setters of the C ABI and the reference page are made from it.

use crate::observe::Rotation;

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text; empty means unset.
    Text,
    /// The path of a file or a folder.
    Path,
    /// Texts with commas between them, of which bindings take a list.
    List,
    /// Text that no dump, log or message may show.
    Secret,
    /// `true` or `false` (also `1`, `t`, `0`, `f` in any usual spelling).
    Bool,
    /// A whole number within bounds, both included.
    Integer(u64, u64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// Where a setting can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For a client only.
    Client,
    /// For a client, and for one call over it.
    Both,
    /// For one call only.
    Call,
}

/// One row of the table.
#[derive(Debug)]
pub struct Setting {
    /// Which one it is.
    pub id: Id,
    /// The name that programs use.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value when nobody sets it; empty means unset.
    pub default: &'static str,
    /// The environment variable that sets it, empty when there is none.
    pub environment: &'static str,
    /// Where it can be set.
    pub scope: Scope,
    /// What it does.
    pub help: &'static str,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $id:ident $name:literal: $kind:expr, $default:literal, $environment:literal, $scope:ident;)+) => {
        /// Names a setting in code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Id { $($id,)+ }

        /// Every setting, in the order of the reference page.
        pub const TABLE: &[Setting] = &[$(Setting {
            id: Id::$id,
            name: $name,
            kind: $kind,
            default: $default,
            environment: $environment,
            scope: Scope::$scope,
            help: concat!($($doc,)+).trim_ascii(),
        },)+];
    };
}

/// The longest time-out a setting takes: a day.
const DAY_MS: u64 = 86_400_000;

settings! {
    /// Where Consul answers: `host:port`, `http://host:port` or `https://host:port`, each with an optional path prefix, or `unix:///path/to/socket`. Several, with commas between them, are servers of one cluster: a call goes to the one that serves (`docs/failover.md`). `embedded:` is an agent in this process's memory, `embedded:NAME` one that all its clients share that name it: for development and tests.
    Address "address": Kind::List, "http://127.0.0.1:8500", "CONSUL_HTTP_ADDR", Client;
    /// The ACL token, sent in the `X-Consul-Token` header only.
    Token "token": Kind::Secret, "", "CONSUL_HTTP_TOKEN", Both;
    /// A file whose trimmed content is the ACL token. It is read again when it changes, and at once when Consul refuses the token. It wins over the token of the environment, an explicit `token` wins over it. A file that is missing or empty when the client is made is an error; one that becomes so later leaves the token before in use, with a warning in the log.
    TokenFile "token_file": Kind::Path, "", "CONSUL_HTTP_TOKEN_FILE", Client;
    /// `user:password` or `user` for HTTP basic authentication, for a proxy in front of Consul.
    HttpAuth "http_auth": Kind::Secret, "", "CONSUL_HTTP_AUTH", Client;
    /// Speak TLS even where the address does not say `https`.
    TlsEnabled "tls_enabled": Kind::Bool, "false", "CONSUL_HTTP_SSL", Client;
    /// Check the server's certificate and name. Turning it off is for experiments.
    TlsVerify "tls_verify": Kind::Bool, "true", "CONSUL_HTTP_SSL_VERIFY", Client;
    /// A PEM file with the certificate authorities to trust. Without it and `tls_ca_path`, the system's.
    TlsCaFile "tls_ca_file": Kind::Path, "", "CONSUL_CACERT", Client;
    /// A folder whose PEM files hold the certificate authorities to trust.
    TlsCaPath "tls_ca_path": Kind::Path, "", "CONSUL_CAPATH", Client;
    /// The client's certificate (PEM), together with `tls_key_file`.
    TlsCertFile "tls_cert_file": Kind::Path, "", "CONSUL_CLIENT_CERT", Client;
    /// The client's private key (PEM), together with `tls_cert_file`.
    TlsKeyFile "tls_key_file": Kind::Path, "", "CONSUL_CLIENT_KEY", Client;
    /// The name to expect in the server's certificate instead of the address's host.
    TlsServerName "tls_server_name": Kind::Text, "", "CONSUL_TLS_SERVER_NAME", Client;
    /// The datacenter to ask; unset means the agent's own.
    Datacenter "datacenter": Kind::Text, "", "", Both;
    /// The namespace (Consul Enterprise).
    Namespace "namespace": Kind::Text, "", "CONSUL_NAMESPACE", Both;
    /// The admin partition (Consul Enterprise).
    Partition "partition": Kind::Text, "", "CONSUL_PARTITION", Both;
    /// How fresh a read must be: the leader's answer (`default`), one that the leader had confirmed by a quorum (`consistent`), or any server's (`stale`).
    Consistency "consistency": Kind::Choice(&["default", "consistent", "stale"]), "default", "", Both;
    /// How far behind the leader the answer of a `stale` read may be; the leader is asked where it is further. Unset: any age will do.
    MaxStaleMs "max_stale_ms": Kind::Integer(1, DAY_MS), "", "", Both;
    /// Let any server answer a `default` read while there is no leader: it may be old, as `last_contact_ms` and `known_leader` of the result tell.
    StaleOnNoLeader "stale_on_no_leader": Kind::Bool, "false", "", Both;
    /// How long a call may take in all, connecting included. A blocking query may take its wait and a sixteenth of it more.
    TimeoutMs "timeout_ms": Kind::Integer(1, DAY_MS), "10000", "", Both;
    /// How often a call goes round the addresses once more after none of them could serve it, where that does no harm and its time allows. Unset: with several addresses 3 times, and until its time is over while they say that there is no leader; with one address never.
    RetryAttempts "retry_attempts": Kind::Integer(0, 100), "", "", Client;
    /// How long it waits before the first of these rounds, at most; twice as long before each further one, up to 1 s, and a part of it by chance.
    RetryIntervalMs "retry_interval_ms": Kind::Integer(1, 60_000), "100", "", Client;
    /// Go back to the first of the addresses that serves. Otherwise the client stays where it is until that one fails.
    PreferFirst "prefer_first": Kind::Bool, "false", "", Client;
    /// With several addresses: how often those that failed are asked whether they serve again, and the one in use whether it does when nothing was heard of it.
    HealthCheckIntervalMs "health_check_interval_ms": Kind::Integer(10, DAY_MS), "5000", "", Client;
    /// With several addresses: how long an answer to that may take. An agent that keeps a call waiting for longer, until the call's time is over, counts as failed.
    HealthCheckTimeoutMs "health_check_timeout_ms": Kind::Integer(1, DAY_MS), "2000", "", Client;
    /// How long a blocking query asks Consul to wait for news.
    WaitMs "wait_ms": Kind::Integer(1, 600_000), "30000", "", Both;
    /// Connections in use at a time to one address by all clients of the process together. Consul allows 200 from one source address. Watches use three quarters of them at most.
    MaxConnections "max_connections": Kind::Integer(1, 200), "16", "", Client;
    /// The largest value that Consul takes (`kv_max_value_size` of its configuration).
    MaxValueBytes "max_value_bytes": Kind::Integer(1, 1 << 30), "524288", "", Client;
    /// The most operations in a transaction (64 before Consul 1.14, 128 since).
    MaxTxnOperations "max_txn_operations": Kind::Integer(1, 1024), "64", "", Client;
    /// The largest transaction, as JSON with its values in base64 (`txn_max_req_len` of Consul's configuration).
    MaxTxnBytes "max_txn_bytes": Kind::Integer(1, 1 << 30), "524288", "", Client;
    /// The largest answer to take.
    MaxAnswerBytes "max_answer_bytes": Kind::Integer(1024, 1 << 34), "268435456", "", Client;
    /// The shortest session TTL that Consul takes (`session_ttl_min` of its configuration).
    MinSessionTtlMs "min_session_ttl_ms": Kind::Integer(1, DAY_MS), "10000", "", Client;
    /// The key by which values are encrypted in Consul: 32 bytes in base64 (`openssl rand -base64 32`). Nothing is encrypted until `encryption_prefixes` names a prefix.
    EncryptionKey "encryption_key": Kind::Secret, "", "CONSUL_ENCRYPTION_KEY", Client;
    /// Keys that only decrypt, each 32 bytes in base64, separated by commas: those before `encryption_key`, until nothing is left under them.
    EncryptionOldKeys "encryption_old_keys": Kind::Secret, "", "", Client;
    /// The beginnings of the names of those keys of Consul whose values are encrypted, separated by commas: `app/secrets/,app/tokens/`.
    EncryptionPrefixes "encryption_prefixes": Kind::List, "", "", Client;
    /// Take a value under `encryption_prefixes` that is not encrypted as it is. Turned off, it gives `CONSUL_ERR_CRYPTO`.
    EncryptionAllowPlain "encryption_allow_plain": Kind::Bool, "true", "", Client;
    /// End a blocking call with `CONSUL_ERR_INTERRUPTED` when a signal handler ran, instead of going on.
    Interruptible "interruptible": Kind::Bool, "false", "", Client;
    /// A file that gets a line of JSON for every change that is made through the client: who, what, when and how it ended, never a value or a token.
    AuditLogFile "audit_log_file": Kind::Path, "", "", Client;
    /// Who makes the changes, for the audit log; unset means the name of the process.
    AuditActor "audit_actor": Kind::Text, "", "", Client;
    /// The size at which the audit log is renamed to `FILE.1`, what was that to `FILE.2`, and so on; 0 means never.
    AuditLogMaxBytes "audit_log_max_bytes": Kind::Integer(0, 1 << 40), "0", "", Client;
    /// How many of those are kept; 0 means all.
    AuditLogMaxFiles "audit_log_max_files": Kind::Integer(0, Rotation::MOST_FILES as u64), "0", "", Client;
    /// For how many days they are kept, in which case a new file begins each day (UTC); 0 means for ever.
    AuditLogMaxAgeDays "audit_log_max_age_days": Kind::Integer(0, Rotation::MOST_DAYS as u64), "0", "", Client;
    /// Make it a blocking query: answer when the index is above this one, or when the wait is over. 0 answers at once.
    Index "index": Kind::Integer(0, u64::MAX), "", "", Call;
    /// Sort by round-trip time from this node; `_agent` means the agent's own.
    Near "near": Kind::Text, "", "", Call;
    /// Only what matches this filter expression.
    Filter "filter": Kind::Text, "", "", Call;
    /// Let the agent answer from its cache where it has one.
    Cached "cached": Kind::Bool, "false", "", Call;
}

impl Setting {
    /// The row with this name.
    pub fn named(name: &str) -> Option<&'static Setting> {
        TABLE.iter().find(|setting| setting.name == name)
    }

    /// What it takes, in words.
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Text | Kind::Path | Kind::List | Kind::Secret => "text".to_string(),
            Kind::Bool => "true or false".to_string(),
            Kind::Integer(0, u64::MAX) => "a whole number below 2^64".to_string(),
            Kind::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_indexed_by_their_id() {
        for (position, setting) in TABLE.iter().enumerate() {
            assert_eq!(setting.id as usize, position, "{}", setting.name);
        }
    }

    #[test]
    fn names_and_variables_are_unique() {
        for setting in TABLE {
            let same = |other: &&Setting| {
                other.name == setting.name
                    || (!setting.environment.is_empty() && other.environment == setting.environment)
            };
            assert_eq!(TABLE.iter().filter(same).count(), 1, "{}", setting.name);
        }
    }
}
