//! What people build from sessions, keys and services: sessions that are kept alive, locks,
//! semaphores, services that stay registered.

#[cfg(test)]
mod fake;
pub mod fence;
pub mod health_report;
mod holding;
pub mod lock;
pub mod loss;
pub mod registration;
pub mod semaphore;
pub mod session;
