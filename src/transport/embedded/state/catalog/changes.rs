//! What changes the catalog. Each change is part of one with an index; a refused one leaves all as
//! it was.

use super::{Catalog, Check, Coordinate, Indexes, Meta, Node, Service, key};
use crate::transport::embedded::limits;
use crate::transport::embedded::state::{Due, State};
use std::sync::Arc;
use std::time::Duration;

/// How often a server in development mode takes over where nodes are.
const COORDINATE_PERIOD: Duration = Duration::from_millis(100);

/// The check by which the servers know that a node lives.
pub(in crate::transport::embedded) const SERF_CHECK: &str = "serfHealth";

/// What is registered at once.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Registration {
    pub(in crate::transport::embedded) node: Node,
    /// The node, where it exists, stays as it is.
    pub(in crate::transport::embedded) skip_node_update: bool,
    pub(in crate::transport::embedded) service: Option<Service>,
    pub(in crate::transport::embedded) checks: Vec<Check>,
}

type Result = std::result::Result<(), String>;

impl State {
    pub(in crate::transport::embedded) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn catalog_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.catalog)
    }

    fn indexes_mut(&mut self) -> &mut Indexes {
        &mut self.catalog_mut().indexes
    }

    /// Registers a node, a service on it, and checks: all of it, or nothing with Consul's reason.
    pub(in crate::transport::embedded) fn register(
        &mut self,
        index: u64,
        registration: Registration,
    ) -> Result {
        self.catalog.check_registration(&registration)?;
        let Registration { node, skip_node_update, service, checks } = registration;
        let name = node.node.clone();
        if self.catalog.node(&name).is_none() || !skip_node_update {
            self.set_node(index, node)?;
        }
        if let Some(service) = service {
            self.set_service(index, &name, service)?;
        }
        for check in checks {
            self.set_check(index, check)?;
        }
        Ok(())
    }

    /// Adds or changes a node. One whose id is known under another name is renamed: what belonged
    /// to the old name goes.
    pub(in crate::transport::embedded) fn set_node(&mut self, index: u64, node: Node) -> Result {
        self.catalog.check_node(&node)?;
        let by_id = (!node.id.is_empty()).then(|| self.catalog.node_by_id(&node.id)).flatten();
        let existing = by_id.or_else(|| self.catalog.node(&node.node)).cloned();
        if let Some(old) = by_id.filter(|known| known.node != node.node).map(|old| old.node.clone())
        {
            self.delete_node(index, &old);
        }
        let mut node = node;
        if let Some(existing) = existing {
            (node.create_index, node.modify_index) = (existing.create_index, existing.modify_index);
            if node == existing {
                return Ok(());
            }
        } else {
            node.create_index = index;
        }
        node.modify_index = index;
        let name = node.node.clone();
        let catalog = self.catalog_mut();
        catalog.nodes.insert(name.to_lowercase(), node);
        catalog.indexes.nodes = index;
        catalog.touch_services_of(&name, index);
        Ok(())
    }

    /// Adds or changes a service of a node.
    pub(in crate::transport::embedded) fn set_service(
        &mut self,
        index: u64,
        node: &str,
        service: Service,
    ) -> Result {
        self.catalog.check_service(node, &service)?;
        if self.catalog.node(node).is_none() {
            return Err(MISSING_NODE.to_owned());
        }
        let mut service = service;
        if service.weights.check().is_err() {
            service.weights = Default::default();
        }
        let at = key(node, &service.id);
        let catalog = self.catalog_mut();
        if let Some(existing) = catalog.services.get(&at) {
            service.create_index = existing.create_index;
            service.modify_index = existing.modify_index;
            if service == *existing {
                return Ok(());
            }
            let name = existing.service.to_lowercase();
            catalog.forget_instance(&name, &at);
        } else {
            service.create_index = index;
        }
        service.modify_index = index;
        catalog.instances.entry(service.service.to_lowercase()).or_default().insert(at.clone());
        catalog.indexes.services = index;
        catalog.indexes.touch_service(&service.service, index);
        catalog.services.insert(at, service);
        Ok(())
    }

    /// Adds or changes a check. Sessions that depend on it go when it is critical.
    pub(in crate::transport::embedded) fn set_check(&mut self, index: u64, check: Check) -> Result {
        self.catalog.check_check(&check, None)?;
        let mut check = check;
        let at = key(&check.node, &check.id);
        if check.status.is_empty() {
            check.status = super::CRITICAL.to_owned();
        }
        let catalog = self.catalog_mut();
        if let Some(service) = catalog.services.get(&key(&check.node, &check.service_id)) {
            check.service_name.clone_from(&service.service);
            check.service_tags.clone_from(&service.tags);
        }
        let existing = catalog.checks.get(&at);
        check.create_index = existing.map_or(index, |existing| existing.create_index);
        check.modify_index = existing.map_or(index, |existing| existing.modify_index);
        if !existing.is_some_and(|existing| existing.says(&check)) {
            check.modify_index = index;
            catalog.touch_checked(&check, index);
        }
        catalog.indexes.checks = index;
        let critical = check.is_critical().then(|| (check.node.clone(), check.id.clone()));
        catalog.checks.insert(at, check);
        if let Some((node, id)) = critical {
            self.invalidate_sessions_of_check(index, &node, &id);
        }
        Ok(())
    }

    /// Removes a node with all that belongs to it.
    pub(in crate::transport::embedded) fn delete_node(&mut self, index: u64, name: &str) {
        let Some(node) = self.catalog.node(name) else { return };
        let name = node.node.clone();
        let services: Vec<_> =
            self.catalog.services_of(&name).map(|service| service.id.clone()).collect();
        self.catalog_mut().touch_services_of(&name, index);
        for id in services {
            self.delete_service(index, &name, &id);
        }
        let checks: Vec<_> = self.catalog.checks_of(&name).map(|check| check.id.clone()).collect();
        for id in checks {
            self.delete_check(index, &name, &id);
        }
        let lower = name.to_lowercase();
        let catalog = self.catalog_mut();
        let before = catalog.coordinates.len();
        catalog.coordinates.retain(|(node, _), _| *node != lower);
        if catalog.coordinates.len() != before {
            catalog.indexes.coordinates = index;
        }
        catalog.nodes.remove(&lower);
        catalog.indexes.nodes = index;
        self.invalidate_sessions_of_node(index, &name);
    }

    /// Removes a service from a node, with its checks.
    pub(in crate::transport::embedded) fn delete_service(
        &mut self,
        index: u64,
        node: &str,
        id: &str,
    ) {
        let at = key(node, id);
        let Some(service) = self.catalog.services.get(&at) else { return };
        let name = service.service.clone();
        let belongs = |check: &&Check| check.service_id.to_lowercase() == at.1;
        let checks: Vec<_> =
            self.catalog.checks_of(node).filter(belongs).map(|check| check.id.clone()).collect();
        for id in checks {
            self.delete_check(index, node, &id);
        }
        let catalog = self.catalog_mut();
        catalog.services.remove(&at);
        (catalog.indexes.checks, catalog.indexes.services) = (index, index);
        if catalog.forget_instance(&name.to_lowercase(), &at) {
            catalog.indexes.touch_service(&name, index);
        } else {
            catalog.indexes.service.remove(&name);
            catalog.indexes.extinction = Some(index);
        }
    }

    /// Removes a check. Sessions that depend on it go.
    pub(in crate::transport::embedded) fn delete_check(
        &mut self,
        index: u64,
        node: &str,
        id: &str,
    ) {
        let catalog = self.catalog_mut();
        let Some(check) = catalog.checks.remove(&key(node, id)) else { return };
        if check.service_id.is_empty() {
            catalog.indexes.services = index;
        }
        catalog.touch_checked(&check, index);
        catalog.indexes.checks = index;
        self.invalidate_sessions_of_check(index, &check.node, &check.id);
    }

    /// Where a node is, to be taken over with the next batch.
    pub(in crate::transport::embedded) fn plan_coordinate(&mut self, place: Coordinate) {
        self.coordinates
            .retain(|known| (&known.node, &known.segment) != (&place.node, &place.segment));
        self.coordinates.push(place);
        if !self.agenda.has(&Due::Coordinates) {
            self.agenda.set(Due::Coordinates, self.now + COORDINATE_PERIOD);
        }
    }

    /// The batch is taken over.
    pub(in crate::transport::embedded) fn coordinates_due(&mut self) {
        let index = self.next_index();
        for place in std::mem::take(&mut self.coordinates) {
            self.set_coordinate(index, place);
        }
    }

    /// Takes over where nodes are; of nodes that do not exist nothing is kept.
    pub(in crate::transport::embedded) fn set_coordinate(&mut self, index: u64, at: Coordinate) {
        if self.catalog.node(&at.node).is_some() {
            self.catalog_mut().coordinates.insert(key(&at.node, &at.segment), at);
        }
        self.indexes_mut().coordinates = index;
    }
}

