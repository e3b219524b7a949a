//! How a cluster is, put together from what its servers say and what this client has seen.

use super::{AutopilotHealth, Operator, RaftPeer, ServerHealth};
use crate::client::{Client, Either, EndpointStats, Style};
use crate::config::Options;
use crate::error::{Error, Result};
use serde::Serialize;
use std::time::Duration;

/// How a cluster is. A part that could not be had says so in `missing`; the others are there all the
/// same, so that it tells something, too, while there is no leader or the token may not ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClusterReport {
    /// The leader, as `address:port`; none while there is none.
    pub leader: Option<String>,
    /// The servers that vote, each as `address:port`.
    pub peers: Vec<String>,
    /// Whether autopilot finds all servers healthy; none where it was not to be asked.
    pub healthy: Option<bool>,
    /// How many servers may fail until there is no leader any more.
    pub failure_tolerance: Option<u64>,
    /// The servers, as Raft and autopilot have them.
    pub servers: Vec<ServerReport>,
    /// The addresses of this client in their order, and what has come of it.
    pub endpoints: Vec<EndpointReport>,
    /// What could not be had.
    pub missing: Vec<Missing>,
}

/// A server of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerReport {
    /// Its id.
    pub id: String,
    /// The name of its node.
    pub node: String,
    /// Its address for Raft.
    pub address: String,
    /// Whether it leads.
    pub leader: bool,
    /// Whether it votes.
    pub voter: bool,
    /// Whether autopilot finds it healthy; none where it says nothing of it.
    pub healthy: Option<bool>,
    /// What gossip says of it: `alive`, `failed`, ...
    pub gossip: Option<String>,
    /// Its version of Consul.
    pub version: Option<String>,
    /// How long ago it heard from the leader, in Consul's syntax.
    pub last_contact: Option<String>,
}

/// What this client has seen of one of its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EndpointReport {
    /// The address.
    pub address: String,
    /// How its agent is: `up`, `no leader` or `down`.
    pub state: &'static str,
    /// Whether calls go there at the moment.
    pub in_use: bool,
    /// Whether it answered last, whatever the answer; none before the first time.
    pub reachable: Option<bool>,
    /// Requests that were sent to it.
    pub requests: u64,
    /// Those of them that it did not serve.
    pub failures: u64,
    /// How many failed since the last one that was served.
    pub consecutive_failures: u64,
    /// How long ago it answered.
    pub last_answer_ms: Option<u64>,
    /// What is wrong with it, where something is.
    pub error: Option<String>,
}

/// A part that could not be had, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `leader`, `peers`, `raft` or `health`.
    pub part: &'static str,
    /// The reason.
    pub reason: String,
}

impl<S: Style> Operator<'_, S> {
    /// How the cluster is. The leader and the peers need no token, the rest the right to read as
    /// `operator`. Each of up to four calls has the time that the options allow; where Consul
    /// cannot be reached, it ends with the first.
    pub fn cluster_report(&self, options: &Options) -> Result<S::Output<ClusterReport>> {
        let options = Options { index: 0, ..options.clone() };
        self.client.run(move |client| async move { report(&client, &options).await })
    }
}

async fn report(client: &Client<Either>, options: &Options) -> Result<ClusterReport> {
    let mut report = ClusterReport::default();
    let leader = ask(client.status().leader(options)).await;
    let away = leader.as_ref().is_err_and(is_away);
    report.leader = report.part("leader", leader.map(|answer| answer.value))?.flatten();
    if !away {
        let peers = ask(client.status().peers(options)).await;
        report.peers = report.part("peers", peers)?.map(|answer| answer.value).unwrap_or_default();
        let raft = ask(client.operator().raft_peers(options)).await;
        let raft = report.part("raft", raft)?;
        let health = ask(client.operator().autopilot_health(options)).await;
        let health = report.part("health", health)?.map(|answer| answer.value);
        report.healthy = health.as_ref().map(|health| health.healthy);
        report.failure_tolerance = health.as_ref().map(|health| health.failure_tolerance);
        report.servers = servers(raft.unwrap_or_default(), health.unwrap_or_default());
    }
    report.endpoints = client.endpoints().iter().map(EndpointReport::from).collect();
    Ok(report)
}

async fn ask<T: Send + 'static>(call: Result<crate::client::Outcome<T>>) -> Result<T> {
    call?.await
}

impl ClusterReport {
    /// A part, or none and why. What the program itself ended is no report.
    fn part<T>(&mut self, part: &'static str, answer: Result<T>) -> Result<Option<T>> {
        use crate::error::Status::{Argument, Cancelled, Closed, Interrupted};
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(error) if matches!(error.status(), Argument | Cancelled | Closed | Interrupted) => {
                Err(error)
            }
            Err(error) => {
                self.missing.push(Missing { part, reason: error.message().to_string() });
                Ok(None)
            }
        }
    }
}

/// Nothing else will be answered, either.
fn is_away(error: &Error) -> bool {
    use crate::error::Status::{Connect, Io, Timeout, Tls};
    matches!(error.status(), Connect | Io | Timeout | Tls)
}

/// The servers of Raft with what autopilot says of each, and those that autopilot alone has.
fn servers(raft: Vec<RaftPeer>, health: AutopilotHealth) -> Vec<ServerReport> {
    let mut rest = health.servers;
    let mut servers = Vec::with_capacity(raft.len().max(rest.len()));
    for peer in raft {
        let known = rest.iter().position(|server| server.id == peer.id);
        let known = known.map(|place| rest.remove(place));
        let report = ServerReport {
            id: peer.id,
            node: peer.node,
            address: peer.address,
            leader: peer.leader,
            voter: peer.voter,
            ..ServerReport::default()
        };
        servers.push(match known {
            Some(known) => report.with(known),
            None => report,
        });
    }
    servers.extend(rest.into_iter().map(|known| {
        let report = ServerReport {
            id: known.id.clone(),
            node: known.name.clone(),
            address: known.address.clone(),
            leader: known.leader,
            voter: known.voter,
            ..ServerReport::default()
        };
        report.with(known)
    }));
    servers
}

impl ServerReport {
    fn with(self, health: ServerHealth) -> ServerReport {
        ServerReport {
            healthy: Some(health.healthy),
            gossip: Some(health.serf_status),
            version: Some(health.version),
            last_contact: Some(health.last_contact),
            ..self
        }
    }
}

impl From<&EndpointStats> for EndpointReport {
    fn from(seen: &EndpointStats) -> EndpointReport {
        let milliseconds = |ago: Duration| u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        EndpointReport {
            address: seen.address.clone(),
            state: seen.condition.as_str(),
            in_use: seen.in_use,
            reachable: seen.reachable,
            requests: seen.requests,
            failures: seen.failures,
            consecutive_failures: seen.consecutive_failures,
            last_answer_ms: seen.last_answer.map(milliseconds),
            error: seen.problem().map(|error| error.message().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raft_and_autopilot_are_put_together_by_id() {
        let peer = |id: &str| RaftPeer { id: id.into(), voter: true, ..RaftPeer::default() };
        let known = |id: &str| ServerHealth {
            id: id.into(),
            healthy: true,
            serf_status: "alive".into(),
            ..ServerHealth::default()
        };
        let health =
            AutopilotHealth { servers: vec![known("c"), known("a")], ..AutopilotHealth::default() };
        let servers = servers(vec![peer("a"), peer("b")], health);
        let seen: Vec<_> = servers.iter().map(|s| (s.id.as_str(), s.voter, s.healthy)).collect();
        assert_eq!(seen, [("a", true, Some(true)), ("b", true, None), ("c", false, Some(true))]);
    }
}
