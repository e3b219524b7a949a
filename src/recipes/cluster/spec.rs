//! What a node joins a cluster with.

use super::member::Record;
use super::roster::Damping;
use crate::api::kv::{check_key, check_prefix};
use crate::api::session::{Behavior, SessionSpec};
use crate::config::Options;
use crate::error::{Error, Result};
use crate::recipes::session::DEFAULT_TTL;
use crate::ring::check_node;
use std::time::Duration;

/// Where a cluster is where nobody says otherwise.
const DEFAULT_PREFIX: &str = "tsdb/cluster/";

/// As Consul has it.
const DEFAULT_LOCK_DELAY: Duration = Duration::from_secs(15);

const DEFAULT_DAMPING: Damping = Damping {
    leave_after: Duration::from_secs(5),
    join_after: Duration::from_secs(10),
    outage_hold: Duration::from_secs(60),
};

/// What a node joins a cluster with.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    record: Record,
    prefix: String,
    nodes_prefix: Option<String>,
    leader_key: Option<String>,
    ttl: Duration,
    min_nodes: usize,
    campaigns: bool,
    lock_delay: Duration,
    damping: Damping,
    options: Options,
}

impl ClusterSpec {
    /// A node of this id, which no other member has, reached at this address: of weight 1, under
    /// `tsdb/cluster/`, with a session of 15 s; it runs for leader.
    pub fn new(id: impl Into<String>, address: impl Into<String>) -> ClusterSpec {
        let record = Record { id: id.into(), address: address.into(), ..Record::default() };
        ClusterSpec {
            record,
            prefix: DEFAULT_PREFIX.to_string(),
            nodes_prefix: None,
            leader_key: None,
            ttl: DEFAULT_TTL,
            min_nodes: 1,
            campaigns: true,
            lock_delay: DEFAULT_LOCK_DELAY,
            damping: DEFAULT_DAMPING,
            options: Options::new(),
        }
    }

    /// How large its share of the keys is, beside the others' weights: 1 to 1,000.
    pub fn weight(mut self, weight: u32) -> ClusterSpec {
        self.record.weight = weight;
        self
    }

    /// Something that it says of itself.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> ClusterSpec {
        self.record.metadata.insert(name.into(), value.into());
        self
    }

    /// Under which keys the cluster is: its members under `nodes/` there, its leader at `leader`. A
    /// slash in front is left out, as Consul's HTTP server does, and one at the end is added.
    pub fn prefix(mut self, prefix: impl Into<String>) -> ClusterSpec {
        self.prefix = prefix.into();
        self
    }

    /// Under which keys the members are, where that is somewhere else.
    pub fn nodes_prefix(mut self, prefix: impl Into<String>) -> ClusterSpec {
        self.nodes_prefix = Some(prefix.into());
        self
    }

    /// The key of the leader, where that is somewhere else.
    pub fn leader_key(mut self, key: impl Into<String>) -> ClusterSpec {
        self.leader_key = Some(key.into());
        self
    }

    /// How long its session lives without being renewed: a member that dies is suspect after one to
    /// two of these. 10 s (`min_session_ttl_ms`) to 24 h.
    pub fn ttl(mut self, ttl: Duration) -> ClusterSpec {
        self.ttl = ttl;
        self
    }

    /// How many living members are enough.
    pub fn min_nodes(mut self, min_nodes: usize) -> ClusterSpec {
        self.min_nodes = min_nodes;
        self
    }

    /// Whether it runs for leader. One that does not still sees who leads.
    pub fn campaigns(mut self, campaigns: bool) -> ClusterSpec {
        self.campaigns = campaigns;
        self
    }

    /// For how long nobody can lead after a leader has died: 0 to 60 s, 15 s by default. Not after
    /// one that left.
    pub fn lock_delay(mut self, lock_delay: Duration) -> ClusterSpec {
        self.lock_delay = lock_delay;
        self
    }

    /// How long a member whose session ended stays in the ring, since it may come back; 5 s by
    /// default. One that leaves is out of it at once.
    pub fn leave_after(mut self, leave_after: Duration) -> ClusterSpec {
        self.damping.leave_after = leave_after;
        self
    }

    /// How long a member that was out of the ring has to last before it is in it again; 10 s by
    /// default. One that is new is in it at once.
    pub fn join_after(mut self, join_after: Duration) -> ClusterSpec {
        self.damping.join_after = join_after;
        self
    }

    /// How long the ring stays as it is when more than half of it is lost together, which is an
    /// outage rather than they; 60 s by default. As long as nobody lives at all it stays in any case.
    pub fn outage_hold(mut self, outage_hold: Duration) -> ClusterSpec {
        self.damping.outage_hold = outage_hold;
        self
    }

    /// With what token, datacenter, namespace and partition it is done. The rest is not used.
    pub fn options(mut self, options: &Options) -> ClusterSpec {
        self.options = options.scope();
        self
    }

    /// What will do, or what is wrong with it.
    pub(super) fn checked(self, min_session_ttl: Duration) -> Result<Checked> {
        let record = self.record;
        check_node(&record.id, record.weight)?;
        check_id(&record.id)?;
        record.metadata.iter().try_for_each(|(name, value)| check_metadata(name, value))?;
        let prefix = folder(&self.prefix);
        let nodes_prefix = self.nodes_prefix.map_or(format!("{prefix}nodes/"), |own| folder(&own));
        let leader_key = self.leader_key.map_or(format!("{prefix}leader"), |own| key(&own));
        check_prefix(&nodes_prefix)?;
        let node_key = format!("{nodes_prefix}{}", record.id);
        check_key(&node_key)?;
        check_key(&leader_key)?;
        if leader_key.starts_with(&nodes_prefix) {
            return Err(Error::argument(format!(
                "the leader key \"{leader_key}\" is among the nodes, under \"{nodes_prefix}\""
            )));
        }
        // Without a lock-delay one that comes back need not wait. The key stays when the session
        // ends, so the others can tell one who died from one who left.
        let session = SessionSpec::new()
            .name(format!("cluster node {}", record.id))
            .ttl(self.ttl)
            .lock_delay(Duration::ZERO)
            .behavior(Behavior::Release);
        if self.ttl.is_zero() {
            return Err(Error::argument("a cluster's session needs a TTL"));
        }
        session.check(min_session_ttl)?;
        let id = record.id.clone();
        Ok(Checked {
            place: Place { id, node_key, nodes_prefix, leader_key },
            record,
            session,
            min_nodes: self.min_nodes,
            campaigns: self.campaigns,
            lock_delay: self.lock_delay,
            damping: self.damping,
            options: self.options,
        })
    }
}

