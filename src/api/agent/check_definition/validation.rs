//! Which check definitions can be registered.

use super::CheckDefinition;
use crate::api::input::required;
use crate::error::{Error, Result};

impl CheckDefinition {
    /// Refuses a check that cannot be registered by itself.
    pub(in crate::api::agent) fn validate_alone(&self) -> Result<()> {
        required(&self.name, "check's name")?;
        self.validate()
    }

    /// Refuses a check that cannot be part of a service's definition.
    pub(in crate::api::agent) fn validate_of_service(&self) -> Result<()> {
        if !self.service_id.is_empty() {
            return Err(self.refused("is about the service that defines it: leave out service_id"));
        }
        self.validate()
    }

    fn validate(&self) -> Result<()> {
        let kind = self.kind()?;
        self.check_runs(kind)?;
        self.check_http_only(kind)?;
        self.check_addresses()?;
        for (what, duration) in [
            ("ttl", self.ttl),
            ("interval", self.interval),
            ("timeout", self.timeout),
            ("deregister_critical_service_after", self.deregister_critical_service_after),
        ] {
            if duration.is_some_and(|duration| duration.is_zero()) {
                return Err(self.refused(&format!("has a {what} of 0, it takes 1 ms or more")));
            }
        }
        Ok(())
    }

    fn kind(&self) -> Result<Kind> {
        let alias = self.alias_service.is_some() || self.alias_node.is_some();
        let script = !self.script.is_empty() || self.docker_container.is_some();
        let kinds = [
            (self.ttl.is_some(), Kind::Ttl),
            (self.http.is_some(), Kind::Http),
            (self.tcp.is_some(), Kind::Tcp),
            (self.grpc.is_some(), Kind::Grpc),
            (script, Kind::Script),
            (alias, Kind::Alias),
        ];
        let mut kinds = kinds.into_iter().filter(|(is_set, _)| *is_set).map(|(_, kind)| kind);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(kind),
            (Some(one), Some(other)) => Err(self.refused(&format!(
                "is both {} and {}, it takes exactly one kind",
                one.name(),
                other.name()
            ))),
            _ => Err(self.refused(
                "has no kind, it takes exactly one of ttl, http, tcp, grpc, script and alias",
            )),
        }
    }

    /// What the agent runs needs an interval; for what it does not run, settings of runs would be
    /// silently ignored.
    fn check_runs(&self, kind: Kind) -> Result<()> {
        if !matches!(kind, Kind::Ttl | Kind::Alias) {
            return match self.interval {
                Some(_) => Ok(()),
                None => Err(self.refused(&format!("is {} and needs an interval", kind.name()))),
            };
        }
        for (is_set, what) in [
            (self.interval.is_some(), "interval"),
            (self.timeout.is_some(), "timeout"),
            (self.success_before_passing > 0, "success_before_passing"),
            (self.failures_before_critical > 0, "failures_before_critical"),
        ] {
            if is_set {
                return Err(self.refused(&format!("is {} and takes no {what}", kind.name())));
            }
        }
        Ok(())
    }

    fn check_http_only(&self, kind: Kind) -> Result<()> {
        let http = matches!(kind, Kind::Http);
        let grpc = matches!(kind, Kind::Grpc);
        for (is_set, allowed, what) in [
            (self.method.is_some(), http, "HTTP method"),
            (!self.header.is_empty(), http, "HTTP header"),
            (self.body.is_some(), http, "HTTP body"),
            (self.tls_server_name.is_some(), http, "TLS server name"),
            (self.tls_skip_verify, http || grpc, "tls_skip_verify"),
            (self.grpc_use_tls, grpc, "grpc_use_tls"),
        ] {
            if is_set && !allowed {
                return Err(self.refused(&format!("is {} and takes no {what}", kind.name())));
            }
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<()> {
        let is_url = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if self.http.as_deref().is_some_and(|url| !is_url(url)) {
            return Err(self.refused("needs a URL that begins with http:// or https://"));
        }
        for address in [&self.tcp, &self.grpc].into_iter().flatten() {
            if !address.contains(':') {
                return Err(self.refused("needs an address with a port: host:port"));
            }
        }
        if self.docker_container.is_some() && self.script.is_empty() {
            return Err(self.refused("runs in a container and needs a script"));
        }
        for (name, text) in [
            ("container", &self.docker_container),
            ("alias_service", &self.alias_service),
            ("alias_node", &self.alias_node),
        ] {
            if text.as_deref() == Some("") {
                return Err(self.refused(&format!("has an empty {name}")));
            }
        }
        Ok(())
    }

    fn refused(&self, why: &str) -> Error {
        let name = if self.name.is_empty() { &self.id } else { &self.name };
        Error::argument(format!("check \"{name}\" {why}"))
    }
}

/// How a check checks.
#[derive(Clone, Copy)]
enum Kind {
    Ttl,
    Http,
    Tcp,
    Grpc,
    Script,
    Alias,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Ttl => "a TTL check",
            Kind::Http => "an HTTP check",
            Kind::Tcp => "a TCP check",
            Kind::Grpc => "a gRPC check",
            Kind::Script => "a script check",
            Kind::Alias => "an alias check",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn named() -> CheckDefinition {
        CheckDefinition::new("c")
    }

    #[test]
    fn what_makes_no_check_is_refused_with_a_reason() {
        let http = || named().http("http://x");
        let cases = [
            (CheckDefinition::new("").ttl(SECOND), "the check's name is empty"),
            (named(), "exactly one of ttl, http, tcp, grpc, script and alias"),
            (http().ttl(SECOND), "is both a TTL check and an HTTP check"),
            (http().tcp("x:1").interval(SECOND), "is both an HTTP check and a TCP check"),
            (http(), "is an HTTP check and needs an interval"),
            (named().tcp("x:1"), "is a TCP check and needs an interval"),
            (named().grpc("x:1"), "is a gRPC check and needs an interval"),
            (named().script(["x"]), "is a script check and needs an interval"),
            (named().ttl(SECOND).interval(SECOND), "is a TTL check and takes no interval"),
            (
                named().alias_service("x").interval(SECOND),
                "is an alias check and takes no interval",
            ),
            (named().ttl(SECOND).timeout(SECOND), "takes no timeout"),
            (named().ttl(SECOND).success_before_passing(1), "takes no success_before_passing"),
            (named().ttl(SECOND).http_method("GET"), "takes no HTTP method"),
            (named().tcp("x:1").interval(SECOND).tls_skip_verify(true), "no tls_skip_verify"),
            (http().interval(SECOND).grpc_use_tls(true), "takes no grpc_use_tls"),
            (named().http("x").interval(SECOND), "begins with http:// or https://"),
            (named().tcp("x").interval(SECOND), "needs an address with a port"),
            (named().docker("abc", "").interval(SECOND), "needs a script"),
            (named().alias_node(""), "has an empty alias_node"),
            (named().ttl(Duration::ZERO), "has a ttl of 0"),
            (http().interval(Duration::ZERO), "has a interval of 0"),
            (
                named().ttl(SECOND).deregister_critical_service_after(Duration::ZERO),
                "deregister_critical_service_after of 0",
            ),
        ];
        for (check, reason) in cases {
            let refusal = check.validate_alone().unwrap_err();
            assert!(refusal.message().contains(reason), "{refusal}");
        }
    }

    #[test]
    fn a_check_within_a_service_needs_no_name_and_names_no_service() {
        assert!(CheckDefinition::new("").ttl(SECOND).validate_of_service().is_ok());
        let refusal = named().ttl(SECOND).service_id("x").validate_of_service().unwrap_err();
        assert!(refusal.message().contains("leave out service_id"), "{refusal}");
    }
}