pub(super) const MISSING_NODE: &str = "Missing node registration";
pub(super) const MISSING_SERVICE: &str = "Missing service registration";

/// What stands in the way of a change.
impl Catalog {
    fn check_registration(&self, registration: &Registration) -> Result {
        let Registration { node, service, checks, skip_node_update } = registration;
        if self.node(&node.node).is_none() || !skip_node_update {
            let failed = |why| format!("failed inserting node: {why}");
            self.check_node(node).map_err(failed)?;
        }
        if let Some(service) = service {
            let failed = |why| format!("failed inserting service: {why}");
            self.check_service(&node.node, service).map_err(failed)?;
        }
        for check in checks {
            if check.node != node.node {
                return Err(format!(
                    "check node {:?} does not match node {:?}",
                    check.node, node.node
                ));
            }
            let failed = |why| format!("failed inserting check: {why} on node {:?}", check.node);
            self.check_check(check, Some(registration)).map_err(failed)?;
        }
        Ok(())
    }

    /// A name belongs to one node's id while that node lives.
    fn check_node(&self, node: &Node) -> Result {
        if node.id.is_empty() {
            return Ok(());
        }
        match self.node_by_id(&node.id) {
            Some(known) if known.node == node.node => Ok(()),
            Some(_) => self.check_name(node, false).map_err(|why| {
                let Node { id, address, .. } = node;
                format!("Error while renaming Node ID: {id:?} ({address}): {why}")
            }),
            None => self
                .check_name(node, true)
                .map_err(|why| format!("Error while renaming Node ID: {:?}: {why}", node.id)),
        }
    }

