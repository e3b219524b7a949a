//! What can be seen of the library from outside: how things get on, and a log.

pub mod log;
mod stats;

pub(crate) use stats::Progress;
pub use stats::Stats;
