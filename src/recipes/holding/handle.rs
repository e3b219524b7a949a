//! The handle to something that can be held: what a lock and a semaphore offer alike.

use super::acquire::{Patience, acquire};
use super::claim::Claim;
use super::reason::LostReason;
use super::release;
use super::resource::Resource;
use super::shared::Shared;
use crate::client::{Client, Either, Style};
use crate::error::{Error, Result, Status};
use crate::observe::Stats;
use crate::recipes::owned::Owned;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A handle whose calls end in the style of its client.
pub(in crate::recipes) struct Handle<R: Resource, S: Style>(Owned<Shared<R>, S>);

impl<R: Resource, S: Style> Handle<R, S> {
    /// Of something whose description was checked.
    pub(in crate::recipes) fn new(client: &Client<S>, checked: R) -> Handle<R, S> {
        Handle(Owned::new(Shared::new(client.blocking(), checked), client.style()))
    }

    pub(in crate::recipes) fn styled<T: Style>(&self, style: T) -> Handle<R, T> {
        Handle(self.0.styled(style))
    }

    pub(in crate::recipes) fn style(&self) -> S {
        self.0.style()
    }

    /// An error in a forked child.
    pub(in crate::recipes) fn shared(&self) -> Result<&Arc<Shared<R>>> {
        self.0.shared()
    }

    pub(in crate::recipes) fn remaining(&self) -> Duration {
        self.shared().map_or(Duration::ZERO, |shared| shared.remaining())
    }

    pub(in crate::recipes) fn session_id(&self) -> Option<String> {
        self.shared().ok()?.claim().map(|claim| claim.id().to_string())
    }

    pub(in crate::recipes) fn lost_reason(&self) -> Option<LostReason> {
        self.shared().ok()?.lost_reason()
    }

    pub(in crate::recipes) fn stats(&self) -> Stats {
        self.0.stats(Shared::stats)
    }

    /// As dropping it, while calls on other threads still use it.
    pub(in crate::recipes) fn abandon(&self) {
        self.0.abandon();
    }

    pub(in crate::recipes) fn acquire(&self, patience: Patience) -> Result<S::Output<bool>> {
        self.run(move |shared, client| async move { acquire(&shared, &client, patience).await })
    }

    pub(in crate::recipes) fn release(&self) -> Result<S::Output<()>> {
        self.run(move |shared, client| async move { release::release(&shared, &client).await })
    }

    pub(in crate::recipes) fn wait_lost(
        &self,
        timeout: Duration,
    ) -> Result<S::Output<Option<LostReason>>> {
        let stops = self.shared()?.state().stops;
        self.run(
            move |shared, client| async move { shared.wait_lost(&client, timeout, stops).await },
        )
    }

    pub(in crate::recipes) fn stop(&self) {
        if let Ok(shared) = self.shared() {
            shared.stop(Status::Cancelled, &format!("the {} was stopped", R::NOUN));
        }
    }

    /// Deletes what stands at Consul, unless somebody uses it.
    pub(in crate::recipes) fn destroy(&self) -> Result<S::Output<bool>> {
        self.run(move |shared, client| async move {
            if shared.claim().is_some_and(|_| shared.remaining() > Duration::ZERO) {
                let message = format!("the {} is held: release it first", R::NOUN);
                return Err(Error::new(Status::AlreadyHeld, message));
            }
            shared.spec.delete_unused(&client).await
        })
    }

    /// Runs a recipe in the handle's style.
    pub(in crate::recipes) fn run<T, F>(
        &self,
        recipe: impl FnOnce(Arc<Shared<R>>, Client<Either>) -> F + Send + 'static,
    ) -> Result<S::Output<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.0.run(recipe)
    }

    /// The claim with which it is held at this moment.
    pub(in crate::recipes) fn held(&self) -> Result<Arc<Claim>> {
        let shared = self.shared()?;
        let claim = shared.claim().filter(|_| !shared.remaining().is_zero());
        claim.ok_or_else(|| shared.not_held())
    }
}