/// A description that was checked.
pub(super) struct Checked {
    pub(super) place: Place,
    pub(super) record: Record,
    pub(super) session: SessionSpec,
    pub(super) min_nodes: usize,
    pub(super) campaigns: bool,
    pub(super) lock_delay: Duration,
    pub(super) damping: Damping,
    pub(super) options: Options,
}

/// Who it is, and where everything is.
pub(super) struct Place {
    pub(super) id: String,
    pub(super) node_key: String,
    pub(super) nodes_prefix: String,
    pub(super) leader_key: String,
}

fn check_id(id: &str) -> Result<()> {
    match id.contains('/') {
        true => Err(Error::argument(format!(
            "the node id \"{}\" has a slash, which is not allowed",
            id.escape_debug()
        ))),
        false => Ok(()),
    }
}

/// Refuses metadata that C could not read.
pub(super) fn check_metadata(name: &str, value: &str) -> Result<()> {
    match name.contains('\0') || value.contains('\0') {
        true => Err(Error::argument(format!(
            "the metadata \"{}\" has a NUL, which is not allowed",
            name.escape_debug()
        ))),
        false => Ok(()),
    }
}

/// A key as Consul's HTTP server stores it: without the slash in front.
fn key(text: &str) -> String {
    text.strip_prefix('/').unwrap_or(text).to_string()
}

fn folder(text: &str) -> String {
    let text = key(text);
    if text.is_empty() || text.ends_with('/') { text } else { text + "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(10);

    fn place(spec: ClusterSpec) -> Place {
        spec.checked(MIN).map(|checked| checked.place).unwrap_or_else(|error| panic!("{error}"))
    }

    fn wrong(spec: ClusterSpec) -> String {
        spec.checked(MIN).err().unwrap().message().to_string()
    }

    #[test]
    fn keys_with_a_slash_in_front_are_those_that_the_http_server_makes_of_them() {
        let by_default = place(ClusterSpec::new("a", ""));
        assert_eq!(by_default.node_key, "tsdb/cluster/nodes/a");
        assert_eq!(by_default.leader_key, "tsdb/cluster/leader");
        let original = ClusterSpec::new("a", "")
            .nodes_prefix("/tsdb/cluster/nodes/")
            .leader_key("/tsdb/cluster/leader");
        let original = place(original);
        assert_eq!(original.node_key, by_default.node_key);
        assert_eq!(original.leader_key, by_default.leader_key);
        assert_eq!(place(ClusterSpec::new("a", "").prefix("/x")).leader_key, "x/leader");
        assert_eq!(place(ClusterSpec::new("a", "").prefix("")).node_key, "nodes/a");
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        let spec = || ClusterSpec::new("a", "here");
        assert!(wrong(ClusterSpec::new("", "")).contains("empty"));
        assert!(wrong(ClusterSpec::new("a/b", "")).contains("slash"));
        assert!(wrong(ClusterSpec::new("..", "")).contains("segment"));
        assert!(wrong(spec().weight(0)).contains("weight 0"));
        assert!(wrong(spec().prefix("//x")).contains("slash"));
        assert!(wrong(spec().leader_key("")).contains("empty"));
        assert!(wrong(spec().leader_key("tsdb/cluster/nodes/l")).contains("among the nodes"));
        assert!(wrong(spec().ttl(Duration::from_secs(1))).contains("TTL"));
        assert!(wrong(spec().ttl(Duration::ZERO)).contains("TTL"));
    }
}