    fn check_name(&self, node: &Node, may_take_from_nameless: bool) -> Result {
        let Some(other) = self.node(&node.node).filter(|other| other.id != node.id) else {
            return Ok(());
        };
        let serf = self.check(&other.node, SERF_CHECK);
        let lives = serf.is_some_and(|check| !check.is_critical());
        if lives && !(other.id.is_empty() && may_take_from_nameless) {
            return Err(format!(
                "Node name {} is reserved by node {} with name {} ({})",
                node.node, other.id, other.node, other.address
            ));
        }
        Ok(())
    }

    fn check_service(&self, node: &str, service: &Service) -> Result {
        limits::check_service_meta(&service.kind, &service.meta).map_err(|why| {
            format!("Invalid Service Meta for node {node} and serviceID {}: {why}", service.id)
        })?;
        if service.id.is_empty() {
            return Err("failed inserting service: object missing primary index".to_owned());
        }
        Ok(())
    }

    /// A check of a service needs that service, be it in the same registration.
    fn check_check(&self, check: &Check, within: Option<&Registration>) -> Result {
        if within.is_none() && self.node(&check.node).is_none() {
            return Err(MISSING_NODE.to_owned());
        }
        let service = within.and_then(|registration| registration.service.as_ref());
        let comes = service
            .is_some_and(|service| service.id.to_lowercase() == check.service_id.to_lowercase());
        let exists = self.service(&check.node, &check.service_id).is_some();
        if !check.service_id.is_empty() && !comes && !exists {
            return Err(MISSING_SERVICE.to_owned());
        }
        if check.id.is_empty() {
            return Err("failed inserting check: object missing primary index".to_owned());
        }
        Ok(())
    }
}

impl Catalog {
    fn touch_services_of(&mut self, node: &str, index: u64) {
        for service in super::of_node(&self.services, node) {
            self.indexes.touch_service(&service.service, index);
        }
    }

    /// A check changes what is told of its service, or of all services of its node.
    fn touch_checked(&mut self, check: &Check, index: u64) {
        if check.service_id.is_empty() {
            self.touch_services_of(&check.node, index);
        } else {
            self.indexes.touch_service(&check.service_name, index);
        }
    }

    /// False where that was the last one.
    fn forget_instance(&mut self, name: &str, at: &super::Key) -> bool {
        let Some(instances) = self.instances.get_mut(name) else { return false };
        instances.remove(at);
        if instances.is_empty() {
            self.instances.remove(name);
            return false;
        }
        true
    }
}

/// True where a node has all of this.
pub(in crate::transport::embedded) fn satisfies(meta: &Meta, wanted: &[(String, String)]) -> bool {
    let has = |(name, value): &(String, String)| {
        meta.as_ref().is_some_and(|meta| meta.get(name) == Some(value))
    };
    wanted.iter().all(has)
}
