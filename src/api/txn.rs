//! Transactions: up to 64 operations that are applied together or not at all
//! (<https://developer.hashicorp.com/consul/api-docs/txn>).

mod entity;
mod outcome;
mod sealed;

pub use entity::{Check, CheckDefinition, Node, Service, ServiceAddress, Weights};
pub use outcome::{TxnError, TxnOutcome, TxnResult};

use super::answer::Answer;
use super::json;
use super::kv::{check_key, check_prefix};
use super::session::check_id;
use crate::client::{Accept, Call, Client, Style, Target};
use crate::config::{Options, Settings};
use crate::error::{Error, Result, Status};
use crate::transport::Method;
use base64_simd::STANDARD;
use serde::Serialize;
use std::borrow::Cow;

/// What an operation does to a node, a service or a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Writes it.
    Set,
    /// Writes it if its modify index is still the given one.
    Cas,
    /// Reads it; the transaction is rolled back when it does not exist.
    Get,
    /// Deletes it.
    Delete,
    /// Deletes it if its modify index is still the given one.
    DeleteCas,
}

/// Operations that shall be applied together, in the order in which they are added.
///
/// ```
/// # fn main() -> consul_ffi::Result<()> {
/// use consul_ffi::api::txn::Txn;
///
/// let mut txn = Txn::new();
/// txn.check_not_exists("app/lock")?.set("app/state", b"ready", 0)?;
/// # Ok(())
/// # }
/// ```
///
/// A key or a session id that cannot be is refused when it is added, and nothing is added then.
#[derive(Clone, Debug)]
pub struct Txn {
    /// The JSON array of all operations.
    body: Vec<u8>,
    count: usize,
    changes: bool,
    /// The largest value, with the number of its operation.
    largest: (usize, usize),
}

/// One operation on a key, on the wire.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KvOperation<'a> {
    verb: &'static str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    flags: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

