//! The catalog: what the servers know of nodes and services
//! (<https://developer.hashicorp.com/consul/api-docs/catalog>).

mod registration;
mod service_of_node;

use super::answer::Answer;
use super::input::required;
use super::json;
use super::node::Node;
use super::service::Service;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use registration::Registration;
pub use service_of_node::ServiceOfNode;

/// A node with the services on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeServices {
    /// The node.
    pub node: Node,
    /// The services on it.
    pub services: Vec<Service>,
}

/// Every tag of a service, by its name.
type Tags = BTreeMap<String, Vec<String>>;

/// The catalog endpoints of a client. `near`, `filter`, node metadata, consistency and blocking are
/// the options'.
///
/// A service belongs into the catalog through its agent
/// ([`Agent::register_service`](super::agent::Agent::register_service)). What is written here
/// directly is for nodes without an agent; for others their agent soon undoes it.
#[derive(Clone, Copy)]
pub struct Catalog<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// The catalog of nodes and services.
    pub fn catalog(&self) -> Catalog<'_, S> {
        Catalog { client: self }
    }
}

impl<S: Style> Catalog<'_, S> {
    /// The nodes.
    pub fn nodes(&self, options: &Options) -> Result<S::Output<Answer<Vec<Node>>>> {
        json::fetch_list(self.client, Call::get(Target::new("/v1/catalog/nodes"), options))
    }

    /// The names of the services, each with every tag that one of its instances has. Older
    /// versions of Consul ignore a filter here.
    pub fn services(&self, options: &Options) -> Result<S::Output<Answer<Tags>>> {
        type Found = Option<BTreeMap<String, Option<Vec<String>>>>;
        let call = Call::get(Target::new("/v1/catalog/services"), options);
        json::fetch_map(self.client, call, |services: Found| {
            let services = services.unwrap_or_default().into_iter();
            services.map(|(name, tags)| (name, tags.unwrap_or_default())).collect()
        })
    }

    /// The instances of a service that have all of these tags, whatever their health. None when
    /// there is no such service.
    pub fn service(
        &self,
        service: &str,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceOfNode>>>> {
        self.instances("/v1/catalog/service/", service, tags, options)
    }

    /// What to connect to in the service mesh for this service: its proxies, and those instances
    /// that speak for themselves.
    pub fn connect(
        &self,
        service: &str,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceOfNode>>>> {
        self.instances("/v1/catalog/connect/", service, tags, options)
    }

    /// A node with the services on it; `None` when it does not exist.
    pub fn node(
        &self,
        node: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<Option<NodeServices>>>> {
        required(node, "node's name")?;
        self.found(Target::new("/v1/catalog/node/").segment(node), options)
    }

    /// As [`Catalog::node`], with the services of every namespace that the options name
    /// (Consul Enterprise).
    pub fn node_services(
        &self,
        node: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<Option<NodeServices>>>> {
        required(node, "node's name")?;
        self.found(Target::new("/v1/catalog/node-services/").segment(node), options)
    }

    /// The known datacenters, the nearest first.
    pub fn datacenters(&self, options: &Options) -> Result<S::Output<Answer<Vec<String>>>> {
        json::fetch_list(self.client, Call::get(Target::new("/v1/catalog/datacenters"), options))
    }

    /// Writes a node, a service and checks in one step. Doing it again changes nothing.
    pub fn register(
        &self,
        registration: &Registration,
        options: &Options,
    ) -> Result<S::Output<()>> {
        registration.validate()?;
        let datacenter = self.datacenter(options);
        let body = json::encode(&registration.in_datacenter(datacenter.as_deref()))?;
        self.change("/v1/catalog/register", &body, options)
    }

    /// Removes a node with all its services and checks. Nothing happens when it does not exist.
    pub fn deregister_node(&self, node: &str, options: &Options) -> Result<S::Output<()>> {
        self.deregister(node, None, None, options)
    }

    /// Removes a service from a node, with its checks. Nothing happens when it does not exist.
    pub fn deregister_service(
        &self,
        node: &str,
        service_id: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        // Empty, it would remove the whole node.
        required(service_id, "service's id")?;
        self.deregister(node, Some(service_id), None, options)
    }

    /// Removes a check from a node. Nothing happens when it does not exist.
    pub fn deregister_check(
        &self,
        node: &str,
        check_id: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        required(check_id, "check's id")?;
        self.deregister(node, None, Some(check_id), options)
    }

    fn deregister(
        &self,
        node: &str,
        service_id: Option<&str>,
        check_id: Option<&str>,
        options: &Options,
    ) -> Result<S::Output<()>> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            datacenter: Option<String>,
            node: &'a str,
            #[serde(rename = "ServiceID", skip_serializing_if = "Option::is_none")]
            service_id: Option<&'a str>,
            #[serde(rename = "CheckID", skip_serializing_if = "Option::is_none")]
            check_id: Option<&'a str>,
        }
        required(node, "node's name")?;
        let datacenter = self.datacenter(options);
        let body = json::encode(&Entry { datacenter, node, service_id, check_id })?;
        self.change("/v1/catalog/deregister", &body, options)
    }

    /// Consul takes the datacenter of these changes from their body, not from the query.
    fn datacenter(&self, options: &Options) -> Option<String> {
        options.datacenter.clone().or_else(|| self.client.settings().datacenter.clone())
    }

    /// The answer is `true` or an error.
    fn change(&self, path: &str, body: &[u8], options: &Options) -> Result<S::Output<()>> {
        let call = Call::put_json(Target::new(path), body, options).idempotent();
        json::fetch_plain(self.client, call, |reply| json::decode_bool(reply).map(drop))
    }

    fn instances(
        &self,
        path: &str,
        service: &str,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceOfNode>>>> {
        required(service, "service's name")?;
        let mut target = Target::new(path).segment(service);
        for tag in tags {
            target = target.param("tag", tag);
        }
        json::fetch_list(self.client, Call::get(target, options))
    }

    /// A node that does not exist is `null`, or an object of nulls.
    fn found(
        &self,
        target: Target,
        options: &Options,
    ) -> Result<S::Output<Answer<Option<NodeServices>>>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Found {
            node: Option<Node>,
            #[serde(default)]
            services: json::Elements<Service>,
        }
        json::fetch_map(self.client, Call::get(target, options), |found: Option<Found>| {
            let found = found?;
            Some(NodeServices { node: found.node?, services: found.services.0 })
        })
    }
}
