//! Consul's HTTP API, one file an area: typed requests and answers.
//!
//! Nothing here knows of C, and nothing keeps state between calls.

mod answer;
mod check;
pub(crate) mod document;
mod duration;
mod input;
pub(crate) mod json;
mod node;
mod service;

pub mod acl;
pub mod agent;
pub mod catalog;
pub mod event;
pub mod health;
pub mod kv;
pub mod operator;
pub mod raw;
pub mod session;
pub mod snapshot;
pub mod status;
pub mod txn;

pub use answer::{Answer, Meta};
pub use check::{AggregatedStatus, Check, CheckStatus};
pub use node::Node;
pub use service::{Service, ServiceAddress, Weights};