#[derive(Serialize)]
enum Operation<'a> {
    #[serde(rename = "KV")]
    Kv(KvOperation<'a>),
    #[serde(rename_all = "PascalCase")]
    Node { verb: Verb, node: &'a Node },
    #[serde(rename_all = "PascalCase")]
    Service { verb: Verb, node: &'a str, service: &'a Service },
    #[serde(rename_all = "PascalCase")]
    Check { verb: Verb, check: &'a Check },
}

/// The verbs that change nothing. One that is not known here is taken for a change.
const READS: &[&str] =
    &["get", "get-tree", "get-or-empty", "check-index", "check-session", "check-not-exists"];

const KINDS: &[&str] = &["KV", "Node", "Service", "Check"];

impl Txn {
    /// A transaction without operations.
    pub fn new() -> Txn {
        Txn { body: b"[]".to_vec(), count: 0, changes: false, largest: (0, 0) }
    }

    /// Writes a key. `flags` replace the key's flags.
    pub fn set(&mut self, key: &str, value: &[u8], flags: u64) -> Result<&mut Txn> {
        self.write(value, KvOperation { verb: "set", key, flags, ..Default::default() })
    }

    /// As [`Txn::set`], for keys too that a path cannot name.
    pub(crate) fn set_any(&mut self, key: &str, value: &[u8], flags: u64) -> Result<&mut Txn> {
        self.write_any(value, KvOperation { verb: "set", key, flags, ..Default::default() })
    }

    /// Writes a key if its modify index is still this one; 0 means "if it does not exist".
    pub fn cas(
        &mut self,
        key: &str,
        value: &[u8],
        flags: u64,
        modify_index: u64,
    ) -> Result<&mut Txn> {
        let index = Some(modify_index);
        self.write(value, KvOperation { verb: "cas", key, flags, index, ..Default::default() })
    }

    /// Writes a key and locks it for a session.
    pub fn lock(&mut self, key: &str, value: &[u8], flags: u64, session: &str) -> Result<&mut Txn> {
        let session = Some(check_id(session)?);
        self.write(value, KvOperation { verb: "lock", key, flags, session, ..Default::default() })
    }

    /// Writes a key and unlocks it, if this session holds it.
    pub fn unlock(
        &mut self,
        key: &str,
        value: &[u8],
        flags: u64,
        session: &str,
    ) -> Result<&mut Txn> {
        let session = Some(check_id(session)?);
        self.write(value, KvOperation { verb: "unlock", key, flags, session, ..Default::default() })
    }

    /// Reads a key, which must exist.
    pub fn get(&mut self, key: &str) -> Result<&mut Txn> {
        self.kv(KvOperation { verb: "get", key, ..Default::default() })
    }

    /// Reads a key; one that does not exist gives a pair with an empty value (Consul 1.14).
    pub fn get_or_empty(&mut self, key: &str) -> Result<&mut Txn> {
        self.kv(KvOperation { verb: "get-or-empty", key, ..Default::default() })
    }

    /// Reads every key that begins with `prefix`, none included. The prefix may not be empty.
    pub fn get_tree(&mut self, prefix: &str) -> Result<&mut Txn> {
        self.tree("get-tree", prefix)
    }

    /// Goes on only if the key's modify index is this one.
    pub fn check_index(&mut self, key: &str, modify_index: u64) -> Result<&mut Txn> {
        let index = Some(modify_index);
        self.kv(KvOperation { verb: "check-index", key, index, ..Default::default() })
    }

    /// Goes on only if this session holds the key.
    pub fn check_session(&mut self, key: &str, session: &str) -> Result<&mut Txn> {
        let session = Some(check_id(session)?);
        self.kv(KvOperation { verb: "check-session", key, session, ..Default::default() })
    }

    /// Goes on only if the key does not exist.
    pub fn check_not_exists(&mut self, key: &str) -> Result<&mut Txn> {
        self.kv(KvOperation { verb: "check-not-exists", key, ..Default::default() })
    }

    /// Deletes a key, which need not exist.
    pub fn delete(&mut self, key: &str) -> Result<&mut Txn> {
        self.kv(KvOperation { verb: "delete", key, ..Default::default() })
    }

    /// Deletes a key if its modify index is still this one.
    pub fn delete_cas(&mut self, key: &str, modify_index: u64) -> Result<&mut Txn> {
        let index = Some(modify_index);
        self.kv(KvOperation { verb: "delete-cas", key, index, ..Default::default() })
    }

    /// Deletes every key that begins with `prefix`, byte by byte. The empty prefix, which would
    /// delete all, is refused.
    pub fn delete_tree(&mut self, prefix: &str) -> Result<&mut Txn> {
        self.tree("delete-tree", prefix)
    }

    /// Does this to a node, which is found by its name or its id.
    pub fn node(&mut self, verb: Verb, node: &Node) -> Result<&mut Txn> {
        if node.node.is_empty() && node.id.is_empty() {
            return Err(Error::argument("the node has neither a name nor an id"));
        }
        self.add(&Operation::Node { verb, node }, verb != Verb::Get)
    }

    /// Does this to a service of the node with this name.
    pub fn service(&mut self, verb: Verb, node: &str, service: &Service) -> Result<&mut Txn> {
        if node.is_empty() {
            return Err(Error::argument("the name of the service's node is empty"));
        }
        if service.id.is_empty() && service.service.is_empty() {
            return Err(Error::argument("the service has neither a name nor an id"));
        }
        self.add(&Operation::Service { verb, node, service }, verb != Verb::Get)
    }

    /// Does this to a check of the node that it names.
    pub fn check(&mut self, verb: Verb, check: &Check) -> Result<&mut Txn> {
        if check.node.is_empty() || check.check_id.is_empty() {
            return Err(Error::argument("the check lacks the name of its node or its id"));
        }
        self.add(&Operation::Check { verb, check }, verb != Verb::Get)
    }

    /// Adds an operation in the JSON of the HTTP API: an object with one member `KV`, `Node`,
    /// `Service` or `Check`. Only this much of it is checked, so it reaches keys too that the
    /// other operations refuse.
    pub fn json(&mut self, text: &str) -> Result<&mut Txn> {
        let changes = changes(text)?;
        self.append(text.trim().as_bytes(), changes);
        Ok(self)
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// True when no operation changes anything.
    pub fn is_read_only(&self) -> bool {
        !self.changes
    }

    fn tree(&mut self, verb: &'static str, prefix: &str) -> Result<&mut Txn> {
        if prefix.is_empty() {
            return Err(Error::argument(format!("{verb}: the prefix is empty")));
        }
        check_prefix(prefix)?;
        self.add_kv(KvOperation { verb, key: prefix, ..Default::default() })
    }

    fn write(&mut self, value: &[u8], operation: KvOperation<'_>) -> Result<&mut Txn> {
        check_key(operation.key)?;
        self.write_any(value, operation)
    }

    fn write_any(&mut self, value: &[u8], operation: KvOperation<'_>) -> Result<&mut Txn> {
        let position = self.count;
        self.add_kv(KvOperation { value: Some(STANDARD.encode_to_string(value)), ..operation })?;
        self.largest = self.largest.max((value.len(), position));
        Ok(self)
    }

    fn kv(&mut self, operation: KvOperation<'_>) -> Result<&mut Txn> {
        check_key(operation.key)?;
        self.add_kv(operation)
    }

    fn add_kv(&mut self, operation: KvOperation<'_>) -> Result<&mut Txn> {
        let changes = !READS.contains(&operation.verb);
        self.add(&Operation::Kv(operation), changes)
    }

    fn add(&mut self, operation: &Operation<'_>, changes: bool) -> Result<&mut Txn> {
        let json = json::encode(operation)?;
        self.append(&json, changes);
        Ok(self)
    }

    fn append(&mut self, operation: &[u8], changes: bool) {
        self.body.pop();
        if self.count > 0 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(operation);
        self.body.push(b']');
        self.count += 1;
        self.changes |= changes;
    }

    fn call<'a>(&'a self, options: &'a Options) -> Call<'a> {
        let call = Call::new(Method::Put, Target::new("/v1/txn"), None, options)
            .body(&self.body, "application/json")
            .accept(Accept::Conflict);
        if self.changes { call } else { call.read_only().idempotent() }
    }

    /// Refuses what is above Consul's limits.
    fn check_limits(&self, settings: &Settings) -> Result<()> {
        let too_large = |message| Err(Error::new(Status::TooLarge, message));
        if self.count > settings.max_txn_operations {
            return too_large(format!(
                "a transaction of {} operations is above the limit of {} (max_txn_operations: 64 \
                 before Consul 1.14, 128 since)",
                self.count, settings.max_txn_operations
            ));
        }
        let (value, position) = self.largest;
        if value as u64 > settings.max_value_bytes {
            return too_large(format!(
                "operation {position}: a value of {value} bytes is above the limit of {} bytes \
                 (max_value_bytes, which must match Consul's kv_max_value_size)",
                settings.max_value_bytes
            ));
        }
        if self.body.len() as u64 > settings.max_txn_bytes {
            return too_large(format!(
                "a transaction of {} bytes, values in base64, is above the limit of {} bytes \
                 (max_txn_bytes, which must match Consul's txn_max_req_len)",
                self.body.len(),
                settings.max_txn_bytes
            ));
        }
        Ok(())
    }
}

impl Default for Txn {
    fn default() -> Txn {
        Txn::new()
    }
}

impl<S: Style> Client<S> {
    /// Applies all operations of a transaction, or none of them.
    ///
    /// One that only reads takes the options' consistency and may be sent twice; it never blocks.
    /// One that changes something is sent once: after an error whose outcome is unknown it may
    /// have been applied. One that is rolled back is no error here: [`TxnOutcome::refusal`] tells whether
    /// trying again can help.
    pub fn commit(&self, txn: &Txn, options: &Options) -> Result<S::Output<Answer<TxnOutcome>>> {
        let txn = self.ready(txn)?;
        let options = Options { index: 0, ..options.clone() };
        let vault = self.vault();
        json::fetch_with(self, txn.call(&options), move |reply| {
            outcome::read(reply, vault.as_deref())
        })
    }

    /// As [`Client::commit`], and judges the outcome.
    pub(crate) fn commit_as<T: Send + 'static>(
        &self,
        txn: &Txn,
        options: &Options,
        judge: impl FnOnce(TxnOutcome) -> Result<T> + Send + 'static,
    ) -> Result<S::Output<T>> {
        let txn = self.ready(txn)?;
        let options = Options { index: 0, ..options.clone() };
        let vault = self.vault();
        let read = move |reply: &json::Reply<'_>| outcome::read(reply, vault.as_deref());
        json::fetch_judged(self, txn.call(&options), read, judge)
    }

    /// What is sent of a transaction: its values encrypted where they shall be, its limits checked.
    fn ready<'a>(&self, txn: &'a Txn) -> Result<Cow<'a, Txn>> {
        let txn = match self.vault() {
            Some(vault) => Cow::Owned(sealed::sealed(txn, &vault)?),
            None => Cow::Borrowed(txn),
        };
        txn.check_limits(&self.settings())?;
        Ok(txn)
    }
}

