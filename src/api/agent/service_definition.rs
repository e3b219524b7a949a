//! What a service is registered from.

use super::super::input::required;
use super::super::json;
use super::super::service::{Service, ServiceAddress, Weights};
use super::CheckDefinition;
use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// A service to register with an agent. What is not set is Consul's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceDefinition {
    service: Service,
    checks: Vec<CheckDefinition>,
    replace_checks: bool,
}

// The limits of Consul's agent (agent/structs/structs.go, ValidateServiceMetadata).
const MAX_META_PAIRS: usize = 64;
const MAX_META_KEY: usize = 128;
const MAX_META_VALUE: usize = 512;
const RESERVED_META_PREFIX: &str = "consul-";

impl ServiceDefinition {
    /// An instance of the service with this name.
    pub fn new(name: impl Into<String>) -> ServiceDefinition {
        let service = Service { name: name.into(), ..Service::default() };
        ServiceDefinition { service, ..ServiceDefinition::default() }
    }

    /// Its id, unique on the agent; its name when it is not set.
    pub fn id(mut self, id: impl Into<String>) -> ServiceDefinition {
        self.service.id = id.into();
        self
    }

    /// One more tag.
    pub fn tag(mut self, tag: impl Into<String>) -> ServiceDefinition {
        self.service.tags.push(tag.into());
        self
    }

    /// Where it listens; the node's address when it is not set.
    pub fn address(mut self, address: impl Into<String>) -> ServiceDefinition {
        self.service.address = address.into();
        self
    }

    /// The port it listens at.
    pub fn port(mut self, port: u16) -> ServiceDefinition {
        self.service.port = port;
        self
    }

