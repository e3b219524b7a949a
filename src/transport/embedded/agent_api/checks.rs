//! The agent's checks.

use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::filter::{Filter, fields};
use crate::transport::embedded::registration::CheckSpec;
use crate::transport::embedded::state::{CRITICAL, Check, PASSING, State, WARNING};
use crate::transport::embedded::wire::{Answer, Outcome, Wire};
use crate::transport::embedded::{NODE, go, query};
use std::collections::BTreeMap;

pub(in crate::transport::embedded) fn checks(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let local = state.local();
    let has_none = local.checks().next().is_none();
    let filter = Filter::late(wire.param("filter"), fields::CHECK, has_none)
        .map_err(|why| Answer::error(500, why))?;
    let found = local.checks().filter(|check| filter.admits(check));
    let found: BTreeMap<&str, &Check> = found.map(|check| (&check.id[..], check)).collect();
    Ok(Answer::json(&found))
}

pub(super) fn is_status_or_none(status: &str) -> bool {
    status.is_empty() || is_status(status)
}

fn is_status(status: &str) -> bool {
    matches!(status, PASSING | WARNING | CRITICAL)
}

pub(in crate::transport::embedded) fn register(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let bad = |why: &str| Err(Answer::error(400, why));
    let spec = CheckSpec::read(&wire.body).map_err(query::undecodable)?;
    if spec.name.is_empty() {
        return bad("Missing check name");
    }
    if !is_status_or_none(&spec.status) {
        return bad("Bad check status");
    }
    if let Err(why) = spec.definition.check() {
        return bad(&format!("Invalid check: {why}"));
    }
    let failed = |why: String| Answer::error(500, why);
    let mut check = Check {
        node: NODE.to_owned(),
        id: if spec.id.is_empty() { spec.name.clone() } else { spec.id },
        name: spec.name,
        status: if spec.status.is_empty() { CRITICAL.to_owned() } else { spec.status },
        notes: spec.notes,
        service_id: spec.service_id,
        kind: spec.definition.kind().to_owned(),
        ..Check::default()
    };
    if !check.service_id.is_empty() {
        let Some(service) = state.local().service(&check.service_id) else {
            return Err(failed(format!(
                "ServiceID {} does not exist",
                go::quoted(&check.service_id)
            )));
        };
        check.service_name.clone_from(&service.service);
        check.service_tags.clone_from(&service.tags);
    }
    let done = state.add_check(check, Some(&spec.definition));
    state.sync_changes();
    done.map_err(failed)?;
    Ok(Answer::empty(200))
}

pub(in crate::transport::embedded) fn deregister(
    state: &mut State,
    wire: &Wire,
) -> Outcome<Answer> {
    wire.check_namespace()?;
    if wire.name().is_empty() {
        return Err(Answer::error(500, "CheckID missing"));
    }
    state.remove_check(wire.name());
    state.sync_changes();
    Ok(Answer::empty(200))
}

pub(in crate::transport::embedded) fn pass(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    tell(state, wire, PASSING, wire.param("note"))
}

pub(in crate::transport::embedded) fn warn(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    tell(state, wire, WARNING, wire.param("note"))
}

pub(in crate::transport::embedded) fn fail(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    tell(state, wire, CRITICAL, wire.param("note"))
}

pub(in crate::transport::embedded) fn update(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let (status, output) = read_update(&wire.body).map_err(query::undecodable)?;
    if !is_status(&status) {
        return Err(Answer::error(400, format!("Invalid check status: '{status}'")));
    }
    tell(state, wire, &status, &output)
}

fn read_update(body: &[u8]) -> Result<(String, String), String> {
    let value = decode::parse(body)?;
    let Some(fields) = Fields::top(&value, "checkUpdate", "agent.checkUpdate")? else {
        return Ok(Default::default());
    };
    fields.allow_only(&["Status", "Output"])?;
    Ok((fields.text("Status")?, fields.text("Output")?))
}

fn tell(state: &mut State, wire: &Wire, status: &str, output: &str) -> Outcome<Answer> {
    wire.check_namespace()?;
    state.tell_check(wire.name(), status, output).map_err(|why| Answer::error(500, why))?;
    state.sync_changes();
    Ok(Answer::empty(200))
}
