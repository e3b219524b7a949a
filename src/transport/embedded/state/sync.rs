//! The agent tells the catalog what it has been told, and sets right what others have changed there
//! (<https://github.com/hashicorp/consul/blob/v1.8.7/agent/local/state.go>).

use super::local::Own;
use super::{
    Check, Coordinate, Due, Node, PASSING, Point, Registration, SERF_CHECK, Service, State,
};
use crate::transport::embedded::{DATACENTER, NODE, NODE_ID};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the agent compares all that it has with the catalog.
const FULL_SYNC: Duration = Duration::from_secs(60);
/// When it tries again where the catalog could not be told.
const RETRY: Duration = Duration::from_secs(15);
/// The service that the servers register for themselves.
const CONSUL: &str = "consul";

impl State {
    /// What an agent in development mode has before anybody asks: itself, as its server and its own
    /// agent register it.
    pub(super) fn found(&mut self) {
        let index = self.next_index();
        let node = Node { tagged_addresses: None, meta: None, ..own_node() };
        let registration = Registration {
            node,
            service: Some(own_service()),
            checks: vec![serf_check()],
            ..Registration::default()
        };
        let refused = self.register(index, registration);
        debug_assert_eq!(refused, Ok(()));
        self.sync_node();
        let index = self.next_index();
        let (node, segment) = (NODE.to_owned(), String::new());
        self.set_coordinate(index, Coordinate { node, segment, coord: Point::default() });
    }

    /// Tells the catalog what has changed. Without a leader it is told later.
    pub(in crate::transport::embedded) fn sync_changes(&mut self) {
        if !self.has_leader {
            return self.agenda.set(Due::Sync, self.now + RETRY);
        }
        if !self.local().node_in_sync {
            self.sync_node();
        }
        for id in ids(&self.local().services) {
            self.sync_service(&id);
        }
        for id in ids(&self.local().checks) {
            self.sync_check(&id);
        }
    }

    /// Compares all with the catalog. What belongs to this node there and is not known here goes.
    pub(super) fn sync_all(&mut self) {
        let node = self.catalog().node(NODE);
        let right = node.is_some_and(|node| node.id == NODE_ID && same_node(node));
        self.local_mut().node_in_sync &= right;
        let known: Vec<_> = self.catalog().services_of(NODE).cloned().collect();
        let local = self.local_mut();
        for own in local.services.values_mut().filter(|own| !own.deleted) {
            let there = known.iter().find(|service| service.id == own.row.id);
            if let Some(there) = there.filter(|_| own.row.enable_tag_override) {
                own.row.tags.clone_from(&there.tags);
            }
            let (create, modify) =
                there.map_or((0, 0), |there| (there.create_index, there.modify_index));
            let mine = Service { create_index: create, modify_index: modify, ..own.row.clone() };
            own.in_sync = there == Some(&mine);
        }
        for service in known.into_iter().filter(|service| service.id != CONSUL) {
            let own = Own { row: service, in_sync: false, deleted: true };
            local.services.entry(own.row.id.clone()).or_insert(own);
        }
        self.compare_checks();
        self.sync_changes();
    }

    fn compare_checks(&mut self) {
        let known: Vec<_> = self.catalog().checks_of(NODE).cloned().collect();
        let waiting: Vec<_> = self
            .local()
            .checks()
            .filter(|check| self.agenda.has(&Due::CheckOutput(check.id.clone())))
            .map(|check| check.id.clone())
            .collect();
        let local = self.local_mut();
        for own in local.checks.values_mut().filter(|own| !own.deleted) {
            let mut mine = own.row.check.clone();
            let there = known.iter().find(|check| check.id == mine.id);
            if let Some(there) = there.filter(|_| waiting.contains(&mine.id)) {
                mine.output.clone_from(&there.output);
            }
            own.in_sync = there.is_some_and(|there| there.says(&mine));
        }
        let strange = |id: &String| id != SERF_CHECK && !local.checks.contains_key(id);
        let strange: Vec<_> = known.into_iter().map(|check| check.id).filter(strange).collect();
        for id in strange {
            let index = self.next_index();
            self.delete_check(index, NODE, &id);
        }
    }

    /// Somebody else has changed what the catalog says of this node: it is set right the next time
    /// that the agent compares.
    pub(in crate::transport::embedded) fn plan_sync(&mut self, node: &str) {
        if !node.eq_ignore_ascii_case(NODE) || self.agenda.has(&Due::Sync) {
            return;
        }
        let age = self.now.saturating_duration_since(self.began);
        let rest = age.as_nanos() % FULL_SYNC.as_nanos();
        let rest = Duration::from_nanos(u64::try_from(rest).unwrap_or(0));
        self.agenda.set(Due::Sync, self.now + (FULL_SYNC - rest));
    }

