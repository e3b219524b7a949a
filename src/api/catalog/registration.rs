//! What is written into the catalog in one step.

use super::super::check::{Check, CheckStatus};
use super::super::input::required;
use super::super::node::Node;
use super::super::service::Service;
use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// A node to write into the catalog, with a service on it and checks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registration {
    node: Node,
    service: Option<Service>,
    checks: Vec<Check>,
    keep_node: bool,
}

impl Registration {
    /// A node by its name, with its address.
    pub fn new(node: impl Into<String>, address: impl Into<String>) -> Registration {
        let node = Node { name: node.into(), address: address.into(), ..Node::default() };
        Registration { node, ..Registration::default() }
    }

    /// Something on a node that exists and is left as it is.
    pub fn on(node: impl Into<String>) -> Registration {
        Registration { keep_node: true, ..Registration::new(node, "") }
    }

    /// The node's UUID.
    pub fn id(mut self, id: impl Into<String>) -> Registration {
        self.node.id = id.into();
        self
    }

    /// The node's datacenter, when it is not that of the call's options.
    pub fn datacenter(mut self, datacenter: impl Into<String>) -> Registration {
        self.node.datacenter = datacenter.into();
        self
    }

    /// One more address of the node, such as `wan`.
    pub fn tagged_address(
        mut self,
        name: impl Into<String>,
        address: impl Into<String>,
    ) -> Registration {
        self.node.tagged_addresses.insert(name.into(), address.into());
        self
    }

    /// One more pair of the node's metadata.
    pub fn node_meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Registration {
        self.node.meta.insert(key.into(), value.into());
        self
    }

    /// The service on it. Without an id its name is its id.
    pub fn service(mut self, service: Service) -> Registration {
        self.service = Some(service);
        self
    }

    /// One more check: of the service with its service id, or else of the node. Without an id its
    /// name is its id. Nobody runs it: whoever writes it here keeps its status up to date.
    pub fn check(mut self, check: Check) -> Registration {
        self.checks.push(check);
        self
    }

    /// Refuses what Consul would refuse, or take and make nothing good of.
    pub(super) fn validate(&self) -> Result<()> {
        required(&self.node.name, "node's name")?;
        if !self.keep_node {
            required(&self.node.address, "node's address")?;
        }
        if let Some(service) = &self.service {
            required(&service.name, "service's name")?;
        }
        for check in &self.checks {
            if check.id.is_empty() {
                required(&check.name, "check's name")?;
            }
            check.status.parse::<CheckStatus>()?;
            if !check.node.is_empty() && check.node != self.node.name {
                return Err(Error::argument(format!(
                    "the check \"{}\" is of the node \"{}\", not of \"{}\"",
                    check.name, check.node, self.node.name
                )));
            }
        }
        Ok(())
    }

    /// As it goes over the wire.
    pub(super) fn in_datacenter<'a>(&'a self, datacenter: Option<&'a str>) -> impl Serialize {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Wire<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            datacenter: Option<&'a str>,
            #[serde(rename = "ID", skip_serializing_if = "str::is_empty")]
            id: &'a str,
            node: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            address: &'a str,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            tagged_addresses: &'a BTreeMap<String, String>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            node_meta: &'a BTreeMap<String, String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            service: Option<&'a Service>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            checks: &'a [Check],
            skip_node_update: bool,
        }
        let node = &self.node;
        Wire {
            datacenter: Some(node.datacenter.as_str()).filter(|dc| !dc.is_empty()).or(datacenter),
            id: &node.id,
            node: &node.name,
            address: &node.address,
            tagged_addresses: &node.tagged_addresses,
            node_meta: &node.meta,
            service: self.service.as_ref(),
            checks: &self.checks,
            skip_node_update: self.keep_node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wire(registration: &Registration, datacenter: Option<&str>) -> Value {
        serde_json::to_value(registration.in_datacenter(datacenter)).unwrap()
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        assert_eq!(
            wire(&Registration::new("n", "10.0.0.1"), None),
            json!({"Node": "n", "Address": "10.0.0.1", "SkipNodeUpdate": false})
        );
    }

    #[test]
    fn everything_is_sent_by_its_name() {
        let service = Service { name: "db".into(), port: 5432, ..Service::default() };
        let check = Check { name: "up".into(), status: "passing".into(), ..Check::default() };
        let registration = Registration::new("n", "10.0.0.1")
            .id("u")
            .tagged_address("wan", "1.2.3.4")
            .node_meta("external-node", "true")
            .service(service)
            .check(check);
        let expected = json!({
            "Datacenter": "dc2", "ID": "u", "Node": "n", "Address": "10.0.0.1",
            "TaggedAddresses": {"wan": "1.2.3.4"}, "NodeMeta": {"external-node": "true"},
            "Service": {"Service": "db", "Port": 5432, "Weights": {"Passing": 1, "Warning": 1},
                "EnableTagOverride": false},
            "Checks": [{"Name": "up", "Status": "passing"}],
            "SkipNodeUpdate": false,
        });
        assert_eq!(wire(&registration, Some("dc2")), expected);
        assert_eq!(wire(&registration.datacenter("dc3"), Some("dc2"))["Datacenter"], "dc3");
    }

    #[test]
    fn what_consul_would_refuse_is_refused_with_a_reason() {
        let check = |name: &str, status: &str, node: &str| Check {
            name: name.into(),
            status: status.into(),
            node: node.into(),
            ..Check::default()
        };
        let cases = [
            (Registration::new("", "10.0.0.1"), "the node's name is empty"),
            (Registration::new("n", ""), "the node's address is empty"),
            (Registration::on("n").service(Service::default()), "the service's name is empty"),
            (Registration::on("n").check(check("", "passing", "")), "the check's name is empty"),
            (
                Registration::on("n").check(check("c", "fine", "")),
                "the check status \"fine\" is not allowed, it is passing, warning or critical",
            ),
            (
                Registration::on("n").check(check("c", "passing", "other")),
                "the check \"c\" is of the node \"other\", not of \"n\"",
            ),
        ];
        for (registration, reason) in cases {
            assert_eq!(registration.validate().unwrap_err().message(), reason);
        }
        assert!(Registration::on("n").validate().is_ok());
    }
}
