//! `/v1/session/`.

use super::decode::{self, Fields};
use super::go;
use super::state::{Behavior, ServiceCheck, Session, State};
use super::wait::{Options, Read};
use super::wire::{Answer, Outcome, Wire};
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The check that tells whether a node is there.
const SERF_HEALTH: &str = "serfHealth";
const SECOND: i64 = 1_000_000_000;
/// Numbers below this are seconds.
const LEAST_LOCK_DELAY: i64 = 1000;
const LONGEST_TTL: i64 = 86_400 * SECOND;

/// A session as the API shows it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Name")]
    name: &'a str,
    #[serde(rename = "Node")]
    node: &'a str,
    #[serde(rename = "LockDelay")]
    lock_delay: i64,
    #[serde(rename = "Behavior")]
    behavior: &'static str,
    #[serde(rename = "TTL")]
    ttl: &'a str,
    #[serde(rename = "NodeChecks")]
    node_checks: &'a [String],
    #[serde(rename = "ServiceChecks")]
    service_checks: Option<Vec<ShownCheck<'a>>>,
    #[serde(rename = "Checks", skip_serializing_if = "<[String]>::is_empty")]
    checks: &'a [String],
    #[serde(rename = "CreateIndex")]
    create_index: u64,
    #[serde(rename = "ModifyIndex")]
    modify_index: u64,
}

#[derive(Serialize)]
struct ShownCheck<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Namespace")]
    namespace: &'a str,
}

