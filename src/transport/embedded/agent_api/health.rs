//! How the agent's services are, told by the status of the answer as well.

use super::shown::Shown;
use crate::transport::embedded::state::{CRITICAL, Check, PASSING, Service, State, WARNING};
use crate::transport::embedded::wire::{Answer, Outcome, Wire};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    aggregated_status: &'static str,
    service: Option<Shown<'a>>,
    checks: Option<Vec<ShownCheck<'a>>>,
}

/// A check in the words of another type than everywhere else.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownCheck<'a> {
    node: &'a str,
    #[serde(rename = "CheckID")]
    id: &'a str,
    name: &'a str,
    status: &'a str,
    notes: &'a str,
    output: &'a str,
    #[serde(rename = "ServiceID")]
    service_id: &'a str,
    service_name: &'a str,
    service_tags: Option<&'a [String]>,
    #[serde(rename = "Type")]
    kind: &'static str,
    definition: ShownDefinition,
    create_index: u64,
    modify_index: u64,
}

/// Nothing of how a check is done is known here.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownDefinition {
    interval: Zero,
    timeout: Zero,
    deregister_critical_service_after: Zero,
    #[serde(rename = "HTTP")]
    http: &'static str,
    header: Option<BTreeMap<String, Vec<String>>>,
    method: &'static str,
    body: &'static str,
    #[serde(rename = "TLSSkipVerify")]
    tls_skip_verify: bool,
    #[serde(rename = "TCP")]
    tcp: &'static str,
}

struct Zero(&'static str);

impl Default for Zero {
    fn default() -> Zero {
        Zero("0s")
    }
}

impl Serialize for Zero {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'a> Told<'a> {
    fn new(state: &'a State, service: &'a Service) -> Told<'a> {
        let checks = state.local().health_of(&service.id);
        let aggregated_status = aggregated(&checks);
        let checks = checks.into_iter().map(ShownCheck::new).collect();
        Told { aggregated_status, service: Some(Shown::new(service)), checks: Some(checks) }
    }
}

impl<'a> ShownCheck<'a> {
    fn new(check: &'a Check) -> ShownCheck<'a> {
        ShownCheck {
            node: &check.node,
            id: &check.id,
            name: &check.name,
            status: &check.status,
            notes: &check.notes,
            output: &check.output,
            service_id: &check.service_id,
            service_name: &check.service_name,
            service_tags: check.service_tags.as_deref(),
            kind: "",
            definition: ShownDefinition::default(),
            create_index: 0,
            modify_index: 0,
        }
    }
}

/// The worst of all; maintenance is worse than critical.
fn aggregated(checks: &[&Check]) -> &'static str {
    let in_maintenance = |check: &&&Check| {
        check.id == "_node_maintenance" || check.id.starts_with("_service_maintenance:")
    };
    let has = |status: &str| checks.iter().any(|check| check.status == status);
    match () {
        () if checks.iter().any(|check| in_maintenance(&check)) => "maintenance",
        () if has(CRITICAL) => CRITICAL,
        () if has(WARNING) => WARNING,
        () => PASSING,
    }
}

fn code(status: &str) -> u16 {
    match status {
        PASSING => 200,
        WARNING => 429,
        _ => 503,
    }
}

/// An answer whose status tells how it is, with the reason as a word.
fn answer(wire: &Wire, code: u16, reason: &str, told: &impl Serialize) -> Answer {
    let answer = if wants_text(wire) {
        Answer::bytes(code, "text/plain", reason.as_bytes().to_vec())
    } else {
        Answer::json(told).with_status(code)
    };
    answer.with_header("x-consul-reason", reason)
}

fn wants_text(wire: &Wire) -> bool {
    let accepts = wire.header("accept").starts_with("text/plain");
    accepts || wire.param("format") == "text"
}

pub(in crate::transport::embedded) fn by_id(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let id = wire.name();
    if id.is_empty() {
        return Err(Answer::error(500, "Bad request: Missing serviceID"));
    }
    wire.check_namespace()?;
    if let Some(service) = state.local().service(id) {
        let told = Told::new(state, service);
        let status = told.aggregated_status;
        return Ok(answer(wire, code(status), status, &told));
    }
    let reason = format!("ServiceId {id} not found");
    let told = Told { aggregated_status: CRITICAL, service: None, checks: None };
    // Even as a text it is JSON.
    let answer = if wants_text(wire) { Answer::json(&reason) } else { Answer::json(&told) };
    Ok(answer.with_status(404).with_header("x-consul-reason", reason))
}

pub(in crate::transport::embedded) fn by_name(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let name = wire.name();
    if name.is_empty() {
        return Err(Answer::error(500, "Bad request: Missing service Name"));
    }
    wire.check_namespace()?;
    let found = state.local().services().filter(|service| service.service == name);
    let all: Vec<Told<'_>> = found.map(|service| Told::new(state, service)).collect();
    let worst = all.iter().map(|told| told.aggregated_status).max_by_key(|status| code(status));
    let Some(worst) = worst else {
        return Ok(answer(wire, 404, &format!("ServiceName {name} Not Found"), &all));
    };
    Ok(answer(wire, code(worst), worst, &all))
}
