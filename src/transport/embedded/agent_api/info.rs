//! What the agent tells of itself.

use crate::transport::embedded::state::{Point, State};
use crate::transport::embedded::wire::{Answer, Outcome, Wire};
use crate::transport::embedded::{DATACENTER, NODE, NODE_ID};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The version of Consul that this agent is like.
const VERSION: &str = "1.8.7";
const SERVER_PORT: &str = "8300";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Myself {
    config: Config,
    debug_config: Value,
    coord: Point,
    member: Member,
    stats: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    meta: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    datacenter: &'static str,
    node_name: &'static str,
    #[serde(rename = "NodeID")]
    node_id: &'static str,
    revision: &'static str,
    server: bool,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Member {
    name: &'static str,
    addr: &'static str,
    port: u16,
    tags: BTreeMap<&'static str, &'static str>,
    status: u8,
    protocol_min: u8,
    protocol_max: u8,
    protocol_cur: u8,
    delegate_min: u8,
    delegate_max: u8,
    delegate_cur: u8,
}

fn member() -> Member {
    let tags = [
        ("acls", "0"),
        ("build", "1.8.7:"),
        ("dc", DATACENTER),
        ("ft_fs", "1"),
        ("id", NODE_ID),
        ("port", SERVER_PORT),
        ("raft_vsn", "3"),
        ("role", "consul"),
        ("segment", ""),
        ("vsn", "2"),
        ("vsn_max", "3"),
        ("vsn_min", "2"),
    ];
    Member {
        name: NODE,
        addr: "127.0.0.1",
        port: 8301,
        tags: tags.into_iter().collect(),
        status: 1,
        protocol_min: 1,
        protocol_max: 5,
        protocol_cur: 2,
        delegate_min: 2,
        delegate_max: 5,
        delegate_cur: 4,
    }
}

pub(in crate::transport::embedded) fn self_info(state: &mut State, _: &Wire) -> Outcome<Answer> {
    let config = Config {
        datacenter: DATACENTER,
        node_name: NODE,
        node_id: NODE_ID,
        revision: "",
        server: true,
        version: VERSION,
    };
    Ok(Answer::json(&Myself {
        config,
        debug_config: json!({
            "Datacenter": DATACENTER, "DevMode": true, "NodeID": NODE_ID, "NodeName": NODE,
            "ServerMode": true, "Version": VERSION,
        }),
        coord: Point::default(),
        member: member(),
        stats: stats(state),
        meta: BTreeMap::from([("consul-network-segment", "")]),
    }))
}

fn stats(state: &State) -> BTreeMap<&'static str, BTreeMap<&'static str, String>> {
    let local = state.local();
    let index = state.index.to_string();
    let leader = state.has_leader;
    let address = if leader { "127.0.0.1:8300" } else { "" };
    BTreeMap::from([
        (
            "agent",
            BTreeMap::from([
                ("check_monitors", "0".to_owned()),
                ("check_ttls", local.ttl_count().to_string()),
                ("checks", local.checks().count().to_string()),
                ("services", local.services().count().to_string()),
            ]),
        ),
        (
            "build",
            BTreeMap::from([
                ("prerelease", String::new()),
                ("revision", String::new()),
                ("version", VERSION.to_owned()),
            ]),
        ),
        (
            "consul",
            BTreeMap::from([
                ("acl", "disabled".to_owned()),
                ("bootstrap", "false".to_owned()),
                ("known_datacenters", "1".to_owned()),
                ("leader", leader.to_string()),
                ("leader_addr", address.to_owned()),
                ("server", "true".to_owned()),
            ]),
        ),
        (
            "raft",
            BTreeMap::from([
                ("applied_index", index.clone()),
                ("commit_index", index.clone()),
                ("last_log_index", index),
                ("state", if leader { "Leader" } else { "Follower" }.to_owned()),
            ]),
        ),
    ])
}

pub(in crate::transport::embedded) fn members(_: &mut State, wire: &Wire) -> Outcome<Answer> {
    let segment = wire.param("segment");
    if !wire.param("wan").is_empty() {
        return match segment {
            "" | "_all" => Ok(Answer::json(&None::<()>)),
            _ => Err(Answer::error(400, "Cannot provide a segment with wan=true")),
        };
    }
    if !matches!(segment, "" | "_all") {
        let text = "Network segments are not supported in this version of Consul";
        return Err(Answer::error(500, text));
    }
    Ok(Answer::json(&[member()]))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics<'a> {
    timestamp: &'static str,
    gauges: Vec<Gauge<'a>>,
    points: [(); 0],
    counters: [(); 0],
    samples: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Gauge<'a> {
    name: &'a str,
    value: u64,
    labels: BTreeMap<String, String>,
}

/// A few figures in the form of Consul's.
pub(in crate::transport::embedded) fn metrics(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    if wire.param("format") == "prometheus" {
        let text = "Prometheus is not enabled since its retention time is not positive";
        return Err(Answer::error(415, text));
    }
    let gauge = |name, value| Gauge { name, value, labels: BTreeMap::new() };
    Ok(Answer::json(&Metrics {
        timestamp: "1970-01-01 00:00:00 +0000 UTC",
        gauges: vec![
            gauge("consul.autopilot.failure_tolerance", 0),
            gauge("consul.autopilot.healthy", u64::from(state.has_leader)),
            gauge("consul.raft.applied_index", state.index),
            gauge("consul.raft.last_index", state.index),
        ],
        points: [],
        counters: [],
        samples: [],
    }))
}

/// It stays: an agent ends with the last client that has it.
pub(in crate::transport::embedded) fn leave(_: &mut State, _: &Wire) -> Outcome<Answer> {
    Ok(Answer::empty(200))
}

/// There is no file to read again.
pub(in crate::transport::embedded) fn reload(_: &mut State, _: &Wire) -> Outcome<Answer> {
    Ok(Answer::empty(200))
}

/// It is its own and only member.
pub(in crate::transport::embedded) fn join(_: &mut State, _: &Wire) -> Outcome<Answer> {
    Ok(Answer::empty(200))
}

pub(in crate::transport::embedded) fn force_leave(_: &mut State, wire: &Wire) -> Outcome<Answer> {
    match wire.name() {
        NODE => Ok(Answer::empty(200)),
        name => Err(Answer::error(500, format!("agent: No node found with name '{name}'"))),
    }
}

pub(in crate::transport::embedded) fn token(_: &mut State, _: &Wire) -> Outcome<Answer> {
    Err(Answer::error(401, "ACL support disabled"))
}
