//! `/v1/agent/`: what the agent itself is told and knows.

mod checks;
mod hash;
mod health;
mod info;
mod maintenance;
mod services;
mod shown;
#[cfg(test)]
mod tests;

pub(super) use checks::{
    checks, deregister as deregister_check, fail, pass, register as register_check, update, warn,
};
pub(super) use health::{by_id, by_name};
pub(super) use info::{force_leave, join, leave, members, metrics, reload, self_info, token};
pub(super) use maintenance::{node as maintain_node, service as maintain_service};
pub(super) use services::{
    deregister as deregister_service, register as register_service, service, services,
};
