//! Maintenance of the node and of services: a check that is critical while it lasts.

use crate::transport::embedded::state::{CRITICAL, Check, State};
use crate::transport::embedded::wire::{Answer, Outcome, Wire};
use crate::transport::embedded::{NODE, go, query};

const NODE_CHECK: &str = "_node_maintenance";
const SERVICE_CHECK: &str = "_service_maintenance:";
const DEFAULT_NODE_REASON: &str = "Maintenance mode is enabled for this node, but no reason was \
                                   provided. This is a default message.";
const DEFAULT_SERVICE_REASON: &str = "Maintenance mode is enabled for this service, but no reason \
                                      was provided. This is a default message.";

pub(in crate::transport::embedded) fn node(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let enable = read_enable(wire)?;
    let check = Check {
        id: NODE_CHECK.to_owned(),
        name: "Node Maintenance Mode".to_owned(),
        notes: reason(wire, DEFAULT_NODE_REASON),
        ..Check::default()
    };
    set(state, enable, check)
}

pub(in crate::transport::embedded) fn service(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let id = wire.name();
    if id.is_empty() {
        return Err(Answer::error(400, "Missing service ID"));
    }
    let enable = read_enable(wire)?;
    wire.check_namespace()?;
    let Some(service) = state.local().service(id) else {
        let text = format!("No service registered with ID {}", go::quoted(id));
        return Err(Answer::error(404, text));
    };
    let check = Check {
        id: format!("{SERVICE_CHECK}{id}"),
        name: "Service Maintenance Mode".to_owned(),
        notes: reason(wire, DEFAULT_SERVICE_REASON),
        service_id: service.id.clone(),
        service_name: service.service.clone(),
        service_tags: service.tags.clone(),
        ..Check::default()
    };
    set(state, enable, check)
}

fn read_enable(wire: &Wire) -> Outcome<bool> {
    let bad = |text: String| Answer::error(400, text);
    if !wire.has("enable") {
        return Err(bad("Missing value for enable".to_owned()));
    }
    let text = wire.param("enable");
    query::flag(text).ok_or_else(|| bad(format!("Invalid value for enable: {}", go::quoted(text))))
}

fn reason(wire: &Wire, default: &str) -> String {
    match wire.param("reason") {
        "" => default.to_owned(),
        reason => reason.to_owned(),
    }
}

/// Begins or ends it; one that has begun goes on with its own reason.
fn set(state: &mut State, enable: bool, check: Check) -> Outcome<Answer> {
    let is_on = state.local().check(&check.id).is_some();
    if enable && !is_on {
        let status = CRITICAL.to_owned();
        let check =
            Check { node: NODE.to_owned(), status, kind: "maintenance".to_owned(), ..check };
        state.add_check(check, None).map_err(|why| Answer::error(500, why))?;
    } else if !enable && is_on {
        state.remove_check(&check.id);
    }
    state.sync_changes();
    Ok(Answer::empty(200))
}