/// Whether an operation in JSON changes something.
fn changes(text: &str) -> Result<bool> {
    let refuse = |why: String| Err(Error::argument(format!("the operation {why}")));
    let operation: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(text) {
        Ok(operation) => operation,
        Err(error) => return refuse(format!("is not a JSON object: {error}")),
    };
    let kinds = KINDS.join(", ");
    let mut members = operation.iter();
    let (Some((kind, inner)), None) = (members.next(), members.next()) else {
        return refuse(format!("must have exactly one member of {kinds}"));
    };
    if !KINDS.contains(&kind.as_str()) {
        return refuse(format!("is of the unknown kind \"{kind}\", it takes one of {kinds}"));
    }
    match inner.get("Verb").and_then(serde_json::Value::as_str) {
        Some(verb) => Ok(!READS.contains(&verb)),
        None => refuse(format!("lacks {kind}.Verb")),
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn body(txn: &Txn) -> serde_json::Value {
        serde_json::from_slice(&txn.body).unwrap()
    }

    #[test]
    fn operations_are_written_in_their_order() {
        let mut txn = Txn::new();
        assert_eq!(txn.body, b"[]");
        txn.set("a", b"\0x", u64::MAX).unwrap().cas("b", b"", 0, 7).unwrap();
        txn.lock("c", b"v", 1, "s").unwrap().delete_cas("d", 0).unwrap();
        assert_eq!(
            body(&txn),
            serde_json::json!([
                {"KV": {"Verb": "set", "Key": "a", "Value": "AHg=", "Flags": u64::MAX}},
                {"KV": {"Verb": "cas", "Key": "b", "Value": "", "Index": 7}},
                {"KV": {"Verb": "lock", "Key": "c", "Value": "dg==", "Flags": 1, "Session": "s"}},
                {"KV": {"Verb": "delete-cas", "Key": "d", "Index": 0}},
            ])
        );
        assert_eq!(txn.len(), 4);
    }

    #[test]
    fn entities_are_written_with_their_verb() {
        let node = Node { node: "n".into(), modify_index: 5, ..Node::default() };
        let service = Service { id: "s".into(), ..Service::default() };
        let mut txn = Txn::new();
        txn.node(Verb::DeleteCas, &node).unwrap().service(Verb::Get, "n", &service).unwrap();
        let body = body(&txn);
        assert_eq!(
            body[0],
            serde_json::json!({
                "Node": {"Verb": "delete-cas", "Node": {"Node": "n", "ModifyIndex": 5}}
            })
        );
        assert_eq!(body[1]["Service"]["Node"], "n");
        assert_eq!(body[1]["Service"]["Service"]["ID"], "s");
    }

    #[test]
    fn reads_are_told_from_changes() {
        let mut txn = Txn::new();
        txn.get("a").unwrap().get_tree("a/").unwrap().check_index("a", 1).unwrap();
        txn.check_session("a", "s").unwrap().check_not_exists("b").unwrap();
        txn.json(r#"{"KV":{"Verb":"get","Key":"/odd//key"}}"#).unwrap();
        assert!(txn.is_read_only());
        txn.json(r#"{"KV":{"Verb":"frobnicate","Key":"a"}}"#).unwrap();
        assert!(!txn.is_read_only());
        let mut deletion = Txn::new();
        deletion.delete("a").unwrap();
        assert!(!deletion.is_read_only());
    }

    #[test]
    fn what_is_refused_adds_nothing() {
        let mut txn = Txn::new();
        assert!(txn.set("/a", b"", 0).is_err());
        assert!(txn.lock("a", b"", 0, "").is_err());
        assert!(txn.get_tree("").is_err());
        assert!(txn.delete_tree("").is_err());
        assert!(txn.node(Verb::Get, &Node::default()).is_err());
        assert!(txn.service(Verb::Get, "", &Service::default()).is_err());
        assert!(txn.check(Verb::Get, &Check::default()).is_err());
        for text in ["", "[]", "{}", r#"{"KV":{}}"#, r#"{"Key":{"Verb":"get"}}"#, "{}{}"] {
            assert!(txn.json(text).is_err(), "{text}");
        }
        assert!(txn.is_empty() && txn.body == b"[]");
    }

    #[test]
    fn limits_are_checked_and_named() {
        let mut config = Config::without_environment();
        for (name, value) in
            [("max_txn_operations", "2"), ("max_value_bytes", "100"), ("max_txn_bytes", "200")]
        {
            config.set(name, value).unwrap();
        }
        let settings = Settings::resolve(&config).unwrap();
        let refused = |txn: &Txn| txn.check_limits(&settings).unwrap_err().message().to_string();

        let mut many = Txn::new();
        many.get("a").unwrap().get("b").unwrap();
        assert!(many.check_limits(&settings).is_ok());
        many.get("c").unwrap();
        assert!(refused(&many).contains("max_txn_operations"));

        let mut value = Txn::new();
        value.get("a").unwrap().set("a", &[0; 101], 0).unwrap();
        assert!(refused(&value).starts_with("operation 1: a value of 101 bytes"));

        let mut long = Txn::new();
        long.set("a", &[0; 100], 0).unwrap();
        assert!(long.check_limits(&settings).is_ok());
        long.set("b", &[0; 50], 0).unwrap();
        assert!(refused(&long).contains("max_txn_bytes"));
    }
}
