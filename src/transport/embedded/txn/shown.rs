//! What a transaction tells: its body in JSON.

use crate::transport::embedded::kv::Pair;
use crate::transport::embedded::state::{
    Check, Connect, Definition, Entry, Meta, Node, Proxy, Service, Weights,
};
use crate::transport::embedded::wire::Answer;
use serde::Serialize;

/// What an operation gives: nothing, or what it read or wrote.
pub(super) enum Outcomes {
    None,
    /// Keys with their entries; with values where those were asked for.
    Keys(Vec<(String, Entry)>),
    Node(Box<Node>),
    Service(Box<Service>),
    Check(Box<Check>),
}

impl Outcomes {
    pub(super) fn node(node: Node) -> Outcomes {
        Outcomes::Node(Box::new(node))
    }

    pub(super) fn service(service: Service) -> Outcomes {
        Outcomes::Service(Box::new(service))
    }

    pub(super) fn check(check: Check) -> Outcomes {
        Outcomes::Check(Box::new(check))
    }

    fn shown(&self) -> Vec<Shown<'_>> {
        match self {
            Outcomes::None => Vec::new(),
            Outcomes::Keys(keys) => {
                keys.iter().map(|(key, entry)| Shown::Key(Pair::new(key, entry))).collect()
            }
            Outcomes::Node(node) => vec![Shown::Node(node)],
            Outcomes::Service(service) => vec![Shown::Service(PlainService::new(service))],
            Outcomes::Check(check) => vec![Shown::Check(PlainCheck::new(check))],
        }
    }
}

#[derive(Serialize)]
enum Shown<'a> {
    #[serde(rename = "KV")]
    Key(Pair<'a>),
    Node(&'a Node),
    Service(PlainService<'a>),
    Check(PlainCheck<'a>),
}

/// A service as it is kept: other answers show an empty list of tags where there is none.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlainService<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    service: &'a str,
    tags: Option<&'a [String]>,
    address: &'a str,
    meta: &'a Meta,
    port: i64,
    weights: Weights,
    enable_tag_override: bool,
    proxy: &'a Proxy,
    connect: &'a Connect,
    create_index: u64,
    modify_index: u64,
}

impl<'a> PlainService<'a> {
    fn new(service: &'a Service) -> PlainService<'a> {
        PlainService {
            id: &service.id,
            service: &service.service,
            tags: service.tags.as_deref(),
            address: &service.address,
            meta: &service.meta,
            port: service.port,
            weights: service.weights,
            enable_tag_override: service.enable_tag_override,
            proxy: &service.proxy,
            connect: &service.connect,
            create_index: service.create_index,
            modify_index: service.modify_index,
        }
    }
}

/// A check as it is kept, in the same sense.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlainCheck<'a> {
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
    kind: &'a str,
    definition: &'a Definition,
    create_index: u64,
    modify_index: u64,
}

impl<'a> PlainCheck<'a> {
    fn new(check: &'a Check) -> PlainCheck<'a> {
        PlainCheck {
            node: &check.node,
            id: &check.id,
            name: &check.name,
            status: &check.status,
            notes: &check.notes,
            output: &check.output,
            service_id: &check.service_id,
            service_name: &check.service_name,
            service_tags: check.service_tags.as_deref(),
            kind: &check.kind,
            definition: &check.definition,
            create_index: check.create_index,
            modify_index: check.modify_index,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure {
    pub(super) op_index: usize,
    pub(super) what: String,
}

/// What only a transaction that reads tells.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Contact {
    index: u64,
    last_contact: u64,
    pub(super) known_leader: bool,
    consistency_level: &'static str,
}

impl Contact {
    pub(super) fn new(known_leader: bool) -> Contact {
        Contact { index: 0, last_contact: 0, known_leader, consistency_level: "" }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    results: Option<Vec<Shown<'a>>>,
    errors: Option<Vec<Failure>>,
    #[serde(flatten)]
    contact: Option<Contact>,
}

/// The answer of a transaction.
pub(super) fn answer(
    outcome: Result<Vec<Outcomes>, Vec<Failure>>,
    contact: Option<Contact>,
) -> Answer {
    match outcome {
        Ok(outcomes) => {
            let results = outcomes.iter().flat_map(Outcomes::shown).collect();
            Answer::json(&Body { results: Some(results), errors: None, contact })
        }
        Err(failures) => {
            let body = Body { results: None, errors: Some(failures), contact };
            Answer::json(&body).with_status(409)
        }
    }
}
