//! What the agent has of a service, and whether it is what it should be.

use crate::api::Check;
use crate::api::Service;
use crate::api::agent::{ServiceDefinition, ServiceHealth};

/// The check by which an agent keeps a service in maintenance (agent/agent.go).
const MAINTENANCE: &str = "_service_maintenance:";

/// What an agent has of a service.
pub(super) struct Found(ServiceHealth);

impl Found {
    pub(super) fn new(health: ServiceHealth) -> Found {
        Found(health)
    }

    /// Why it is in maintenance, when it is.
    pub(super) fn maintenance(&self) -> Option<String> {
        let check = self.own_checks().find(|check| check.id.starts_with(MAINTENANCE))?;
        Some(check.notes.clone())
    }

    /// The checks that it has and that are not in this definition.
    pub(super) fn leftovers(&self, definition: &ServiceDefinition) -> Vec<String> {
        let wanted = definition.check_ids();
        let left = self.own_checks().map(|check| &check.id);
        let left = left.filter(|id| !id.starts_with(MAINTENANCE) && !wanted.contains(*id));
        left.cloned().collect()
    }

    /// Whether it is as this definition has it, as far as an agent tells: it does not say how a
    /// check is run, and writes proxies in words of its own.
    pub(super) fn is(&self, definition: &ServiceDefinition) -> bool {
        let has = |id: &String| self.own_checks().any(|check| check.id == *id);
        same_service(&self.0.service, definition.service())
            && definition.check_ids().iter().all(has)
            && self.leftovers(definition).is_empty()
    }

    fn own_checks(&self) -> impl Iterator<Item = &Check> {
        self.0.checks.iter().filter(|check| !check.service_id.is_empty())
    }
}

fn same_service(found: &Service, wanted: &Service) -> bool {
    // The agent adds addresses of its own.
    let mut tagged = wanted.tagged_addresses.iter();
    found.name == wanted.name
        && found.address == wanted.address
        && found.port == wanted.port
        && found.kind == wanted.kind
        && found.meta == wanted.meta
        && found.weights == wanted.weights
        && found.enable_tag_override == wanted.enable_tag_override
        // With the override others may change them.
        && (wanted.enable_tag_override || found.tags == wanted.tags)
        && tagged.all(|(name, address)| found.tagged_addresses.get(name) == Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::agent::CheckDefinition;
    use std::time::Duration;

    fn wanted() -> ServiceDefinition {
        let check = CheckDefinition::new("").ttl(Duration::from_secs(1));
        ServiceDefinition::new("web").port(80).tag("a").meta("v", "1").check(check)
    }

    fn found(checks: &[&str]) -> ServiceHealth {
        let checks = checks.iter().map(|id| Check {
            id: (*id).into(),
            service_id: "web".into(),
            notes: "repairs".into(),
            ..Check::default()
        });
        let mut service = wanted().service().clone();
        service.id = "web".into();
        ServiceHealth { service, checks: checks.collect(), ..ServiceHealth::default() }
    }

    #[test]
    fn a_difference_that_matters_is_seen() {
        assert!(Found::new(found(&["service:web"])).is(&wanted()));
        assert!(!Found::new(found(&[])).is(&wanted()));
        assert!(!Found::new(found(&["service:web", "old"])).is(&wanted()));
        let mut other = found(&["service:web"]);
        other.service.port = 81;
        assert!(!Found::new(other).is(&wanted()));
        let mut other = found(&["service:web"]);
        other.service.tags = vec!["b".into()];
        assert!(!Found::new(other.clone()).is(&wanted()));
        other.service.enable_tag_override = true;
        assert!(Found::new(other).is(&wanted().enable_tag_override(true)));
    }

    #[test]
    fn a_node_check_and_maintenance_are_no_leftovers() {
        let mut health = found(&["service:web", "_service_maintenance:web"]);
        health.checks.push(Check { id: "serfHealth".into(), ..Check::default() });
        let found = Found::new(health);
        assert!(found.is(&wanted()) && found.leftovers(&wanted()).is_empty());
        assert_eq!(found.maintenance().as_deref(), Some("repairs"));
    }
}
