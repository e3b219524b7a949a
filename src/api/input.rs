//! What callers pass in, checked before anything is sent.

use crate::error::{Error, Result};

/// Refuses an empty text where Consul needs one.
pub(super) fn required(text: &str, what: &str) -> Result<()> {
    match text {
        "" => Err(Error::argument(format!("the {what} is empty"))),
        _ => Ok(()),
    }
}
