//! The embedded agent beside a real Consul: the same requests, the same answers.
//!
//! Random sequences without timers are compared answer by answer; what timers do is asked of the
//! embedded agent alone, with its clock turned, against what was measured on a real one.
//!
//! `FIDELITY_SEQUENCES` says how many (10,000), `FIDELITY_SEED` which, `FIDELITY_ONLY` runs the one
//! of that number.

// A failure here is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod compare;
mod found;
mod generate;
mod normal;
mod random;
mod sequence;
mod sequences;
mod side;
mod timers;
