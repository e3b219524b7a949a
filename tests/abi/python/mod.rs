//! What the Python package has from the header, the list of statuses and the table of settings.

mod abi;
mod errors;
mod settings;

pub use abi::render as abi;
pub use errors::render as errors;
pub use settings::render as settings;
