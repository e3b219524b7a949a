//! Operations on what the catalog has: nodes, services and checks.

use super::shown::Outcomes;
use crate::transport::embedded::decode::Fields;
use crate::transport::embedded::state::{Check, Definition, Node, Service, State};
use crate::transport::embedded::{DATACENTER, catalog, go, limits, registration};

type Result<T> = std::result::Result<T, String>;

pub(super) struct EntityOperation {
    verb: String,
    entity: Entity,
    /// At which index it was last changed, for verbs that look at that.
    index: u64,
}

enum Entity {
    Node(Node),
    /// A service, and the name of its node.
    Service(String, Service),
    Check(Check),
}

impl EntityOperation {
    pub(super) fn read_node(fields: &Fields<'_>) -> Result<EntityOperation> {
        fields.allow_only(&["Verb", "Node"])?;
        let verb = fields.text_of("Verb", "api.NodeOp")?.unwrap_or_default();
        let Some(fields) = fields.fields("Node", "Node", "api.Node")? else {
            let entity = Entity::Node(Node::default());
            return Ok(EntityOperation { verb, entity, index: 0 });
        };
        fields.allow_only(&[
            "ID",
            "Node",
            "Address",
            "Datacenter",
            "TaggedAddresses",
            "Meta",
            "CreateIndex",
            "ModifyIndex",
        ])?;
        let datacenter = match fields.text("Datacenter")? {
            name if name.is_empty() => DATACENTER.to_owned(),
            name => name,
        };
        let node = Node {
            id: fields.text("ID")?,
            node: fields.text("Node")?,
            address: fields.text("Address")?,
            datacenter,
            tagged_addresses: fields.texts_by_name("TaggedAddresses")?,
            meta: fields.texts_by_name("Meta")?,
            ..Node::default()
        };
        Ok(EntityOperation { verb, entity: Entity::Node(node), index: index_of(&fields)? })
    }

    pub(super) fn read_service(fields: &Fields<'_>) -> Result<EntityOperation> {
        fields.allow_only(&["Verb", "Node", "Service"])?;
        let verb = fields.text_of("Verb", "api.ServiceOp")?.unwrap_or_default();
        let node = fields.text("Node")?;
        let Some(fields) = fields.fields("Service", "AgentService", "api.AgentService")? else {
            let entity = Entity::Service(node, Service::default());
            return Ok(EntityOperation { verb, entity, index: 0 });
        };
        let given = registration::node_service(&fields)?;
        // The rest of what a service can say is not taken over.
        let service = Service {
            id: given.id,
            service: given.service,
            tags: given.tags,
            address: given.address,
            meta: given.meta,
            port: given.port,
            weights: given.weights,
            enable_tag_override: given.enable_tag_override,
            ..Service::default()
        };
        let index = index_of(&fields)?;
        Ok(EntityOperation { verb, entity: Entity::Service(node, service), index })
    }

    pub(super) fn read_check(fields: &Fields<'_>) -> Result<EntityOperation> {
        fields.allow_only(&["Verb", "Check"])?;
        let verb = fields.text_of("Verb", "api.CheckOp")?.unwrap_or_default();
        let Some(fields) = fields.fields("Check", "HealthCheck", "api.HealthCheck")? else {
            let entity = Entity::Check(Check::default());
            return Ok(EntityOperation { verb, entity, index: 0 });
        };
        let given = registration::health_check(&fields)?;
        let definition = Definition {
            http: given.definition.http,
            tls_skip_verify: given.definition.tls_skip_verify,
            header: given.definition.header,
            method: given.definition.method,
            body: given.definition.body,
            tcp: given.definition.tcp,
            interval: given.definition.interval,
            timeout: given.definition.timeout,
            deregister_critical_service_after: given.definition.deregister_critical_service_after,
            ..Definition::default()
        };
        let check = Check { definition, kind: String::new(), ..given };
        Ok(EntityOperation { verb, entity: Entity::Check(check), index: index_of(&fields)? })
    }

    /// Everything but reading goes the way of changes, unknown verbs too.
    pub(super) fn is_write(&self) -> bool {
        self.verb != "get"
    }

