//! A node's part in a cluster of nodes: who is in it, who leads, and who owns which key.
//!
//! Each member has a key of its own, which its session holds: `tsdb/cluster/nodes/ID` with its id,
//! address, weight and metadata as JSON. When a member dies its session ends, and the key is held no
//! more, and deleted by another one when it does not come back; when it leaves it deletes the key.
//! Members that come and go do not reshuffle the keys, and while Consul is away the last state stays.
//!
//! ```no_run
//! use consul_ffi::recipes::cluster::ClusterSpec;
//! use consul_ffi::{Client, Config};
//! use std::time::Duration;
//!
//! # fn main() -> consul_ffi::Result<()> {
//! let client = Client::new(&Config::new())?;
//! let cluster = client.join_cluster(ClusterSpec::new("node-1", "10.0.0.1:7000").min_nodes(3))?;
//! cluster.wait_joined(Duration::from_secs(5))?;
//! let state = cluster.state();
//! if let Some(node) = state.node_for_key(b"AAPL") {
//!     println!("AAPL is at {}", node.address);
//! }
//! cluster.leave()?;
//! # Ok(())
//! # }
//! ```

mod forget;
mod leaving;
mod member;
mod presence;
mod roster;
mod settling;
mod shared;
mod spec;
mod state;
#[cfg(test)]
mod tests;

pub use member::{Member, MemberState};
pub use spec::ClusterSpec;
pub use state::{ClusterListener, ClusterNews, ClusterState};

use crate::client::{Blocking, Client, Deferred, Style};
use crate::error::Result;
use crate::observe::Stats;
use crate::recipes::owned::Owned;
use crate::ring::check_node;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;

/// A node's part in a cluster.
///
/// Its session is renewed, its key held and the others' watched by the library; when the session is
/// lost it joins again by itself. Its newest [`ClusterState`] is read without a lock. Dropping it
/// leaves in the background. Any method from any thread.
///
/// Its calls end in the style of the client that it was made through.
///
/// In a forked child it stays its parent's, which goes on as a member: calls give `Status::Forked`,
/// [`Cluster::state`] is what was known at the fork, [`Cluster::is_leader`] is false, and dropping it
/// leaves nothing.
pub struct Cluster<S: Style = Blocking>(Owned<Shared, S>);

impl<S: Style> Client<S> {
    /// Joins a cluster: begins to, and goes on in the background until it is left. An error when
    /// the description cannot be; that Consul is away is none, and [`Cluster::wait_joined`] tells
    /// when it has worked.
    pub fn join_cluster(&self, spec: ClusterSpec) -> Result<Cluster<S>> {
        let spec = spec.checked(self.settings().min_session_ttl)?;
        let shared = Shared::start(&self.blocking(), spec)?;
        Ok(Cluster(Owned::new(shared, self.style())))
    }
}

impl<S: Style> Cluster<S> {
    /// The same, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> Cluster<Deferred> {
        self.styled(Deferred)
    }

    /// The same, whose calls wait for their end.
    pub fn blocking(&self) -> Cluster {
        self.styled(Blocking)
    }

    /// The same, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> Cluster<T> {
        Cluster(self.0.styled(style))
    }

    /// Its own id.
    pub fn id(&self) -> &str {
        &self.0.glance().place.id
    }

    /// The newest state. Takes no lock and makes no system call.
    pub fn state(&self) -> Arc<ClusterState> {
        self.0.glance().state()
    }

    /// The same without counting who has it.
    pub(crate) fn glance(&self) -> arc_swap::Guard<Arc<ClusterState>> {
        self.0.glance().glance()
    }

    /// How long ago Consul confirmed the list of members, as far as an answer can tell; `None` when
    /// it never did, and in a forked child. While Consul is away the state stays, and this grows.
    pub fn age(&self) -> Option<Duration> {
        self.0.shared().ok()?.age()
    }

    /// Whether as many members live as [`ClusterSpec::min_nodes`] says.
    pub fn has_enough_nodes(&self) -> bool {
        self.0.glance().glance().living() >= self.0.glance().min_nodes
    }

    /// Whether this node leads, judged by the clock at this moment. Makes no request.
    pub fn is_leader(&self) -> bool {
        self.0.glance().is_leader()
    }

    /// The id of the node that leads: as it was seen last where that is another one, and this node's
    /// exactly while [`Cluster::is_leader`] says so. `None` when none does. Makes no request.
    pub fn leader(&self) -> Option<String> {
        self.0.glance().leader()
    }

    /// Waits until it has joined, and sees itself among the members. `Status::Timeout` when it has
    /// not in time, with the last failure in its message; `Cancelled` or `Closed` once it is left or
    /// its client is closed.
    pub fn wait_joined(&self, timeout: Duration) -> Result<S::Output<()>> {
        self.0.run(move |shared, client| async move { shared.wait_joined(&client, timeout).await })
    }

    /// Waits for a state that is newer than this version; `None` when there was none in time. Read the
    /// version before you look, or a change in between is missed; [`Cluster::is_leader`] changes it too.
    /// `Status::Cancelled` or `Closed` once it is left or its client is closed.
    pub fn wait_change(
        &self,
        version: u64,
        timeout: Duration,
    ) -> Result<S::Output<Option<Arc<ClusterState>>>> {
        self.0.run(move |shared, client| async move {
            let is_newer = shared.wait_newer(&client, version, timeout).await?;
            Ok(is_newer.then(|| shared.state()))
        })
    }

    /// Has this listener told of each change from now on, and no other. None ends that.
    /// `Status::Cancelled` or `Closed` once it is left or its client is closed.
    pub fn set_listener(&self, listener: Option<ClusterListener>) -> Result<()> {
        self.0.shared()?.listen(listener)
    }

    /// Changes its weight, 1 to 1,000. Returns at once.
    pub fn set_weight(&self, weight: u32) -> Result<()> {
        check_node(self.id(), weight)?;
        self.0.shared()?.change(|record| record.weight = weight)
    }

    /// Says something of itself; `None` takes it back. Returns at once.
    pub fn set_metadata(&self, name: &str, value: Option<&str>) -> Result<()> {
        spec::check_metadata(name, value.unwrap_or_default())?;
        self.0.shared()?.change(|record| {
            match value {
                Some(value) => record.metadata.insert(name.to_string(), value.to_string()),
                None => record.metadata.remove(name),
            };
        })
    }

    /// Leaves: gives up the lead, deletes its key, so that the others know at once, destroys its session, and says how
    /// that went. After an error the library goes on trying in the background for two TTLs, when the
    /// session has ended by itself.
    pub fn leave(&self) -> Result<S::Output<()>> {
        self.0.run(move |shared, client| async move { shared.leave(&client).await })
    }

    /// How its own part is getting on: `joining`, `joined`, `leaving` or `left`; `forked` in
    /// a forked child. Never blocks.
    pub fn stats(&self) -> Stats {
        self.0.stats(Shared::stats)
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.0.abandon();
    }
}
