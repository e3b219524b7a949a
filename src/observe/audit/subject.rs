//! What a change is about, as much of it as may be written down.
//!
//! Only what is known to name something is taken from a request: a member of a body that nobody knows
//! here may be a value or a secret.

use crate::observe::shown;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// What in a body says which one a request is about, by the beginning of its path. The legacy
/// `/v1/acl/update` has a secret in its `ID`.
const NAMES: &[(&str, &[&str])] = &[
    ("/v1/agent/service/register", &["/ID", "/Name"]),
    ("/v1/agent/check/register", &["/ID", "/Name"]),
    (
        "/v1/catalog/",
        &["/Node", "/ServiceID", "/CheckID", "/Service/ID", "/Service/Service", "/Check/CheckID"],
    ),
    ("/v1/session/create", &["/Name", "/Node"]),
    ("/v1/acl/", &["/AccessorID", "/Name", "/AuthMethod"]),
    ("/v1/config", &["/Kind", "/Name"]),
    ("/v1/query", &["/Name"]),
];

/// What an answer says of what was made, by the path.
const MADE: &[(&str, &str)] = &[
    ("/v1/session/create", "/ID"),
    ("/v1/event/fire/", "/ID"),
    ("/v1/query", "/ID"),
    ("/v1/acl/token", "/AccessorID"),
    ("/v1/acl/login", "/AccessorID"),
    ("/v1/acl/bootstrap", "/AccessorID"),
    ("/v1/acl/policy", "/ID"),
    ("/v1/acl/role", "/ID"),
    ("/v1/acl/binding-rule", "/ID"),
];

/// What a change is about.
#[derive(Serialize)]
pub(crate) struct Subject {
    method: &'static str,
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    query: String,
    /// What the body names, in the API's own words.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    subject: Vec<(&'static str, String)>,
    /// What a transaction consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operations: Vec<Operation>,
}

impl Subject {
    pub(super) fn of(method: &'static str, target: &str, body: &[u8]) -> Subject {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Subject {
            method,
            path: shown::path(path).into_owned(),
            query: shown::query(query),
            subject: names(path, body),
            operations: if path == "/v1/txn" { operations(body) } else { Vec::new() },
        }
    }

    /// The id of what was made, by Consul's answer.
    pub(super) fn made(&self, answer: &[u8]) -> Option<String> {
        let (_, member) = MADE.iter().find(|(path, _)| self.path.starts_with(path))?;
        let answer: Value = serde_json::from_slice(answer).ok()?;
        answer.pointer(member)?.as_str().map(str::to_string)
    }
}

fn names(path: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    let Some((_, members)) = NAMES.iter().find(|(start, _)| path.starts_with(start)) else {
        return Vec::new();
    };
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let named = |member: &&'static str| {
        let value = body.pointer(member)?.as_str().filter(|value| !value.is_empty())?;
        Some((&member[1..], value.to_string()))
    };
    members.iter().filter_map(named).collect()
}

fn as_map<S: Serializer>(
    pairs: &[(&'static str, String)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// One operation of a transaction.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Operation {
    verb: String,
    #[serde(flatten)]
    of: Of,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Of {
    Key { key: String },
    Service { node: String, service: String },
    Check { node: String, check: String },
    Node { node: String },
}

/// The same as it is sent.
#[derive(Deserialize)]
enum Sent {
    #[serde(rename = "KV", rename_all = "PascalCase")]
    Kv { verb: String, key: String },
    #[serde(rename_all = "PascalCase")]
    Node { verb: String, node: Named },
    #[serde(rename_all = "PascalCase")]
    Service { verb: String, node: String, service: Named },
    #[serde(rename_all = "PascalCase")]
    Check { verb: String, check: Named },
}

/// A node, a service or a check, whichever of these it has.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Named {
    #[serde(rename = "ID")]
    id: String,
    node: String,
    service: String,
    #[serde(rename = "CheckID")]
    check_id: String,
}

/// What cannot be understood is Consul's to refuse.
fn operations(body: &[u8]) -> Vec<Operation> {
    let sent: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    let known = sent.into_iter().filter_map(|sent| serde_json::from_value(sent).ok());
    known.map(operation).collect()
}

fn operation(sent: Sent) -> Operation {
    let either = |one: String, other: String| if one.is_empty() { other } else { one };
    let (verb, of) = match sent {
        Sent::Kv { verb, key } => (verb, Of::Key { key }),
        Sent::Node { verb, node } => (verb, Of::Node { node: either(node.node, node.id) }),
        Sent::Service { verb, node, service } => {
            (verb, Of::Service { node, service: either(service.id, service.service) })
        }
        Sent::Check { verb, check } => {
            (verb, Of::Check { node: check.node, check: check.check_id })
        }
    };
    Operation { verb, of }
}
