//! `/v1/catalog/`.

use super::filter::{Filter, fields};
use super::near;
use super::query::{self, Query};
use super::registration;
use super::state::{Address, Connect, Meta, Node, Proxy, Service, State, Weights, satisfies};
use super::wait::{Options, Read};
use super::wire::{Answer, Outcome, Wire};
use super::{DATACENTER, limits};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn register(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let failed = |text: String| Answer::error(500, text);
    let mut wanted = registration::read_registration(&wire.body).map_err(query::undecodable)?;
    check_datacenter(&mut wanted.node.datacenter)?;
    let node = &wanted.node;
    if node.node.is_empty() {
        return Err(failed("Must provide node".to_owned()));
    }
    if !node.id.is_empty() {
        limits::check_node_id(&node.id).map_err(|why| failed(format!("Bad node ID: {why}")))?;
    }
    if node.address.is_empty() && !wanted.skip_node_update {
        return Err(failed("Must provide address if SkipNodeUpdate is not set".to_owned()));
    }
    if let Some(service) = &mut wanted.service {
        check_service(service).map_err(failed)?;
    }
    for check in &mut wanted.checks {
        if check.node.is_empty() {
            check.node.clone_from(&wanted.node.node);
        }
        if check.id.is_empty() {
            check.id.clone_from(&check.name);
        }
        if check.kind.is_empty() {
            check.kind = check.definition.kind().to_owned();
        }
    }
    let name = wanted.node.node.clone();
    let index = state.next_index();
    state.register(index, wanted).map_err(failed)?;
    state.plan_sync(&name);
    Ok(Answer::json(&true))
}

fn check_datacenter(datacenter: &mut String) -> Outcome<()> {
    if datacenter.is_empty() {
        *datacenter = DATACENTER.to_owned();
    }
    if datacenter == DATACENTER {
        return Ok(());
    }
    Err(Answer::error(500, "No path to datacenter"))
}

/// What the servers demand of a service; the reason is Consul's.
pub(super) fn check_service(service: &mut Service) -> Result<(), String> {
    limits::check_kind(service)?;
    if service.id.is_empty() {
        service.id.clone_from(&service.service);
    }
    if service.id.is_empty() {
        // Only the table refuses it.
        let why =
            "failed inserting service: failed inserting service: object missing primary index";
        return Err(why.to_owned());
    }
    if service.service.is_empty() {
        return Err("Must provide service name with ID".to_owned());
    }
    if limits::is_unspecified(&service.address) {
        return Err("Invalid service address".to_owned());
    }
    Ok(())
}

pub(super) fn deregister(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let mut wanted = registration::read_deregistration(&wire.body).map_err(query::undecodable)?;
    check_datacenter(&mut wanted.datacenter)?;
    if wanted.node.is_empty() {
        return Err(Answer::error(500, "Must provide node"));
    }
    let (node, index) = (&wanted.node, state.next_index());
    if !wanted.service_id.is_empty() {
        state.delete_service(index, node, &wanted.service_id);
    } else if !wanted.check_id.is_empty() {
        state.delete_check(index, node, &wanted.check_id);
    } else {
        state.delete_node(index, node);
    }
    state.plan_sync(node);
    Ok(Answer::json(&true))
}

pub(super) fn datacenters(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let options = Options::parse(wire)?;
    Ok(query::tell_cache(state, wire, &options, Answer::json(&[DATACENTER])))
}

pub(super) fn nodes(state: &State, wire: &Wire) -> Outcome<Read> {
    let query = Query::parse(wire)?;
    query.reach(wire)?;
    let filter = query.filter(fields::NODE)?;
    let catalog = state.catalog();
    let fits = |node: &&Node| satisfies(&node.meta, &query.node_meta) && filter.admits(node);
    let mut nodes: Vec<&Node> = catalog.nodes().filter(fits).collect();
    near::sort(catalog, &query.near, &mut nodes, |node| &node.node);
    Ok(query.answer(catalog.nodes_index(), &nodes))
}

pub(super) fn services(state: &State, wire: &Wire) -> Outcome<Read> {
    wire.check_namespace()?;
    let query = Query::parse(wire)?;
    query.reach(wire)?;
    let catalog = state.catalog();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (node, service) in catalog.services() {
        if satisfies(&node.meta, &query.node_meta) {
            let tags = found.entry(&service.service).or_default();
            tags.extend(service.tags().iter().map(String::as_str));
        }
    }
    let index = match query.node_meta[..] {
        [] => catalog.services_index(),
        _ => catalog.node_services_index(),
    };
    Ok(query.cacheable(state, wire, index, &found))
}

