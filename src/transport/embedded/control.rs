//! What a test does with its agent.

use super::agent::Agent;
use super::clock::MOST;
use super::faults::Fault;
use std::sync::Arc;
use std::time::Duration;

/// What a test does with its agent. Its faults meet the requests whose path begins with a prefix.
#[derive(Clone)]
pub struct Control {
    agent: Arc<Agent>,
    prefix: String,
}

impl Control {
    pub(super) fn new(agent: Arc<Agent>) -> Control {
        Control { agent, prefix: String::new() }
    }

    /// The same agent, for faults that meet only requests whose path begins with this.
    pub(crate) fn under(&self, prefix: &str) -> Control {
        Control { agent: self.agent.clone(), prefix: prefix.to_owned() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.agent.advance(by);
    }

    pub(crate) fn stop_clock(&self) {
        self.agent.stop_clock();
    }

    pub(crate) fn now(&self) -> Duration {
        self.agent.age()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.agent.waiting()
    }

    pub(crate) fn set_session_ttl_min(&self, ttl: Duration) {
        self.agent.set_shortest_ttl(ttl);
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.order(Fault::Latency(latency.min(MOST)), !latency.is_zero());
    }

    pub(crate) fn fail_next(&self, count: u64, status: u16, text: &str) {
        let text = text.to_owned();
        self.order(Fault::Fail { left: count, status, text }, count > 0);
    }

    pub(crate) fn no_leader(&self, is_gone: bool) {
        self.order(Fault::NoLeader, is_gone);
    }

    pub(crate) fn lose_answers(&self, count: u64) {
        self.order(Fault::LoseAnswer { left: count }, count > 0);
    }

    pub(crate) fn reset_faults(&self) {
        self.agent.order(|faults| faults.clear());
    }

    fn order(&self, fault: Fault, is_wanted: bool) {
        self.agent.order(|faults| match is_wanted {
            true => faults.order(&self.prefix, fault),
            false => faults.cancel(&self.prefix, &fault),
        });
    }
}
