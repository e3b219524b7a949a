//! What people build from sessions, keys and services: sessions that are kept alive, locks,
//! semaphores, elections, clusters, services that stay registered.

pub mod cluster;
pub mod election;
pub mod fence;
pub mod health_report;
mod holding;
pub mod lock;
pub mod loss;
mod owned;
pub mod registration;
pub mod semaphore;
pub mod session;
#[cfg(test)]
mod testing;
mod turn;
