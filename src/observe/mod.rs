//! What can be seen of the library from outside: how things get on, a log, and who changed
//! what.

pub(crate) mod audit;
pub mod log;
mod rotating_file;
pub(crate) mod shown;
mod stats;

pub use rotating_file::Rotation;
pub(crate) use stats::Progress;
pub use stats::{Stats, library_threads};
