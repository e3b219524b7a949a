//! What people build from sessions, keys and services: sessions that are kept alive, locks, elections,
//! services that stay registered.

#[cfg(test)]
mod fake;
pub mod election;
pub mod fence;
pub mod health_report;
pub mod lock;
pub mod loss;
pub mod registration;
pub mod session;
