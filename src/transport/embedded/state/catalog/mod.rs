//! The catalog: nodes, instances of services and checks, with the indexes that Consul keeps of them
//! (<https://github.com/hashicorp/consul/blob/v1.8.7/agent/consul/state/catalog.go>).

mod changes;
mod rows;
#[cfg(test)]
mod tests;

pub(in crate::transport::embedded) use changes::{Registration, SERF_CHECK, satisfies};
pub(in crate::transport::embedded) use rows::*;

use std::collections::{BTreeMap, BTreeSet};

/// The node's name and the row's id, as Consul looks them up: in lower case.
type Key = (String, String);

/// The tables. Names of nodes, ids of services and checks, and names of services are found
/// whatever their case.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Catalog {
    nodes: BTreeMap<String, Node>,
    services: BTreeMap<Key, Service>,
    /// The instances of a service, by its name in lower case.
    instances: BTreeMap<String, BTreeSet<Key>>,
    checks: BTreeMap<Key, Check>,
    coordinates: BTreeMap<Key, Coordinate>,
    indexes: Indexes,
}

/// The index of the latest change of each table, and of each service with all that belongs to it.
#[derive(Clone, Debug, Default)]
struct Indexes {
    nodes: u64,
    services: u64,
    checks: u64,
    coordinates: u64,
    /// By the service's name as it is written.
    service: BTreeMap<String, u64>,
    /// When the last instance of any service went.
    extinction: Option<u64>,
}

impl Indexes {
    fn touch_service(&mut self, name: &str, index: u64) {
        let known = self.service.entry(name.to_owned()).or_default();
        *known = index.max(*known);
    }
}

fn key(node: &str, id: &str) -> Key {
    (node.to_lowercase(), id.to_lowercase())
}

/// The rows of a node.
fn of_node<'a, T>(table: &'a BTreeMap<Key, T>, node: &str) -> impl Iterator<Item = &'a T> {
    let node = node.to_lowercase();
    let from = (node.clone(), String::new());
    table.range(from..).take_while(move |((of, _), _)| *of == node).map(|(_, row)| row)
}

/// Looking things up.
impl Catalog {
    pub(in crate::transport::embedded) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(&name.to_lowercase())
    }

    /// The node of this name, or else the only one whose id begins with it.
    pub(in crate::transport::embedded) fn node_or_id(&self, name: &str) -> Option<&Node> {
        self.node(name).or_else(|| {
            let prefix = id_prefix(name)?;
            let mut found = self.nodes.values().filter(|node| has_prefix(&node.id, &prefix));
            let first = found.next()?;
            found.next().is_none().then_some(first)
        })
    }

    pub(in crate::transport::embedded) fn node_by_id(&self, id: &str) -> Option<&Node> {
        let same = |node: &&Node| node.id.eq_ignore_ascii_case(id);
        self.nodes.values().find(same)
    }

    pub(in crate::transport::embedded) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    pub(in crate::transport::embedded) fn service(&self, node: &str, id: &str) -> Option<&Service> {
        self.services.get(&key(node, id))
    }

    /// Every instance, with its node.
    pub(in crate::transport::embedded) fn services(
        &self,
    ) -> impl Iterator<Item = (&Node, &Service)> {
        let found = self.services.iter();
        found.filter_map(|((node, _), service)| Some((self.nodes.get(node)?, service)))
    }

    pub(in crate::transport::embedded) fn services_of(
        &self,
        node: &str,
    ) -> impl Iterator<Item = &Service> {
        of_node(&self.services, node)
    }

    /// The instances of a service, with their nodes.
    pub(in crate::transport::embedded) fn instances(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (&Node, &Service)> {
        let keys = self.instances.get(&name.to_lowercase());
        let keys = keys.into_iter().flatten();
        keys.filter_map(|key| Some((self.nodes.get(&key.0)?, self.services.get(key)?)))
    }

    /// What speaks the mesh's protocol for a service: its proxies, and itself where it does.
    pub(in crate::transport::embedded) fn mesh_instances(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (&Node, &Service)> {
        let name = name.to_lowercase();
        self.services().filter(move |(_, service)| {
            let target = match &service.kind[..] {
                "connect-proxy" => &service.proxy.destination_service_name,
                _ if service.connect.native => &service.service,
                _ => return false,
            };
            target.to_lowercase() == name
        })
    }

    pub(in crate::transport::embedded) fn check(&self, node: &str, id: &str) -> Option<&Check> {
        self.checks.get(&key(node, id))
    }

    pub(in crate::transport::embedded) fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    pub(in crate::transport::embedded) fn checks_of(
        &self,
        node: &str,
    ) -> impl Iterator<Item = &Check> {
        of_node(&self.checks, node)
    }

    /// What an instance's health consists of: first its node's checks, then its own.
    pub(in crate::transport::embedded) fn health_of(
        &self,
        node: &str,
        service: &Service,
    ) -> Vec<&Check> {
        let id = service.id.to_lowercase();
        let of_node = self.checks_of(node).filter(|check| check.service_id.is_empty());
        let own = self.checks_of(node).filter(|check| check.service_id.to_lowercase() == id);
        of_node.chain(own).collect()
    }

    pub(in crate::transport::embedded) fn coordinates(&self) -> impl Iterator<Item = &Coordinate> {
        self.coordinates.values()
    }

    pub(in crate::transport::embedded) fn coordinates_of(
        &self,
        node: &str,
    ) -> impl Iterator<Item = &Coordinate> {
        of_node(&self.coordinates, node)
    }
}

/// The indexes that answers show.
impl Catalog {
    pub(in crate::transport::embedded) fn nodes_index(&self) -> u64 {
        self.indexes.nodes
    }

    pub(in crate::transport::embedded) fn services_index(&self) -> u64 {
        self.indexes.services
    }

    pub(in crate::transport::embedded) fn checks_index(&self) -> u64 {
        self.indexes.checks
    }

    pub(in crate::transport::embedded) fn coordinates_index(&self) -> u64 {
        self.indexes.coordinates
    }

    /// Of a node with its services.
    pub(in crate::transport::embedded) fn node_services_index(&self) -> u64 {
        self.indexes.nodes.max(self.indexes.services)
    }

    /// Of what is told of one service. Where it has no instance, when the last one of any went: so
    /// that the index does not go back when a service goes.
    pub(in crate::transport::embedded) fn service_index(
        &self,
        name: &str,
        exists: bool,
        with_checks: bool,
    ) -> u64 {
        let gone = if exists { None } else { self.indexes.extinction };
        gone.or_else(|| self.indexes.service.get(name).copied()).unwrap_or_else(|| {
            let index = self.node_services_index();
            if with_checks { index.max(self.indexes.checks) } else { index }
        })
    }
}

/// An even number of the hexadecimal digits that ids are looked up by; none where it is no id.
fn id_prefix(name: &str) -> Option<String> {
    let even = name.get(..name.len() - name.len() % 2).filter(|text| text.len() >= 2)?;
    let digits: String = even.chars().filter(|&c| c != '-').collect();
    let valid = digits.chars().all(|c| c.is_ascii_hexdigit()) && digits.len().is_multiple_of(2);
    valid.then(|| digits.to_lowercase())
}

fn has_prefix(id: &str, prefix: &str) -> bool {
    let digits: String = id.chars().filter(|&c| c != '-').collect();
    digits.to_lowercase().starts_with(prefix)
}
