//! The hash of a service's content, as Consul makes it of its Go structs: FNV-1 of each part, the
//! parts of a struct or map mixed whatever their order
//! (<https://github.com/mitchellh/hashstructure/blob/v1.0.0/hashstructure.go>).

use crate::transport::embedded::state::{
    Address, ExposedPath, MeshGateway, Proxy, Service, Upstream,
};
use serde_json::Value;

/// The hash in the form in which answers show it.
pub(super) fn of(service: &Service) -> String {
    let has_proxy = matches!(
        &service.kind[..],
        "connect-proxy" | "mesh-gateway" | "terminating-gateway" | "ingress-gateway"
    );
    let connect =
        || object("AgentServiceConnect", &[("Native", flag(true)), ("SidecarService", nil())]);
    let weights = [
        ("Passing", number(service.weights.passing)),
        ("Warning", number(service.weights.warning)),
    ];
    let hash = object(
        "AgentService",
        &[
            ("Kind", text(&service.kind)),
            ("ID", text(&service.id)),
            ("Service", text(&service.service)),
            ("Tags", list(service.tags().iter().map(|tag| text(tag)))),
            (
                "Meta",
                map(service.meta.iter().flatten().map(|(name, value)| (&name[..], text(value)))),
            ),
            ("Port", number(service.port)),
            ("Address", text(&service.address)),
            (
                "TaggedAddresses",
                map(service
                    .tagged_addresses
                    .iter()
                    .flatten()
                    .map(|(name, at)| (&name[..], address(at)))),
            ),
            ("Weights", object("AgentWeights", &weights)),
            ("EnableTagOverride", flag(service.enable_tag_override)),
            ("CreateIndex", number(0)),
            ("ModifyIndex", number(0)),
            ("ContentHash", text("")),
            ("Proxy", if has_proxy { proxy(&service.proxy) } else { nil() }),
            ("Connect", if service.connect.native { connect() } else { nil() }),
        ],
    );
    format!("{hash:x}")
}

fn address(at: &Address) -> u64 {
    object("ServiceAddress", &[("Address", text(&at.address)), ("Port", number(at.port))])
}

fn proxy(proxy: &Proxy) -> u64 {
    let expose = [
        ("Checks", flag(proxy.expose.checks)),
        ("Paths", list(proxy.expose.paths.iter().map(path))),
    ];
    object(
        "AgentServiceConnectProxyConfig",
        &[
            ("DestinationServiceName", text(&proxy.destination_service_name)),
            ("DestinationServiceID", text(&proxy.destination_service_id)),
            ("LocalServiceAddress", text(&proxy.local_service_address)),
            ("LocalServicePort", number(proxy.local_service_port)),
            ("Config", map(proxy.config.iter().map(|(name, value)| (&name[..], any(value))))),
            ("Upstreams", list(proxy.upstreams.iter().map(upstream))),
            ("MeshGateway", gateway(&proxy.mesh_gateway)),
            ("Expose", object("ExposeConfig", &expose)),
        ],
    )
}

fn upstream(upstream: &Upstream) -> u64 {
    let config = upstream.config.iter().flatten();
    object(
        "Upstream",
        &[
            ("DestinationType", text(&upstream.destination_type)),
            ("DestinationNamespace", text(&upstream.destination_namespace)),
            ("DestinationName", text(&upstream.destination_name)),
            ("Datacenter", text(&upstream.datacenter)),
            ("LocalBindAddress", text(&upstream.local_bind_address)),
            ("LocalBindPort", number(upstream.local_bind_port)),
            ("Config", map(config.map(|(name, value)| (&name[..], any(value))))),
            ("MeshGateway", gateway(&upstream.mesh_gateway)),
        ],
    )
}

fn gateway(gateway: &MeshGateway) -> u64 {
    object("MeshGatewayConfig", &[("Mode", text(&gateway.mode))])
}

fn path(path: &ExposedPath) -> u64 {
    object(
        "ExposePath",
        &[
            ("ListenerPort", number(path.listener_port)),
            ("Path", text(&path.path)),
            ("LocalPathPort", number(path.local_path_port)),
            ("Protocol", text(&path.protocol)),
            ("ParsedFromCheck", flag(path.parsed_from_check)),
        ],
    )
}

fn any(value: &Value) -> u64 {
    match value {
        Value::Null => nil(),
        Value::Bool(value) => flag(*value),
        Value::Number(value) => fnv(&value.as_f64().unwrap_or_default().to_le_bytes()),
        Value::String(value) => text(value),
        Value::Array(all) => list(all.iter().map(any)),
        Value::Object(all) => map(all.iter().map(|(name, value)| (&name[..], any(value)))),
    }
}

fn object(name: &str, fields: &[(&str, u64)]) -> u64 {
    text(name) ^ map(fields.iter().copied())
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, u64)>) -> u64 {
    entries.fold(0, |hash, (name, value)| hash ^ ordered(text(name), value))
}

fn list(items: impl Iterator<Item = u64>) -> u64 {
    items.fold(0, ordered)
}

fn ordered(a: u64, b: u64) -> u64 {
    fnv(&[a.to_le_bytes(), b.to_le_bytes()].concat())
}

fn text(text: &str) -> u64 {
    fnv(text.as_bytes())
}

fn number(number: i64) -> u64 {
    fnv(&number.to_le_bytes())
}

fn flag(flag: bool) -> u64 {
    fnv(&[u8::from(flag)])
}

/// What is not there is a zero.
fn nil() -> u64 {
    number(0)
}

fn fnv(bytes: &[u8]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(OFFSET, |hash, &byte| hash.wrapping_mul(PRIME) ^ u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::transport::embedded::state::{Address, Service, Weights};
    use std::collections::BTreeMap;

    /// Hashes of a real 1.8.7.
    #[test]
    fn it_is_consuls_own() {
        let at = Address { address: "10.1.1.1".to_owned(), port: 80 };
        let addresses = ["lan_ipv4", "wan_ipv4"].map(|name| (name.to_owned(), at.clone()));
        let web = Service {
            id: "web".to_owned(),
            service: "web".to_owned(),
            tags: Some(vec!["a".to_owned(), "B".to_owned()]),
            meta: Some(BTreeMap::from([("v".to_owned(), "1".to_owned())])),
            port: 80,
            address: "10.1.1.1".to_owned(),
            tagged_addresses: Some(addresses.into()),
            weights: Weights { passing: 3, warning: 2 },
            ..Service::default()
        };
        assert_eq!(of(&web), "c2f430d5ff3fa400");
    }
}
