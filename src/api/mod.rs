//! Consul's HTTP API, one file an area: typed requests and answers.
//!
//! Nothing here knows of C, and nothing keeps state between calls.

mod answer;
mod duration;
mod json;

pub mod kv;
pub mod raw;
pub mod session;
pub mod txn;

pub use answer::{Answer, Meta};
