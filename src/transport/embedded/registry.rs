//! The agents of this process: by their names, and for a fork.
//!
//! A forked child has what its parent's agents knew at that moment, as it has the rest of the
//! parent's memory. For that no other thread may be at work on one while the process forks.

use super::agent::{Agent, Inside};
use crate::observe::log::{self, Level};
use crate::sync::{ArcMutexGuard, Mutex, MutexGuard};
use crate::sys;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

/// Every agent, with its name; empty for one that is nobody else's.
static AGENTS: Mutex<Vec<(String, Weak<Agent>)>> = Mutex::new(Vec::new());

/// The agent of this name, which lives while somebody has it; without a name a new one. `shown` is
/// its address.
pub(super) fn agent(name: &str, shown: &str) -> Arc<Agent> {
    sys::around_forks(hold_all, let_go);
    let mut agents = AGENTS.lock();
    agents.retain(|(_, agent)| agent.strong_count() > 0);
    let known = agents.iter().filter(|(known, _)| known == name && !name.is_empty());
    if let Some(agent) = known.filter_map(|(_, agent)| agent.upgrade()).next() {
        return agent;
    }
    let agent = Agent::new();
    agents.push((name.to_owned(), Arc::downgrade(&agent)));
    drop(agents);
    warn(shown);
    agent
}

fn warn(shown: &str) {
    log::add(Level::Warning, "client", || {
        format!("{shown} is an agent in memory: for development and tests, not for production")
    });
}

/// What the thread that forks holds meanwhile.
struct Held {
    _agents: Vec<ArcMutexGuard<Inside>>,
    _registry: MutexGuard<'static, Vec<(String, Weak<Agent>)>>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

fn hold_all() {
    let registry = AGENTS.lock();
    let agents = registry.iter().filter_map(|(_, agent)| agent.upgrade());
    let held = Held { _agents: agents.map(|agent| agent.hold()).collect(), _registry: registry };
    // It fails in a thread that is about to end; then its child has what it happens to have.
    let _ = HELD.try_with(|place| place.replace(Some(held)));
}

fn let_go() {
    let _ = HELD.try_with(RefCell::take);
}
