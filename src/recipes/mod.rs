//! What people build from sessions and keys: sessions that are kept alive, locks.

pub mod fence;
pub mod lock;
pub mod session;
