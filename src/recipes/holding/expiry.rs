//! The deadline of what is held, whatever becomes of the requests.

use super::resource::Resource;
use super::shared::Shared;
use crate::error::Error;
use crate::runtime::Task;
use std::sync::Arc;
use std::time::Duration;

/// Notices the deadline of what is held though every request hangs.
pub(super) struct Expiry<R: Resource>(pub(super) Arc<Shared<R>>);

impl<R: Resource> Task for Expiry<R> {
    fn uses_network(&self) -> bool {
        false
    }

    fn step(&self) -> Option<Duration> {
        let remaining = self.0.remaining();
        let now = self.0.upkeep().clock.now();
        (!remaining.is_zero()).then(|| now.saturating_add(remaining))
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        None
    }
}
