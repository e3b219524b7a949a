//! How the library behaves towards a real Consul and towards servers that misbehave. One binary,
//! a module for each area.

// A failure here is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod acl;
mod agent;
mod agent_checks;
mod audit;
mod call;
mod catalog;
mod clients;
mod cluster;
mod deferred;
mod election;
mod encryption;
mod endpoint_news;
mod endpoints;
mod environment;
mod event;
mod failover;
mod harness;
mod health;
mod kv;
mod kv_portable;
mod limits;
mod lock;
mod lock_faults;
mod lock_many;
mod lock_processes;
mod observe;
mod operator;
mod proxy;
mod quick;
mod raw;
mod registration;
mod reload;
mod reload_work;
mod semaphore;
mod session;
mod session_kept;
mod snapshot;
mod snapshot_failover;
mod status;
mod transport;
mod txn;
mod watch;
mod watch_faults;
mod watch_many;