    pub(super) fn sync_node(&mut self) {
        let index = self.next_index();
        let registration = Registration { node: own_node(), ..Registration::default() };
        self.local_mut().node_in_sync = self.register(index, registration).is_ok();
    }

    fn sync_service(&mut self, id: &str) {
        let Some(own) = self.local().services.get(id).filter(|own| !own.in_sync) else { return };
        let service = own.row.clone();
        if own.deleted {
            let index = self.next_index();
            self.delete_service(index, NODE, id);
            let local = self.local_mut();
            local.services.remove(id);
            return local.checks.retain(|_, own| !own.deleted || own.row.check.service_id != id);
        }
        let unknown = self.local().checks.iter();
        let unknown = unknown.filter(|(_, own)| !own.in_sync && !own.deleted);
        let unknown = unknown.filter(|(_, own)| own.row.check.service_id == id);
        let (told, checks): (Vec<_>, Vec<_>) =
            unknown.map(|(id, own)| (id.clone(), own.row.check.clone())).unzip();
        let registration =
            Registration { service: Some(service), checks, ..self.own_registration() };
        let index = self.next_index();
        if self.register(index, registration).is_err() {
            return self.agenda.set(Due::Sync, self.now + RETRY);
        }
        let local = self.local_mut();
        if let Some(own) = local.services.get_mut(id) {
            own.in_sync = true;
        }
        for id in told {
            self.checked_in(&id);
        }
    }

    fn sync_check(&mut self, id: &str) {
        let Some(own) = self.local().checks.get(id).filter(|own| !own.in_sync) else { return };
        let check = own.row.check.clone();
        if own.deleted {
            let index = self.next_index();
            self.delete_check(index, NODE, id);
            self.agenda.cancel(&Due::CheckOutput(id.to_owned()));
            self.local_mut().checks.remove(id);
            return;
        }
        let service = self.local().service(&check.service_id).cloned();
        let registration = Registration { service, checks: vec![check], ..self.own_registration() };
        let index = self.next_index();
        match self.register(index, registration) {
            Ok(()) => self.checked_in(id),
            Err(_) => self.agenda.set(Due::Sync, self.now + RETRY),
        }
    }

    fn own_registration(&self) -> Registration {
        let skip_node_update = self.local().node_in_sync;
        Registration { node: own_node(), skip_node_update, ..Registration::default() }
    }

    /// The catalog has what the agent knows of this check.
    fn checked_in(&mut self, id: &str) {
        self.agenda.cancel(&Due::CheckOutput(id.to_owned()));
        if let Some(own) = self.local_mut().checks.get_mut(id) {
            own.in_sync = true;
        }
    }
}

/// This node as its agent registers it.
pub(super) fn own_node() -> Node {
    const LOCAL: &str = "127.0.0.1";
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let addresses = ["lan", "lan_ipv4", "wan", "wan_ipv4"].map(|name| pair((name, LOCAL)));
    Node {
        id: NODE_ID.to_owned(),
        node: NODE.to_owned(),
        address: LOCAL.to_owned(),
        datacenter: DATACENTER.to_owned(),
        tagged_addresses: Some(BTreeMap::from(addresses)),
        meta: Some(BTreeMap::from([pair(("consul-network-segment", ""))])),
        ..Node::default()
    }
}

/// The service that a server is.
fn own_service() -> Service {
    let meta = [
        ("non_voter", "false"),
        ("raft_version", "3"),
        ("serf_protocol_current", "2"),
        ("serf_protocol_max", "5"),
        ("serf_protocol_min", "1"),
        ("version", "1.8.7"),
    ];
    Service {
        id: CONSUL.to_owned(),
        service: CONSUL.to_owned(),
        tags: Some(Vec::new()),
        meta: Some(meta.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        port: 8300,
        ..Service::default()
    }
}

/// The check by which the servers know that the node lives.
fn serf_check() -> Check {
    Check {
        node: NODE.to_owned(),
        id: SERF_CHECK.to_owned(),
        name: "Serf Health Status".to_owned(),
        status: PASSING.to_owned(),
        output: "Agent alive and reachable".to_owned(),
        ..Check::default()
    }
}

/// True where the catalog says of the node what its agent compares.
fn same_node(node: &Node) -> bool {
    let own = own_node();
    node.tagged_addresses == own.tagged_addresses && node.meta == own.meta
}

fn ids<T>(all: &BTreeMap<String, Own<T>>) -> Vec<String> {
    all.iter().filter(|(_, own)| !own.in_sync).map(|(id, _)| id.clone()).collect()
}
