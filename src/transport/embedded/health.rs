//! `/v1/health/`.

use super::filter::fields;
use super::near;
use super::query::{self, Query};
use super::state::{Check, Node, PASSING, Service, State, satisfies};
use super::wait::Read;
use super::wire::{Answer, Outcome, Wire};
use serde::Serialize;
use std::collections::BTreeSet;

/// The checks of a node.
pub(super) fn node(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing node name")?;
    query.reach(wire)?;
    let filter = query.filter(fields::CHECK)?;
    let found = state.catalog().checks_of(name).filter(|check| filter.admits(check));
    Ok(query.answer(state.catalog().checks_index(), &found.collect::<Vec<_>>()))
}

/// The checks of a service.
pub(super) fn checks(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    let catalog = state.catalog();
    let index = match query.node_meta[..] {
        [] => catalog.checks_index(),
        _ => catalog.service_index(name, true, true),
    };
    let lower = name.to_lowercase();
    listed(state, &query, index, |check| check.service_name.to_lowercase() == lower)
}

/// The checks that have a status.
pub(super) fn status(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing check state")?;
    query.reach(wire)?;
    let index = state.catalog().checks_index();
    listed(state, &query, index, |check| name == "any" || check.status == name)
}

fn listed(
    state: &State,
    query: &Query<'_>,
    index: u64,
    is_meant: impl Fn(&Check) -> bool,
) -> Outcome<Read> {
    let filter = query.filter(fields::CHECK)?;
    let catalog = state.catalog();
    let on_node = |check: &&Check| {
        let node = catalog.node(&check.node);
        node.is_some_and(|node| satisfies(&node.meta, &query.node_meta))
    };
    let found = catalog.checks().filter(|check| is_meant(check)).filter(on_node);
    let mut found: Vec<&Check> = found.filter(|check| filter.admits(check)).collect();
    near::sort(catalog, &query.near, &mut found, |check| &check.node);
    Ok(query.answer(index, &found))
}

/// An instance with its node and all checks that say how it is.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    node: &'a Node,
    service: &'a Service,
    checks: Vec<&'a Check>,
}

pub(super) fn service(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    let catalog = state.catalog();
    let tags: Vec<&str> = wire.params("tag").collect();
    let names = names(catalog.instances(name));
    let index = match tags[..] {
        [] => index_of(state, name, &names),
        _ => catalog.service_index(name, !names.is_empty(), true),
    };
    let found = catalog.instances(name).filter(|(_, service)| query::has_tags(service, &tags));
    entries(state, wire, &query, index, found)
}

/// What to reach a service by within the mesh.
pub(super) fn connect(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, name) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    let found = || state.catalog().mesh_instances(name);
    let index = index_of(state, name, &names(found()));
    entries(state, wire, &query, index, found())
}

/// There are no gateways.
pub(super) fn ingress(state: &State, wire: &Wire) -> Outcome<Read> {
    let (query, _) = Query::named(wire, "Missing service name")?;
    query.reach(wire)?;
    entries(state, wire, &query, 0, std::iter::empty())
}

fn names<'a>(found: impl Iterator<Item = (&'a Node, &'a Service)>) -> BTreeSet<&'a str> {
    found.map(|(_, service)| &service.service[..]).collect()
}

/// The highest index of the services that were found.
fn index_of(state: &State, name: &str, names: &BTreeSet<&str>) -> u64 {
    let catalog = state.catalog();
    let found = names.iter().map(|name| catalog.service_index(name, true, true)).max();
    found.unwrap_or_else(|| catalog.service_index(name, false, true))
}

fn entries<'a>(
    state: &'a State,
    wire: &Wire,
    query: &Query<'_>,
    index: u64,
    found: impl Iterator<Item = (&'a Node, &'a Service)>,
) -> Outcome<Read> {
    let filter = query.filter(fields::SERVICE_ENTRY)?;
    let only_passing = only_passing(wire)?;
    let catalog = state.catalog();
    let found = found.filter(|(node, _)| satisfies(&node.meta, &query.node_meta));
    let found = found.map(|(node, service)| Entry {
        node,
        service,
        checks: catalog.health_of(&node.node, service),
    });
    let mut found: Vec<Entry<'_>> = found.filter(|entry| filter.admits(entry)).collect();
    near::sort(catalog, &query.near, &mut found, |entry| &entry.node.node);
    if only_passing {
        drop_failing(&mut found);
    }
    Ok(query.cacheable(state, wire, index, &found))
}

fn only_passing(wire: &Wire) -> Outcome<bool> {
    match wire.param("passing") {
        "" => Ok(wire.has("passing")),
        text => query::flag(text).ok_or_else(|| Answer::error(400, "Invalid value for ?passing")),
    }
}

/// Leaves the entries whose checks all pass, in Consul's order: the last one takes the place of one
/// that goes.
fn drop_failing(entries: &mut Vec<Entry<'_>>) {
    let mut at = 0;
    while let Some(entry) = entries.get(at) {
        if entry.checks.iter().all(|check| check.status == PASSING) {
            at += 1;
        } else {
            entries.swap_remove(at);
        }
    }
}
