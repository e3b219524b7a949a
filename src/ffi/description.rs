//! How a setter changes a description, such as a `consul_lock_spec`.

use super::guard::guard;
use super::handle::{self, Handle};
use super::status::consul_status;
use crate::error::{Result, Status};

/// Changes a description; an error leaves it as it was.
pub(super) fn change<H: Handle>(
    description: *mut H,
    change: impl FnOnce(H::Object) -> Result<H::Object>,
) -> consul_status
where
    H::Object: Clone,
{
    guard(|| {
        let mut description = handle::get_mut(description)?;
        *description = change(description.clone())?;
        Ok(Status::Ok)
    })
}
