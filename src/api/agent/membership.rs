//! The agent's membership of the cluster: to join it, to leave it, to put others out.

use super::{Agent, target};
use crate::api::input::required;
use crate::client::{Call, Style, Target};
use crate::config::Options;
use crate::error::Result;

impl<S: Style> Agent<'_, S> {
    /// Makes the agent join the cluster of which the agent at this address, `host` or
    /// `host:port of its gossip`, is a member; with `wan`, the pool that joins the datacenters.
    pub fn join(&self, address: &str, wan: bool, options: &Options) -> Result<S::Output<()>> {
        required(address, "address to join")?;
        let target = Target::new("/v1/agent/join/").segment(address);
        let target = if wan { target.number("wan", 1) } else { target };
        self.done(Call::put(target, options).idempotent())
    }

    /// Makes the agent leave the cluster in order, and end. The client has no agent after that.
    pub fn leave(&self, options: &Options) -> Result<S::Output<()>> {
        self.done(Call::put(Target::new("/v1/agent/leave"), options))
    }

    /// Takes a node that has failed for one that has left, so that nobody tries to reach it any
    /// more; with `prune` it is removed from the list of members, too. A node that is alive joins
    /// again by itself.
    pub fn force_leave(&self, node: &str, prune: bool, options: &Options) -> Result<S::Output<()>> {
        let target = target("/v1/agent/force-leave/", node, "node's name")?;
        let target = if prune { target.flag("prune") } else { target };
        self.done(Call::put(target, options).idempotent())
    }
}