    /// One more pair of metadata: at most 64, the key of 1 to 128 letters, digits, `-` and `_`,
    /// the value of at most 512 bytes. Keys that begin with `consul-` are Consul's own.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> ServiceDefinition {
        self.service.meta.insert(key.into(), value.into());
        self
    }

    /// One more address, such as `wan`.
    pub fn tagged_address(
        mut self,
        name: impl Into<String>,
        address: impl Into<String>,
        port: u16,
    ) -> ServiceDefinition {
        let address = ServiceAddress { address: address.into(), port };
        self.service.tagged_addresses.insert(name.into(), address);
        self
    }

    /// How much of the traffic it shall get, compared with the other instances: while passing, 1
    /// to 65535, and while warning. 1 and 1 when it is not set.
    pub fn weights(mut self, passing: u16, warning: u16) -> ServiceDefinition {
        self.service.weights = Weights { passing, warning };
        self
    }

    /// Lets others change its tags in the catalog without the agent undoing it.
    pub fn enable_tag_override(mut self, enable: bool) -> ServiceDefinition {
        self.service.enable_tag_override = enable;
        self
    }

    /// What it is when it is no plain service, such as `connect-proxy` or `ingress-gateway`.
    pub fn kind(mut self, kind: impl Into<String>) -> ServiceDefinition {
        self.service.kind = kind.into();
        self
    }

    /// How a proxy is set up, as Consul's API has it
    /// (<https://developer.hashicorp.com/consul/docs/connect/proxies/proxy-config-reference>).
    pub fn proxy(mut self, proxy: Value) -> ServiceDefinition {
        self.service.proxy = proxy;
        self
    }

    /// How it takes part in the service mesh, as Consul's API has it: `{"Native": true}`, or
    /// `{"SidecarService": {}}` to register a proxy along with it.
    pub fn connect(mut self, connect: Value) -> ServiceDefinition {
        self.service.connect = connect;
        self
    }

    /// One more check. Without an id it is `service:ID`, or `service:ID:1` and so on where there
    /// are several.
    pub fn check(mut self, check: CheckDefinition) -> ServiceDefinition {
        self.checks.push(check);
        self
    }

    /// Removes the checks that the service has and that are not in this definition. They stay
    /// otherwise.
    pub fn replace_existing_checks(mut self, replace: bool) -> ServiceDefinition {
        self.replace_checks = replace;
        self
    }

    /// The service alone, for the catalog. The catalog runs no checks, so a definition with checks
    /// is refused.
    pub fn into_service(self) -> Result<Service> {
        match self.checks.is_empty() {
            true => Ok(self.service),
            false => Err(Error::argument(format!(
                "service \"{}\" has checks to run, but the catalog runs none: register it with an \
                 agent, or add its checks to the registration",
                self.service.name
            ))),
        }
    }

    /// The service alone.
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// The id that it is registered by.
    pub(crate) fn registered_id(&self) -> &str {
        if self.service.id.is_empty() { &self.service.name } else { &self.service.id }
    }

    /// The ids that its checks are registered by: those of Consul's agent where they have none
    /// (agent/agent.go, addServiceInternal).
    pub(crate) fn check_ids(&self) -> Vec<String> {
        let (service, is_only) = (self.registered_id(), self.checks.len() == 1);
        let ids = self.checks.iter().enumerate().map(|(index, check)| match check.own_id() {
            "" if is_only => format!("service:{service}"),
            "" => format!("service:{service}:{}", index + 1),
            id => id.to_string(),
        });
        ids.collect()
    }

    pub(super) fn replaces_checks(&self) -> bool {
        self.replace_checks
    }

    /// As it goes over the wire: an agent calls `Name` what the catalog calls `Service`.
    pub(super) fn wire(&self) -> Result<Value> {
        let mut wire = json::renamed(&self.service, "Service", "Name")?;
        if !self.checks.is_empty() {
            wire["Checks"] = json::value(&self.checks)?;
        }
        Ok(wire)
    }

    /// Refuses what Consul would refuse, or take and make nothing good of.
    pub(crate) fn validate(&self) -> Result<()> {
        let service = &self.service;
        required(&service.name, "service's name")?;
        let refuse = |error: Error| error.context(format_args!("service \"{}\"", service.name));
        check_address(&service.address).map_err(refuse)?;
        for (name, tagged) in &service.tagged_addresses {
            check_address(&tagged.address)
                .map_err(|error| refuse(error.context(format_args!("tagged address {name}"))))?;
        }
        check_meta(&service.meta).map_err(refuse)?;
        if service.weights.passing == 0 {
            let message = "a weight of 0 while passing is not allowed, it takes 1 to 65535";
            return Err(refuse(Error::argument(message)));
        }
        self.checks.iter().try_for_each(CheckDefinition::validate_of_service).map_err(refuse)
    }
}

/// An address that means "all of this machine's" leads nobody to the service.
fn check_address(address: &str) -> Result<()> {
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = bare.unwrap_or(address).parse::<std::net::IpAddr>();
    match ip {
        Ok(ip) if ip.is_unspecified() => Err(Error::argument(format!(
            "the address {address} is not allowed: it is where to listen, not where to connect to"
        ))),
        _ => Ok(()),
    }
}

