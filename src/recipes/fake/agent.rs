//! The part of the fake that is an agent: services, their checks and maintenance. A TTL that runs
//! out is not noticed: tests look at when heartbeats come.

use super::{parameter, path};
use crate::transport::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is registered, by id.
#[derive(Default)]
pub(super) struct Agent {
    services: BTreeMap<String, Registered>,
}

#[derive(Clone, Default)]
struct Registered {
    definition: Value,
    checks: BTreeMap<String, AgentCheck>,
}

/// A check as the agent has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgentCheck {
    pub(crate) status: String,
    pub(crate) output: String,
    notes: String,
}

const DONE: (u16, String) = (200, String::new());

impl Agent {
    /// It starts anew with empty data.
    pub(super) fn wipe(&mut self) {
        self.services.clear();
    }

    pub(super) fn check(&self, id: &str) -> Option<AgentCheck> {
        self.services.values().find_map(|service| service.checks.get(id)).cloned()
    }

    /// Somebody removes a check.
    pub(super) fn remove_check(&mut self, id: &str) {
        for service in self.services.values_mut() {
            service.checks.remove(id);
        }
    }

    /// Somebody adds a check.
    pub(super) fn add_check(&mut self, service: &str, id: &str) {
        let service = self.services.get_mut(service).unwrap();
        service.checks.insert(id.to_string(), AgentCheck::default());
    }

    pub(super) fn port(&self, id: &str) -> Option<u64> {
        self.services.get(id)?.definition["Port"].as_u64()
    }

    pub(super) fn answer(&mut self, method: Method, target: &str, body: &str) -> (u16, String) {
        let path = path(target).replace("%3A", ":");
        let rest = path.strip_prefix("/v1/agent/").unwrap();
        let (area, id) = rest.rsplit_once('/').unwrap();
        match (method, area, id) {
            (Method::Put, "service", "register") => {
                let replaces = parameter(target, "replace-existing-checks").is_some();
                self.register(serde_json::from_str(body).unwrap(), replaces)
            }
            (Method::Put, "service/deregister", id) => {
                self.services.remove(id);
                DONE
            }
            (Method::Put, "check/deregister", id) => {
                self.remove_check(id);
                DONE
            }
            (Method::Put, "check/update", id) => self.update(id, body),
            (Method::Put, "service/maintenance", id) => self.maintain(id, target),
            (Method::Get, "health/service/id", id) => self.health(id),
            _ => panic!("the fake agent does not know {target}"),
        }
    }

    fn register(&mut self, definition: Value, replaces: bool) -> (u16, String) {
        let id = definition.get("ID").unwrap_or(&definition["Name"]).as_str().unwrap().to_string();
        let service = self.services.entry(id).or_default();
        let before = service.checks.clone();
        if replaces {
            service.checks.clear();
        }
        for check in definition["Checks"].as_array().unwrap_or(&Vec::new()) {
            let id = check["CheckID"].as_str().unwrap().to_string();
            let first = check["Status"].as_str().unwrap_or("critical").to_string();
            let new = AgentCheck { status: first, ..AgentCheck::default() };
            let check = before.get(&id).cloned().unwrap_or(new);
            service.checks.insert(id, check);
        }
        service.definition = definition;
        DONE
    }

    fn update(&mut self, id: &str, body: &str) -> (u16, String) {
        let mut checks = self.services.values_mut();
        let Some(check) = checks.find_map(|service| service.checks.get_mut(id)) else {
            return (500, format!("CheckID \"{id}\" does not have associated TTL"));
        };
        let update: Value = serde_json::from_str(body).unwrap();
        check.status = update["Status"].as_str().unwrap().to_string();
        check.output = update["Output"].as_str().unwrap().to_string();
        DONE
    }

    fn maintain(&mut self, id: &str, target: &str) -> (u16, String) {
        let Some(service) = self.services.get_mut(id) else {
            return (404, format!("Unknown service \"{id}\""));
        };
        let check = format!("_service_maintenance:{id}");
        if parameter(target, "enable") == Some("true") {
            let notes = parameter(target, "reason").unwrap_or_default().to_string();
            let status = "critical".to_string();
            service.checks.insert(check, AgentCheck { status, notes, ..AgentCheck::default() });
        } else {
            service.checks.remove(&check);
        }
        DONE
    }

    fn health(&self, id: &str) -> (u16, String) {
        let Some(service) = self.services.get(id) else {
            return (404, format!("ServiceId {id} not found"));
        };
        let mut found = service.definition.clone();
        found["Service"] = found["Name"].clone();
        let checks = service.checks.iter().map(|(check, found)| {
            json!({"CheckID": check, "ServiceID": id, "Status": found.status,
                "Notes": found.notes, "Output": found.output})
        });
        let checks: Vec<_> = checks.collect();
        let passes = service.checks.values().all(|check| check.status == "passing");
        let (http, word) = if passes { (200, "passing") } else { (503, "critical") };
        let answer = json!({"AggregatedStatus": word, "Service": found, "Checks": checks});
        (http, answer.to_string())
    }
}