    /// What can be refused before anything is done. What is left out is filled in.
    pub(super) fn check(&mut self) -> Result<()> {
        if !self.is_write() {
            return Ok(());
        }
        match &mut self.entity {
            Entity::Node(node) if node.node.is_empty() => Err("Must provide node".to_owned()),
            Entity::Node(node) if node.id.is_empty() => Ok(()),
            Entity::Node(node) => {
                limits::check_node_id(&node.id).map_err(|why| format!("Bad node ID: {why}"))
            }
            Entity::Service(_, service) => catalog::check_service(service),
            Entity::Check(check) => {
                if check.id.is_empty() {
                    check.id.clone_from(&check.name);
                }
                Ok(())
            }
        }
    }

    pub(super) fn run(&self, state: &mut State, index: u64) -> Result<Outcomes> {
        let (name, known) = (self.name(), self.current_index(state));
        let stale = |what| Err(format!("failed to {what} {name}, index is stale"));
        match self.verb.as_str() {
            "get" => match self.found(state) {
                Outcomes::None => Err(format!("{name} doesn't exist")),
                found => Ok(found),
            },
            "set" => self.set(state, index),
            "cas" if known.unwrap_or(0) != self.index => stale("set"),
            // Of a check Consul reads what it wrote, and by that loses the reason why it could not.
            "cas" if matches!(self.entity, Entity::Check(_)) => {
                Ok(self.set(state, index).unwrap_or(Outcomes::None))
            }
            "cas" => self.set(state, index),
            "delete-cas" if known != Some(self.index) => stale("delete"),
            "delete" | "delete-cas" => {
                self.delete(state, index);
                Ok(Outcomes::None)
            }
            verb => Err(format!("unknown {} verb {}", self.kind(), go::quoted(verb))),
        }
    }

    fn set(&self, state: &mut State, index: u64) -> Result<Outcomes> {
        match &self.entity {
            Entity::Node(node) => state.set_node(index, node.clone())?,
            Entity::Service(node, service) => state.set_service(index, node, service.clone())?,
            Entity::Check(check) => state.set_check(index, check.clone())?,
        }
        state.plan_sync(self.node());
        Ok(self.found(state))
    }

    fn delete(&self, state: &mut State, index: u64) {
        match &self.entity {
            Entity::Node(node) => state.delete_node(index, &node.node),
            Entity::Service(node, service) => state.delete_service(index, node, &service.id),
            Entity::Check(check) => state.delete_check(index, &check.node, &check.id),
        }
        state.plan_sync(self.node());
    }

    /// What there is at the moment.
    fn found(&self, state: &State) -> Outcomes {
        let catalog = state.catalog();
        match &self.entity {
            Entity::Node(node) if node.id.is_empty() => {
                catalog.node(&node.node).cloned().map_or(Outcomes::None, Outcomes::node)
            }
            Entity::Node(node) => {
                catalog.node_by_id(&node.id).cloned().map_or(Outcomes::None, Outcomes::node)
            }
            Entity::Service(node, service) => {
                let found = catalog.service(node, &service.id).cloned();
                found.map_or(Outcomes::None, Outcomes::service)
            }
            Entity::Check(check) => {
                let found = catalog.check(&check.node, &check.id).cloned();
                found.map_or(Outcomes::None, Outcomes::check)
            }
        }
    }

    /// When it was last changed; none where it does not exist.
    fn current_index(&self, state: &State) -> Option<u64> {
        let catalog = state.catalog();
        match &self.entity {
            Entity::Node(node) => catalog.node(&node.node).map(|node| node.modify_index),
            Entity::Service(node, service) => {
                catalog.service(node, &service.id).map(|service| service.modify_index)
            }
            Entity::Check(check) => {
                catalog.check(&check.node, &check.id).map(|check| check.modify_index)
            }
        }
    }

    fn node(&self) -> &str {
        match &self.entity {
            Entity::Node(node) => &node.node,
            Entity::Service(node, _) => node,
            Entity::Check(check) => &check.node,
        }
    }

    fn kind(&self) -> &'static str {
        match &self.entity {
            Entity::Node(_) => "Node",
            Entity::Service(..) => "Service",
            Entity::Check(_) => "Check",
        }
    }

    /// As Consul's errors call it.
    fn name(&self) -> String {
        let node = go::quoted(self.node());
        match &self.entity {
            Entity::Node(_) => format!("node {node}"),
            Entity::Service(_, service) => {
                format!("service {} on node {node}", go::quoted(&service.id))
            }
            Entity::Check(check) => format!("check {} on node {node}", go::quoted(&check.id)),
        }
    }
}

fn index_of(fields: &Fields<'_>) -> Result<u64> {
    Ok(fields.u64("ModifyIndex")?.unwrap_or_default())
}
