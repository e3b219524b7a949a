//! Consul as everybody else sees it, and what they do there: past the wire of the client under test.

use crate::api::Check;
use crate::api::agent::{CheckDefinition, ServiceDefinition};
use crate::api::kv::KvPair;
use crate::api::session::SessionSpec;
use crate::api::txn::Txn;
use crate::client::Client;
use crate::config::{Config, Options};
use crate::recipes::lock::LOCK_FLAG;
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Consul {
    client: Client,
}

const PLAIN: Options = Options::NONE;

impl Consul {
    pub(super) fn new(agent: &str) -> Consul {
        let mut config = Config::without_environment();
        config.set("address", &format!("embedded:{agent}")).unwrap();
        Consul { client: Client::new(&config).unwrap() }
    }

    /// The ids of all sessions, the oldest first.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let mut sessions = self.client.session().list(&PLAIN).unwrap().value;
        sessions.sort_by_key(|session| session.create_index);
        sessions.into_iter().map(|session| session.id).collect()
    }

    /// A session of somebody else, whose keys can be had at once when it ends.
    pub(crate) fn add_session(&self) -> String {
        let spec = SessionSpec::new().lock_delay(Duration::ZERO);
        self.client.session().create(&spec, &PLAIN).unwrap().value
    }

    pub(crate) fn end_session(&self, id: &str) {
        self.client.session().destroy(id, &PLAIN).unwrap();
    }

    fn pair(&self, key: &str) -> Option<KvPair> {
        self.client.kv().get(key, &PLAIN).unwrap().value
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.pair(key).is_some()
    }

    /// The keys with this prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.client.kv().keys(prefix, None, &PLAIN).unwrap().value
    }

    /// The value of a key as text.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.pair(key).map(|pair| String::from_utf8(pair.value).unwrap())
    }

    pub(crate) fn flags(&self, key: &str) -> u64 {
        self.pair(key).map_or(0, |pair| pair.flags)
    }

    pub(crate) fn modify_index(&self, key: &str) -> Option<u64> {
        self.pair(key).map(|pair| pair.modify_index)
    }

    /// Who holds a key.
    pub(crate) fn holder(&self, key: &str) -> Option<String> {
        self.pair(key)?.session
    }

    /// Writes a key, as somebody does who knows nothing of locks.
    pub(crate) fn put(&self, key: &str, value: &str, flags: u64) {
        assert!(self.client.kv().put(key, value.as_bytes(), flags, &PLAIN).unwrap().value);
    }

    pub(crate) fn delete_key(&self, key: &str) {
        assert!(self.client.kv().delete(key, &PLAIN).unwrap().value);
    }

    /// Has a session take a key, whoever holds it: as when a write is applied late.
    pub(crate) fn grant(&self, key: &str, session: &str) {
        self.grant_with(key, "", session);
    }

    pub(crate) fn grant_with(&self, key: &str, value: &str, session: &str) {
        let mut txn = Txn::new();
        txn.delete(key).unwrap();
        txn.lock(key, value.as_bytes(), LOCK_FLAG, session).unwrap();
        let outcome = self.client.commit(&txn, &PLAIN).unwrap().value;
        assert!(outcome.is_committed(), "{outcome:?}");
    }

    /// Somebody registers a service.
    pub(crate) fn add_service(&self, name: &str) {
        self.client.agent().register_service(&ServiceDefinition::new(name), &PLAIN).unwrap();
    }

    /// The agent forgets its services, as when it starts anew with empty data.
    pub(crate) fn wipe_agent(&self) {
        for service in self.client.agent().services(&PLAIN).unwrap() {
            self.client.agent().deregister_service(&service.id, &PLAIN).unwrap();
        }
    }

    /// A check that the agent has.
    pub(crate) fn agent_check(&self, id: &str) -> Option<Check> {
        let checks = self.client.agent().checks(&PLAIN).unwrap();
        checks.into_iter().find(|check| check.id == id)
    }

    pub(crate) fn remove_check(&self, id: &str) {
        self.client.agent().deregister_check(id, &PLAIN).unwrap();
    }

    /// Adds a check to a service of the agent.
    pub(crate) fn add_check(&self, service: &str, id: &str) {
        let check = CheckDefinition::new(id).id(id).service_id(service);
        let check = check.ttl(Duration::from_secs(3600));
        self.client.agent().register_check(&check, &PLAIN).unwrap();
    }

    /// The port of a service that the agent has.
    pub(crate) fn service_port(&self, id: &str) -> Option<u16> {
        let service = self.client.agent().service(id, None, &PLAIN).unwrap()?;
        Some(service.service.port)
    }
}
