//! What Consul allows services and nodes to be.

use super::state::{Meta, Service};

const MOST_PAIRS: usize = 64;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 512;
const RESERVED: &str = "consul-";
const MESH_GATEWAY: &str = "mesh-gateway";
/// The one reserved name that a mesh gateway may have.
const WAN_FEDERATION: &str = "consul-wan-federation";

/// Checks the metadata of a service of this kind; the reason is Consul's.
pub(super) fn check_service_meta(kind: &str, meta: &Meta) -> Result<(), String> {
    let Some(meta) = meta else { return Ok(()) };
    if meta.len() > MOST_PAIRS {
        return Err(format!("Node metadata cannot contain more than {MOST_PAIRS} key/value pairs"));
    }
    for (key, value) in meta {
        check_pair(kind, key, value)
            .map_err(|why| format!("Couldn't load metadata pair ('{key}', '{value}'): {why}"))?;
    }
    Ok(())
}

fn check_pair(kind: &str, key: &str, value: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if key.is_empty() {
        return Err("Key cannot be blank".to_owned());
    }
    if !key.chars().all(allowed) {
        return Err("Key contains invalid characters".to_owned());
    }
    if key.len() > LONGEST_KEY {
        return Err(format!("Key is too long (limit: {LONGEST_KEY} characters)"));
    }
    let is_known = kind == MESH_GATEWAY && key == WAN_FEDERATION;
    if key.starts_with(RESERVED) && !is_known {
        return Err(format!("Key prefix '{RESERVED}' is reserved for internal use"));
    }
    if value.len() > LONGEST_VALUE {
        return Err(format!("Value is too long (limit: {LONGEST_VALUE} characters)"));
    }
    Ok(())
}

/// Checks what a service's kind demands; all that is wrong is told at once, as Consul does.
pub(super) fn check_kind(service: &Service) -> Result<(), String> {
    let kind = &service.kind;
    let wrong: Vec<String> = match &kind[..] {
        "connect-proxy" => wrong_in_proxy(service),
        MESH_GATEWAY | "terminating-gateway" | "ingress-gateway" => wrong_in_gateway(service),
        _ => Vec::new(),
    };
    let errors = match wrong.len() {
        0 => return Ok(()),
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    let lines: String = wrong.iter().map(|line| format!("\t* {line}\n")).collect();
    Err(format!("{errors} occurred:\n{lines}\n"))
}

fn wrong_in_proxy(service: &Service) -> Vec<String> {
    let rules = [
        (
            service.proxy.destination_service_name.trim().is_empty(),
            "Proxy.DestinationServiceName must be non-empty for Connect proxy services",
        ),
        (service.port == 0, "Port must be set for a Connect proxy"),
        (service.connect.native, "A Proxy cannot also be Connect Native, only typical services"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, text)| text.to_owned()).collect()
}

fn wrong_in_gateway(service: &Service) -> Vec<String> {
    let (kind, proxy) = (&service.kind, &service.proxy);
    let mut wrong = Vec::new();
    if service.port == 0 && kind != "ingress-gateway" {
        wrong.push(format!("Port must be non-zero for a {kind}"));
    }
    let unfit = [
        (!proxy.destination_service_name.is_empty(), "DestinationServiceName"),
        (!proxy.destination_service_id.is_empty(), "DestinationServiceID"),
        (!proxy.local_service_address.is_empty(), "LocalServiceAddress"),
        (proxy.local_service_port != 0, "LocalServicePort"),
        (!proxy.upstreams.is_empty(), "Upstreams"),
    ];
    let unfit = unfit.into_iter().filter(|(given, _)| *given);
    wrong.extend(
        unfit.map(|(_, field)| format!("The Proxy.{field} configuration is invalid for a {kind}")),
    );
    wrong
}

/// An address that means every one.
pub(super) fn is_unspecified(address: &str) -> bool {
    matches!(address, "0.0.0.0" | "::" | "[::]")
}

/// Checks a node's id; the reason is Consul's.
pub(super) fn check_node_id(id: &str) -> Result<(), String> {
    if id.len() != 36 {
        return Err("uuid string is wrong length".to_owned());
    }
    if [8, 13, 18, 23].iter().any(|&at| id.as_bytes().get(at) != Some(&b'-')) {
        return Err("uuid is improperly formatted".to_owned());
    }
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let mut digits = id.bytes().enumerate().filter(|(at, _)| !hyphen(*at)).map(|(_, byte)| byte);
    match digits.find(|byte| !byte.is_ascii_hexdigit()) {
        None => Ok(()),
        Some(byte) => {
            let shown = char::from(byte);
            Err(format!("encoding/hex: invalid byte: U+{:04X} '{shown}'", u32::from(byte)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_too_long_or_reserved_is_refused_in_consuls_words() {
        let (long_key, long_value) = ("k".repeat(129), "v".repeat(513));
        let cases = [
            ("", "c", "Key cannot be blank"),
            ("a b", "c", "Key contains invalid characters"),
            ("consul-x", "c", "Key prefix 'consul-' is reserved for internal use"),
            (&long_key, "c", "Key is too long (limit: 128 characters)"),
            ("a", &long_value, "Value is too long (limit: 512 characters)"),
        ];
        for (key, value, why) in cases {
            let meta = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            let text = format!("Couldn't load metadata pair ('{key}', '{value}'): {why}");
            assert_eq!(check_service_meta("", &Some(meta)), Err(text));
        }
        let many = (0..65).map(|n| (format!("k{n}"), String::new())).collect();
        let text = "Node metadata cannot contain more than 64 key/value pairs";
        assert_eq!(check_service_meta("", &Some(many)), Err(text.to_owned()));
        let wan = BTreeMap::from([("consul-wan-federation".to_owned(), "1".to_owned())]);
        assert_eq!(check_service_meta("mesh-gateway", &Some(wan)), Ok(()));
    }

    #[test]
    fn all_that_is_wrong_with_a_proxy_is_told_at_once() {
        let proxy = Service { kind: "connect-proxy".to_owned(), ..Service::default() };
        let text = "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for \
                    Connect proxy services\n\t* Port must be set for a Connect proxy\n\n";
        assert_eq!(check_kind(&proxy), Err(text.to_owned()));
        let gateway = Service { kind: "mesh-gateway".to_owned(), ..Service::default() };
        let text = "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n";
        assert_eq!(check_kind(&gateway), Err(text.to_owned()));
        assert_eq!(check_kind(&Service { kind: "foo".to_owned(), ..proxy }), Ok(()));
    }

    #[test]
    fn a_nodes_id_is_a_uuid() {
        let check = |id| check_node_id(id).err();
        assert_eq!(check("11111111-1111-1111-1111-111111111111"), None);
        assert_eq!(check("zz").as_deref(), Some("uuid string is wrong length"));
        let joined = "1".repeat(36);
        assert_eq!(check(&joined).as_deref(), Some("uuid is improperly formatted"));
        let odd = "encoding/hex: invalid byte: U+007A 'z'";
        assert_eq!(check("z1111111-1111-1111-1111-111111111111").as_deref(), Some(odd));
    }
}
