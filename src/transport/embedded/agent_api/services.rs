//! The agent's services.

use super::hash;
use super::shown::Shown;
use crate::transport::embedded::filter::{Filter, fields};
use crate::transport::embedded::registration::{CheckSpec, ServiceSpec};
use crate::transport::embedded::state::{Address, CRITICAL, Check, Definition, Service, State};
use crate::transport::embedded::wait::{Mark, Options, Read};
use crate::transport::embedded::wire::{Answer, Outcome, Wire};
use crate::transport::embedded::{NODE, limits, query};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(in crate::transport::embedded) fn services(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let filter = Filter::new(wire.param("filter"), fields::SERVICE)
        .map_err(|why| Answer::error(500, why))?;
    let shown = state.local().services().map(|service| (&service.id[..], Shown::new(service)));
    let shown: BTreeMap<_, _> = shown.filter(|(_, service)| filter.admits(service)).collect();
    Ok(Answer::json(&shown))
}

pub(in crate::transport::embedded) fn service(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    let id = wire.name();
    let Some(service) = state.local().service(id) else {
        return Err(Answer::error(404, format!("unknown service ID: {id}")));
    };
    let hash = hash::of(service);
    let answer = Answer::json(&Shown::new(service).hashed(&hash));
    Ok(Read { answer, mark: Mark::Hash(hash) })
}

pub(in crate::transport::embedded) fn register(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let spec = ServiceSpec::read(&wire.body).map_err(query::undecodable)?;
    check(&spec).map_err(|why| Answer::error(400, why))?;
    let ServiceSpec { mut service, weights, checks, .. } = spec;
    service.weights = weights.unwrap_or_default();
    check_addresses(&service).map_err(|why| Answer::error(500, why))?;
    complete_addresses(&mut service);
    let alone = checks.len() == 1;
    let checks = checks.into_iter().enumerate();
    let checks = checks.map(|(at, spec)| own_check(&service, spec, (!alone).then_some(at + 1)));
    let checks = checks.collect();
    let replace = wire.has("replace-existing-checks")
        && matches!(wire.param("replace-existing-checks"), "" | "true");
    let done = state.add_service(service, checks, replace);
    state.sync_changes();
    done.map_err(|why| Answer::error(500, why))?;
    Ok(Answer::empty(200))
}

fn check(spec: &ServiceSpec) -> Result<(), String> {
    let service = &spec.service;
    if service.service.is_empty() {
        return Err("Missing service name".to_owned());
    }
    if limits::is_unspecified(&service.address) {
        return Err("Invalid service address".to_owned());
    }
    if let Some(weights) = spec.weights {
        weights.check().map_err(|why| format!("Invalid Weights: {why}"))?;
    }
    limits::check_service_meta(&service.kind, &service.meta)
        .map_err(|why| format!("Invalid Service Meta: {why}"))?;
    limits::check_kind(service)?;
    for check in &spec.checks {
        check.definition.check().map_err(|why| format!("Invalid check: {why}"))?;
    }
    if spec.checks.iter().any(|check| !super::checks::is_status_or_none(&check.status)) {
        return Err("Status for checks must 'passing', 'warning', 'critical'".to_owned());
    }
    if spec.has_sidecar {
        return Err("Invalid SidecarService: an embedded agent has no mesh".to_owned());
    }
    Ok(())
}

/// Addresses that are named after a kind are of that kind.
fn check_addresses(service: &Service) -> Result<(), String> {
    let kinds = [("lan_ipv4", "ipv4"), ("wan_ipv4", "ipv4"), ("lan_ipv6", "ipv6")];
    for (name, kind) in kinds {
        let Some(address) = service.tagged_addresses.iter().flatten().find(|(n, _)| *n == name)
        else {
            continue;
        };
        let parsed = address.1.address.parse::<IpAddr>();
        if !parsed.is_ok_and(|ip| ip.is_ipv4() == (kind == "ipv4")) {
            return Err(format!("Service tagged address {name:?} must be a valid {kind} address"));
        }
    }
    Ok(())
}

/// An agent adds a numeric address under the names of its kind.
fn complete_addresses(service: &mut Service) {
    let addresses = service.tagged_addresses.get_or_insert_default();
    let Ok(ip) = service.address.parse::<IpAddr>() else { return };
    let names = if ip.is_ipv4() { ["lan_ipv4", "wan_ipv4"] } else { ["lan_ipv6", "wan_ipv6"] };
    for name in names {
        addresses
            .entry(name.to_owned())
            .or_insert_with(|| Address { address: service.address.clone(), port: service.port });
    }
}

/// A check of a service, numbered where there are several.
fn own_check(service: &Service, spec: CheckSpec, number: Option<usize>) -> (Check, Definition) {
    let or = |text: String, other: String| if text.is_empty() { other } else { text };
    let id = match number {
        None => format!("service:{}", service.id),
        Some(number) => format!("service:{}:{number}", service.id),
    };
    let check = Check {
        node: NODE.to_owned(),
        id: or(spec.id, id),
        name: or(spec.name, format!("Service '{}' check", service.service)),
        status: or(spec.status, CRITICAL.to_owned()),
        notes: spec.notes,
        service_id: service.id.clone(),
        service_name: service.service.clone(),
        service_tags: service.tags.clone(),
        kind: spec.definition.kind().to_owned(),
        ..Check::default()
    };
    (check, spec.definition)
}

pub(in crate::transport::embedded) fn deregister(
    state: &mut State,
    wire: &Wire,
) -> Outcome<Answer> {
    wire.check_namespace()?;
    if wire.name().is_empty() {
        return Err(Answer::error(500, "ServiceID missing"));
    }
    state.remove_service(wire.name());
    state.sync_changes();
    Ok(Answer::empty(200))
}