/// An instance with its node, as one row.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Instance<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    node: &'a str,
    address: &'a str,
    datacenter: &'a str,
    tagged_addresses: &'a Meta,
    node_meta: &'a Meta,
    service_kind: &'a str,
    #[serde(rename = "ServiceID")]
    service_id: &'a str,
    service_name: &'a str,
    service_tags: &'a [String],
    service_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tagged_addresses: Option<&'a BTreeMap<String, Address>>,
    service_weights: Weights,
    service_meta: BTreeMap<&'a str, &'a str>,
    service_port: i64,
    service_enable_tag_override: bool,
    service_proxy: &'a Proxy,
    service_connect: &'a Connect,
    create_index: u64,
    modify_index: u64,
}

impl<'a> Instance<'a> {
    fn new((node, service): (&'a Node, &'a Service)) -> Instance<'a> {
        let meta = service.meta.iter().flatten();
        Instance {
            id: &node.id,
            node: &node.node,
            address: &node.address,
            datacenter: &node.datacenter,
            tagged_addresses: &node.tagged_addresses,
            node_meta: &node.meta,
            service_kind: &service.kind,
            service_id: &service.id,
            service_name: &service.service,
            service_tags: service.tags(),
            service_address: &service.address,
            service_tagged_addresses: service
                .tagged_addresses
                .as_ref()
                .filter(|addresses| !addresses.is_empty()),
            service_weights: service.weights,
            service_meta: meta.map(|(name, value)| (&name[..], &value[..])).collect(),
            service_port: service.port,
            service_enable_tag_override: service.enable_tag_override,
            service_proxy: &service.proxy,
            service_connect: &service.connect,
            create_index: service.create_index,
            modify_index: service.modify_index,
        }
    }
}

pub(super) fn service(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    let found = state.catalog().instances(name);
    let tags: Vec<&str> = wire.params("tag").collect();
    let found = found.filter(|(_, service)| query::has_tags(service, &tags));
    let exists = match tags[..] {
        [] => None,
        _ => Some(state.catalog().instances(name).next().is_some()),
    };
    instances(state, wire, &query, found.collect(), exists)
}

/// What to reach a service by within the mesh.
pub(super) fn connect(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    instances(state, wire, &query, state.catalog().mesh_instances(name).collect(), None)
}

/// `exists` where that cannot be seen from what was found.
fn instances(
    state: &State,
    wire: &Wire,
    query: &Query<'_>,
    found: Vec<(&Node, &Service)>,
    exists: Option<bool>,
) -> Outcome<Read> {
    let filter = query.filter(fields::CATALOG_SERVICE)?;
    let catalog = state.catalog();
    let index = catalog.service_index(wire.name(), exists.unwrap_or(!found.is_empty()), false);
    let found = found.into_iter().filter(|(node, _)| satisfies(&node.meta, &query.node_meta));
    let mut found: Vec<Instance<'_>> =
        found.map(Instance::new).filter(|instance| filter.admits(instance)).collect();
    near::sort(catalog, &query.near, &mut found, |instance| instance.node);
    Ok(query.cacheable(state, wire, index, &found))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeServices<'a, T> {
    node: Option<&'a Node>,
    services: Option<T>,
}

/// The services of a node, by their ids.
pub(super) fn node(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing node name")?;
    query.reach(wire)?;
    let filter = query.filter(fields::SERVICE)?;
    let Some((node, found)) = services_of(state, name, &filter) else {
        return Ok(query.answer(0, &None::<()>));
    };
    let services: BTreeMap<&str, &Service> =
        found.into_iter().map(|service| (&service.id[..], service)).collect();
    let answer = NodeServices { node: Some(node), services: Some(services) };
    Ok(query.answer(state.catalog().node_services_index(), &answer))
}

/// The services of a node, as a list.
pub(super) fn node_services(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing node name")?;
    query.reach(wire)?;
    let filter = query.filter(fields::SERVICE)?;
    let Some((node, services)) = services_of(state, name, &filter) else {
        let none = NodeServices::<Vec<&Service>> { node: None, services: None };
        return Ok(query.answer(0, &none));
    };
    let has_any = query.has_filter() || !services.is_empty();
    let answer = NodeServices { node: Some(node), services: has_any.then_some(services) };
    Ok(query.answer(state.catalog().node_services_index(), &answer))
}

fn services_of<'a>(
    state: &'a State,
    name: &str,
    filter: &Filter,
) -> Option<(&'a Node, Vec<&'a Service>)> {
    let catalog = state.catalog();
    let node = catalog.node_or_id(name)?;
    let services = catalog.services_of(&node.node).filter(|service| filter.admits(service));
    Some((node, services.collect()))
}
