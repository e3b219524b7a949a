//! What people build from sessions and keys: sessions that are kept alive, locks.

#[cfg(test)]
mod fake;
pub mod fence;
pub mod lock;
pub mod session;
