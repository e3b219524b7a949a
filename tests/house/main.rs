//! The rules of the house that a compiler does not check: which way calls may go, where unsafe code
//! may stand, and that pages written from a table are true.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's way to fail.

mod layers;
mod links;
mod settings_page;
