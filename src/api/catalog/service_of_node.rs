//! An instance of a service as the catalog lists it: node and service in one flat object.

use super::super::json;
use super::super::node::Node;
use super::super::service::{Service, ServiceAddress, Weights};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// An instance of a service with its node.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Flat")]
pub struct ServiceOfNode {
    /// The node it runs on, without its indexes, which are not told here.
    pub node: Node,
    /// The instance.
    pub service: Service,
}

impl ServiceOfNode {
    /// Where it listens: its own address, or else its node's.
    pub fn address(&self) -> &str {
        self.service.address_at(&self.node)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Flat {
    #[serde(rename = "ID")]
    id: String,
    node: String,
    address: String,
    datacenter: String,
    #[serde(deserialize_with = "json::nullable")]
    tagged_addresses: BTreeMap<String, String>,
    #[serde(deserialize_with = "json::nullable")]
    node_meta: BTreeMap<String, String>,
    service_kind: String,
    #[serde(rename = "ServiceID")]
    service_id: String,
    service_name: String,
    #[serde(deserialize_with = "json::nullable")]
    service_tags: Vec<String>,
    service_address: String,
    #[serde(deserialize_with = "json::nullable")]
    service_tagged_addresses: BTreeMap<String, ServiceAddress>,
    #[serde(deserialize_with = "json::nullable")]
    service_meta: BTreeMap<String, String>,
    #[serde(deserialize_with = "json::number")]
    service_port: u16,
    #[serde(deserialize_with = "json::nullable")]
    service_weights: Weights,
    service_enable_tag_override: bool,
    service_proxy: Value,
    service_connect: Value,
    create_index: u64,
    modify_index: u64,
}

impl From<Flat> for ServiceOfNode {
    fn from(flat: Flat) -> ServiceOfNode {
        let node = Node {
            id: flat.id,
            name: flat.node,
            address: flat.address,
            datacenter: flat.datacenter,
            tagged_addresses: flat.tagged_addresses,
            meta: flat.node_meta,
            create_index: 0,
            modify_index: 0,
        };
        let service = Service {
            id: flat.service_id,
            name: flat.service_name,
            kind: flat.service_kind,
            tags: flat.service_tags,
            address: flat.service_address,
            tagged_addresses: flat.service_tagged_addresses,
            meta: flat.service_meta,
            port: flat.service_port,
            weights: flat.service_weights,
            enable_tag_override: flat.service_enable_tag_override,
            proxy: flat.service_proxy,
            connect: flat.service_connect,
            create_index: flat.create_index,
            modify_index: flat.modify_index,
        };
        ServiceOfNode { node, service }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flat_object_is_told_apart() {
        let text = r#"{"ID": "u", "Node": "n", "Address": "10.0.0.1", "Datacenter": "dc1",
            "TaggedAddresses": {"lan": "10.0.0.1"}, "NodeMeta": null, "ServiceKind": "",
            "ServiceID": "web-1", "ServiceName": "web", "ServiceTags": ["a"], "ServiceAddress": "",
            "ServiceTaggedAddresses": {"lan": {"Address": "10.0.0.1", "Port": 80}},
            "ServiceWeights": {"Passing": 3, "Warning": 1}, "ServiceMeta": {"v": "1"},
            "ServicePort": 80, "ServiceEnableTagOverride": true, "ServiceProxy": {"Expose": {}},
            "ServiceConnect": {}, "CreateIndex": 12, "ModifyIndex": 13}"#;
        let found: ServiceOfNode = serde_json::from_str(text).unwrap();
        assert_eq!((found.node.name.as_str(), found.address()), ("n", "10.0.0.1"));
        let service = &found.service;
        assert_eq!((service.id.as_str(), service.name.as_str()), ("web-1", "web"));
        assert_eq!((service.port, service.weights.passing), (80, 3));
        assert_eq!(service.tagged_addresses["lan"].port, 80);
        assert_eq!((service.create_index, service.modify_index), (12, 13));
    }
}
