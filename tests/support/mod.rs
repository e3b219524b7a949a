//! What the behaviour tests stand on: a real Consul, servers that misbehave by script,
//! certificates of every kind, and a clock that knows how late this machine is.

// Each area of the suite uses its own part of this.
#![allow(dead_code, unused_imports)]

pub mod agent;
pub mod certs;
pub mod control;
pub mod embedded;
pub mod fault;
pub mod http;

pub use agent::{Consul, consul};

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

/// A name that no other test uses on the agent it shares with this one, in this run or another:
/// `prefix-5f0c2a11-7`. Fit for keys, services, sessions and nodes.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{:08x}-{count}", random() as u32)
}

/// A number that differs at each call.
fn random() -> u64 {
    // Each `RandomState` has keys of its own.
    RandomState::new().hash_one(0)
}