impl<'a> Shown<'a> {
    fn new(session: &'a Session) -> Shown<'a> {
        let shown =
            |check: &'a ServiceCheck| ShownCheck { id: &check.id, namespace: &check.namespace };
        let checks = session.service_checks.as_ref();
        Shown {
            id: &session.id,
            name: &session.name,
            node: &session.node,
            lock_delay: session.lock_delay,
            behavior: session.behavior.as_str(),
            ttl: &session.ttl,
            node_checks: &session.node_checks,
            service_checks: checks.map(|checks| checks.iter().map(shown).collect()),
            checks: &session.checks,
            create_index: session.create_index,
            modify_index: session.create_index,
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
}

pub(super) fn create(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let failed = |text: String| Answer::error(500, text);
    let (mut session, behavior) = read(wire)
        .map_err(|cause| Answer::error(400, format!("Request decode failed: {cause}")))?;
    wire.check_datacenter()?;
    if session.node.is_empty() {
        return Err(failed("Must provide Node".into()));
    }
    session.behavior = match behavior.as_str() {
        "" | "release" => Behavior::Release,
        "delete" => Behavior::Delete,
        other => return Err(failed(format!("Invalid Behavior setting '{other}'"))),
    };
    check_ttl(&session.ttl, state.shortest_ttl).map_err(failed)?;
    session.id = fresh_id();
    let (index, id) = (state.next_index(), session.id.clone());
    state.session_create(index, session).map_err(failed)?;
    Ok(Answer::json(&Created { id: &id }))
}

fn check_ttl(ttl: &str, shortest: i64) -> Result<(), String> {
    if ttl.is_empty() {
        return Ok(());
    }
    let invalid = |cause| format!("Session TTL '{ttl}' invalid: {cause}");
    match go::parse_duration(ttl).map_err(invalid)? {
        0 => Ok(()),
        nanos if (shortest..=LONGEST_TTL).contains(&nanos) => Ok(()),
        nanos => {
            // Below a minute Go writes a duration as Rust shows it.
            let shortest = Duration::from_nanos(shortest.unsigned_abs());
            Err(format!("Invalid Session TTL '{nanos}', must be between [{shortest:?}=24h0m0s]"))
        }
    }
}

/// The session that a body asks for, and the name of its behaviour.
fn read(wire: &Wire) -> Result<(Session, String), String> {
    const GO_TYPE: &str = "struct { LockDelay interface {}; *structs.Alias }";
    let mut session = Session {
        node: super::NODE.to_owned(),
        lock_delay: 15 * SECOND,
        node_checks: vec![SERF_HEALTH.to_owned()],
        checks: vec![SERF_HEALTH.to_owned()],
        ..Session::default()
    };
    let mut behavior = String::new();
    if !wire.body.is_empty() {
        let value = decode::parse(&wire.body)?;
        if let Some(fields) = Fields::top(&value, "", GO_TYPE)? {
            behavior = fields.string("Behavior")?.unwrap_or_default();
            fill(&mut session, &fields)?;
        }
    }
    choose_checks(&mut session);
    Ok((session, behavior))
}

fn fill(session: &mut Session, fields: &Fields<'_>) -> Result<(), String> {
    session.name = fields.string("Name")?.unwrap_or_default();
    session.ttl = fields.string("TTL")?.unwrap_or_default();
    if let Some(node) = fields.string("Node")? {
        session.node = node;
    }
    if let Some(checks) = fields.strings("NodeChecks")? {
        session.node_checks = checks;
    }
    if let Some(checks) = fields.strings("Checks")? {
        session.checks = checks;
    }
    if fields.get("ServiceChecks").is_some() {
        let checks = fields.structs("ServiceChecks", "ServiceCheck", "structs.ServiceCheck")?;
        let check = |fields: Fields<'_>| {
            let id = fields.string("ID")?.unwrap_or_default();
            Ok(ServiceCheck { id, namespace: fields.string("Namespace")?.unwrap_or_default() })
        };
        session.service_checks =
            Some(checks.into_iter().map(check).collect::<Result<_, String>>()?);
    }
    if let Some(delay) = fields.get("LockDelay") {
        session.lock_delay = lock_delay(delay)?;
    }
    Ok(())
}

/// A text is a duration, a number nanoseconds; what is too small for that is seconds.
fn lock_delay(value: &serde_json::Value) -> Result<i64, String> {
    #[allow(clippy::cast_possible_truncation)] // As Go cuts it.
    let nanos = match (value.as_str(), value.as_f64()) {
        (Some(text), _) => go::parse_duration(text)?,
        (None, Some(number)) => number as i64,
        (None, None) => 0,
    };
    Ok(if nanos < LEAST_LOCK_DELAY { nanos.wrapping_mul(SECOND) } else { nanos })
}

/// `Checks` is the older name of `NodeChecks`: an empty list in either means that there are none.
fn choose_checks(session: &mut Session) {
    if session.checks.is_empty() {
        session.node_checks.clear();
    } else if session.checks == [SERF_HEALTH] || session.node_checks.is_empty() {
        session.checks.clear();
    }
}

/// A random id. It need not be hard to guess: only this process can use it.
pub(super) fn fresh_id() -> String {
    let half = || RandomState::new().hash_one(0);
    let text = format!("{:016x}{:016x}", half(), half());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

pub(super) fn destroy(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    wire.check_namespace()?;
    let id = named(wire, "Missing session")?;
    wire.check_datacenter()?;
    let index = state.next_index();
    state.session_destroy(index, id).map_err(|text| Answer::error(500, text))?;
    Ok(Answer::json(&true))
}

pub(super) fn renew(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    let id = named(wire, "Missing session")?;
    wire.check_datacenter()?;
    let found = state.sessions().get(id).map_err(|text| Answer::error(500, text))?.cloned();
    let Some(session) = found else {
        return Err(Answer::error(404, format!("Session id '{id}' not found")));
    };
    state.session_renew(&session);
    Ok(Answer::json(&[Shown::new(&session)]))
}

pub(super) fn info(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    let id = named(wire, "Missing session")?;
    wire.check_datacenter().map_err(Answer::with_empty_meta)?;
    let found = state.sessions().get(id);
    let found = found.map_err(|text| Answer::error(500, text).with_empty_meta())?;
    Ok(shown(state, found.into_iter()))
}

pub(super) fn list(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    wire.check_datacenter().map_err(Answer::with_empty_meta)?;
    Ok(shown(state, state.sessions().all()))
}

pub(super) fn of_node(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_namespace()?;
    let node = named(wire, "Missing node name")?;
    wire.check_datacenter().map_err(Answer::with_empty_meta)?;
    let of_node = |session: &&Session| session.node.eq_ignore_ascii_case(node);
    Ok(shown(state, state.sessions().all().filter(of_node)))
}

fn shown<'a>(state: &State, sessions: impl Iterator<Item = &'a Session>) -> Read {
    let sessions: Vec<Shown<'_>> = sessions.map(Shown::new).collect();
    Read::at(state.sessions().index(), Answer::json(&sessions))
}

fn named<'a>(wire: &'a Wire, missing: &str) -> Outcome<&'a str> {
    match wire.name() {
        "" => Err(Answer::error(400, missing)),
        name => Ok(name),
    }
}
