//! Health: where a service runs, and how its instances are
//! (<https://developer.hashicorp.com/consul/api-docs/health>).

use super::answer::Answer;
use super::check::{AggregatedStatus, Check};
use super::input::required;
use super::json;
use super::node::Node;
use super::service::Service;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::str::FromStr;

/// An instance of a service with its node and the checks of both.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceEntry {
    /// The node it runs on.
    pub node: Node,
    /// The instance.
    pub service: Service,
    /// The checks of the instance and of its node.
    #[serde(deserialize_with = "json::nullable")]
    pub checks: Vec<Check>,
}

impl ServiceEntry {
    /// Where it listens: its own address, or else its node's.
    pub fn address(&self) -> &str {
        self.service.address_at(&self.node)
    }

    /// What its checks come to.
    pub fn status(&self) -> Option<AggregatedStatus> {
        AggregatedStatus::of(&self.checks)
    }
}

/// Which checks to list by their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All of them.
    Any,
    /// Those that pass.
    Passing,
    /// Those that warn.
    Warning,
    /// Those that are critical.
    Critical,
}

impl State {
    /// Consul's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Any => "any",
            State::Passing => "passing",
            State::Warning => "warning",
            State::Critical => "critical",
        }
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(word: &str) -> Result<State> {
        let all = [State::Any, State::Passing, State::Warning, State::Critical];
        all.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
            Error::argument(format!(
                "the state \"{}\" is not allowed, it is any, passing, warning or critical",
                word.escape_debug()
            ))
        })
    }
}

/// The health endpoints of a client. `near`, `filter`, node metadata, consistency and blocking are
/// the options'.
#[derive(Clone, Copy)]
pub struct Health<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// Where services run, and how they are.
    pub fn health(&self) -> Health<'_, S> {
        Health { client: self }
    }
}

impl<S: Style> Health<'_, S> {
    /// The instances of a service that have all of these tags; with `passing`, only those whose
    /// checks all pass, their node's included. None when there is no such service.
    pub fn service(
        &self,
        service: &str,
        passing: bool,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceEntry>>>> {
        self.entries("/v1/health/service/", service, passing, tags, options)
    }

    /// What to connect to in the service mesh for this service: its proxies, and those instances
    /// that speak for themselves.
    pub fn connect(
        &self,
        service: &str,
        passing: bool,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceEntry>>>> {
        self.entries("/v1/health/connect/", service, passing, tags, options)
    }

    /// The ingress gateways that let traffic in for this service.
    pub fn ingress(
        &self,
        service: &str,
        passing: bool,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceEntry>>>> {
        self.entries("/v1/health/ingress/", service, passing, tags, options)
    }

    /// The checks of a node and of what runs on it. None for a node that does not exist.
    pub fn node(&self, node: &str, options: &Options) -> Result<S::Output<Answer<Vec<Check>>>> {
        required(node, "node's name")?;
        self.list(Target::new("/v1/health/node/").segment(node), options)
    }

    /// The checks of a service's instances, those of their nodes left out.
    pub fn checks(
        &self,
        service: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<Check>>>> {
        required(service, "service's name")?;
        self.list(Target::new("/v1/health/checks/").segment(service), options)
    }

    /// The checks that are in this state.
    pub fn state(&self, state: State, options: &Options) -> Result<S::Output<Answer<Vec<Check>>>> {
        self.list(Target::new("/v1/health/state/").segment(state.as_str()), options)
    }

    fn entries(
        &self,
        path: &str,
        service: &str,
        passing: bool,
        tags: &[&str],
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<ServiceEntry>>>> {
        required(service, "service's name")?;
        let mut target = Target::new(path).segment(service);
        for tag in tags {
            target = target.param("tag", tag);
        }
        if passing {
            target = target.flag("passing");
        }
        json::fetch_list(self.client, Call::get(target, options))
    }

    fn list(&self, target: Target, options: &Options) -> Result<S::Output<Answer<Vec<Check>>>> {
        json::fetch_list(self.client, Call::get(target, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_nulls_and_missing_fields_is_read() {
        let text = r#"{
            "Node": {"Node": "n", "Address": "10.0.0.1", "TaggedAddresses": null, "Meta": null},
            "Service": {"ID": "web-1", "Service": "web", "Tags": null, "Meta": null, "Port": 80,
                "Address": "", "Weights": null, "Proxy": {"MeshGateway": {}}, "Connect": null},
            "Checks": null
        }"#;
        let entry: ServiceEntry = serde_json::from_str(text).unwrap();
        assert_eq!(entry.address(), "10.0.0.1");
        assert_eq!(entry.status(), Some(AggregatedStatus::Passing));
        assert_eq!((entry.service.port, entry.service.weights.passing), (80, 1));
        assert!(entry.service.tags.is_empty() && entry.node.meta.is_empty());
    }

    #[test]
    fn an_instance_with_an_address_of_its_own_keeps_it() {
        let text = r#"{"Node":{"Address":"10.0.0.1"},"Service":{"Address":"10.0.0.2"}}"#;
        let entry: ServiceEntry = serde_json::from_str(text).unwrap();
        assert_eq!(entry.address(), "10.0.0.2");
    }

    #[test]
    fn a_state_that_is_none_names_those_that_are() {
        assert_eq!("any".parse(), Ok(State::Any));
        let error = "maintenance".parse::<State>().unwrap_err();
        assert_eq!(
            error.message(),
            "the state \"maintenance\" is not allowed, it is any, passing, warning or critical"
        );
    }
}
