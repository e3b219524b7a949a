//! The rules of the house that a compiler does not check: which way calls may go, where unsafe code
//! may stand, and that pages written from a table are true.

mod layers;
mod settings_page;
