//! The Consul client behind the C ABI, and a complete Rust client by itself.
//!
//! ```no_run
//! use consul_ffi::{Client, Config, Options};
//!
//! # fn main() -> consul_ffi::Result<()> {
//! let client = Client::new(&Config::new())?;
//! client.kv().put("app/greeting", b"hello", 0, &Options::new())?;
//! let pair = client.kv().get("app/greeting", &Options::new())?.value;
//! # Ok(())
//! # }
//! ```

pub mod api;
mod atomic_file;
mod client;
pub mod config;
pub mod error;
#[doc(hidden)]
pub mod ffi;
pub mod observe;
pub mod recipes;
pub mod ring;
mod runtime;
mod sync;
mod sys;
mod transport;
pub mod watch;

pub use api::{Answer, Meta};
pub use client::{
    Blocking, Client, Condition, Deferred, EndpointChange, EndpointListener, EndpointNews,
    EndpointState, EndpointStats, Operation, Reachability, Running, Style,
};
pub use config::{Config, Consistency, Options};
pub use error::{Error, Result, Status};

/// A Consul agent in this process's memory, at the address `embedded:` or `embedded:NAME`: for
/// development and tests, not for production.
pub mod embedded {
    pub use crate::client::Embedded;
}