fn check_meta(meta: &BTreeMap<String, String>) -> Result<()> {
    if meta.len() > MAX_META_PAIRS {
        let message =
            format!("{} pairs of metadata are above the limit of {MAX_META_PAIRS}", meta.len());
        return Err(Error::argument(message));
    }
    meta.iter().try_for_each(|(key, value)| {
        let refuse = |why: String| {
            Err(Error::argument(format!("the metadata key \"{}\" {why}", key.escape_debug())))
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if key.is_empty() || key.len() > MAX_META_KEY || !key.bytes().all(is_allowed) {
            return refuse(format!(
                "is not allowed, it takes 1 to {MAX_META_KEY} letters, digits, \"-\" and \"_\""
            ));
        }
        if key.starts_with(RESERVED_META_PREFIX) {
            return refuse(format!("is not allowed, \"{RESERVED_META_PREFIX}\" is Consul's own"));
        }
        if value.len() > MAX_META_VALUE {
            return refuse(format!(
                "has a value of {} bytes, above the limit of {MAX_META_VALUE}",
                value.len()
            ));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn refusal(definition: ServiceDefinition) -> String {
        definition.validate().unwrap_err().message().to_string()
    }

    #[test]
    fn a_plain_service_is_sent_plainly() {
        assert_eq!(
            ServiceDefinition::new("web").wire().unwrap(),
            json!({"Name": "web", "Port": 0, "Weights": {"Passing": 1, "Warning": 1},
                "EnableTagOverride": false})
        );
    }

    #[test]
    fn everything_is_sent_by_its_name() {
        let definition = ServiceDefinition::new("web")
            .id("web-1")
            .tag("a")
            .tag("b")
            .address("10.0.0.1")
            .port(80)
            .meta("v", "1")
            .tagged_address("wan", "1.2.3.4", 8080)
            .weights(3, 2)
            .enable_tag_override(true)
            .kind("connect-proxy")
            .proxy(json!({"DestinationServiceName": "db"}))
            .connect(json!({"Native": true}))
            .check(CheckDefinition::new("").ttl(Duration::from_secs(30)));
        assert!(definition.validate().is_ok());
        assert_eq!(
            definition.wire().unwrap(),
            json!({"Name": "web", "ID": "web-1", "Tags": ["a", "b"], "Address": "10.0.0.1",
                "Port": 80, "Meta": {"v": "1"},
                "TaggedAddresses": {"wan": {"Address": "1.2.3.4", "Port": 8080}},
                "Weights": {"Passing": 3, "Warning": 2}, "EnableTagOverride": true,
                "Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "db"},
                "Connect": {"Native": true}, "Checks": [{"TTL": "30s"}]})
        );
    }

    #[test]
    fn what_consul_would_refuse_is_refused_with_a_reason() {
        let web = || ServiceDefinition::new("web");
        let many = (0..65).fold(web(), |web, number| web.meta(format!("k{number}"), ""));
        let cases = [
            (ServiceDefinition::new(""), "the service's name is empty"),
            (web().address("0.0.0.0"), "the address 0.0.0.0 is not allowed"),
            (web().address("::"), "the address :: is not allowed"),
            (web().address("[::]"), "the address [::] is not allowed"),
            (web().tagged_address("wan", "0.0.0.0", 1), "tagged address wan: the address"),
            (web().weights(0, 1), "1 to 65535"),
            (many, "65 pairs of metadata are above the limit of 64"),
            (web().meta("", "x"), "the metadata key \"\" is not allowed"),
            (web().meta("a.b", "x"), "letters, digits"),
            (web().meta("k".repeat(129), "x"), "1 to 128"),
            (web().meta("consul-x", "x"), "\"consul-\" is Consul's own"),
            (web().meta("k", "x".repeat(513)), "a value of 513 bytes, above the limit of 512"),
            (web().check(CheckDefinition::new("c")), "service \"web\": check \"c\""),
        ];
        for (definition, reason) in cases {
            let refusal = refusal(definition);
            assert!(refusal.contains(reason), "{refusal}");
        }
    }

    #[test]
    fn checks_are_known_by_the_ids_that_the_agent_gives_them() {
        let check = || CheckDefinition::new("c").ttl(Duration::from_secs(1));
        let web = ServiceDefinition::new("web").check(check());
        assert_eq!(web.check_ids(), ["service:web"]);
        let two = web.id("web-1").check(check().id("own")).check(check());
        assert_eq!(two.check_ids(), ["service:web-1:1", "own", "service:web-1:3"]);
    }

    #[test]
    fn only_a_service_without_checks_fits_the_catalog() {
        let web = ServiceDefinition::new("web").port(80);
        assert_eq!(web.clone().into_service().unwrap().port, 80);
        let check = CheckDefinition::new("c").ttl(Duration::from_secs(1));
        assert!(web.check(check).into_service().is_err());
    }

    #[test]
    fn what_is_at_a_limit_is_allowed() {
        let full = (0..63).fold(ServiceDefinition::new("web"), |web, number| {
            web.meta(format!("k{number}"), "v".repeat(512))
        });
        let full = full.meta("K_-9".repeat(32), "").address("127.0.0.1").weights(65535, 0);
        assert!(full.validate().is_ok());
    }
}
