//! The Consul client behind the C ABI, and a complete Rust client by itself.

pub mod error;

pub use error::{Error, Result, Status};
