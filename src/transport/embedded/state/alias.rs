//! Checks that stand for what they name: another service, or a whole node
//! (<https://github.com/hashicorp/consul/blob/v1.8.7/agent/checks/alias.go>).

use super::{CRITICAL, Check, Definition, PASSING, State, WARNING};

/// What an alias check stands for.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// Empty for the agent's own.
    node: String,
    /// Empty for the node as a whole.
    service: String,
}

impl Alias {
    pub(super) fn of(definition: &Definition) -> Option<Alias> {
        let (node, service) = (definition.alias_node.clone(), definition.alias_service.clone());
        definition.is_alias().then_some(Alias { node, service })
    }
}

impl State {
    /// Lets every alias check say what is so now.
    pub(super) fn follow_aliases(&mut self) {
        if self.local().aliases.is_empty() {
            return;
        }
        let aliases: Vec<_> = self.local().aliases.clone().into_iter().collect();
        let mut changed = false;
        for (id, alias) in aliases {
            let (status, output) = self.health_of_alias(&alias);
            let known = self.local().check(&id);
            if known.is_some_and(|check| check.status != status || check.output != output) {
                self.update_check(&id, status, &output);
                changed = true;
            }
        }
        if changed {
            self.sync_changes();
        }
    }

    fn health_of_alias(&self, alias: &Alias) -> (&'static str, String) {
        let Alias { node, service } = alias;
        let concerns = |check: &&Check| check.service_id.is_empty() || check.service_id == *service;
        let (checks, exists): (Vec<&Check>, _) = if node.is_empty() {
            (self.local().checks().collect(), self.local().service(service).is_some())
        } else {
            let catalog = self.catalog();
            (catalog.checks_of(node).collect(), catalog.service(node, service).is_some())
        };
        let checks: Vec<&Check> = checks.into_iter().filter(concerns).collect();
        let is_known = exists || checks.iter().any(|check| check.service_id == *service);
        if !is_known {
            let text = format!("Service {service} could not be found on node {node}");
            return (CRITICAL, text);
        }
        let failing =
            |check: &Check| format!("Aliased check {:?} failing: {}", check.name, check.output);
        let with = |status: &str| checks.iter().rev().find(|check| check.status == status);
        match (with(CRITICAL), with(WARNING)) {
            (Some(check), _) => (CRITICAL, failing(check)),
            (None, Some(check)) => (WARNING, failing(check)),
            (None, None) if checks.is_empty() => (PASSING, "No checks found.".to_owned()),
            (None, None) => (PASSING, "All checks passing.".to_owned()),
        }
    }
}
