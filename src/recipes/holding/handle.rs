//! The handle to something that can be held: what a lock and a semaphore offer alike.

use super::acquire::{Patience, acquire};
use super::claim::Claim;
use super::reason::LostReason;
use super::release;
use super::resource::Resource;
use super::shared::Shared;
use crate::client::{Client, Either, Style};
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::sys::fork_generation;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A handle whose calls end in the style of its client.
pub(in crate::recipes) struct Handle<R: Resource, S: Style> {
    owner: Arc<Owner<R>>,
    style: S,
}

/// It ends with the last of its handles.
struct Owner<R: Resource> {
    shared: Arc<Shared<R>>,
    process: u32,
}

impl<R: Resource> Drop for Owner<R> {
    fn drop(&mut self) {
        if self.process == fork_generation() {
            return self.shared.abandon();
        }
        // It is the parent's, and may be locked for ever here: it is left as it is.
        std::mem::forget(self.shared.clone());
    }
}

impl<R: Resource, S: Style> Handle<R, S> {
    /// Of something whose description was checked.
    pub(in crate::recipes) fn new(client: &Client<S>, checked: R) -> Handle<R, S> {
        let shared = Shared::new(client.blocking(), checked);
        let owner = Owner { shared, process: fork_generation() };
        Handle { owner: Arc::new(owner), style: client.style() }
    }

    pub(in crate::recipes) fn styled<T: Style>(&self, style: T) -> Handle<R, T> {
        Handle { owner: self.owner.clone(), style }
    }

    pub(in crate::recipes) fn style(&self) -> S {
        self.style
    }

    /// An error in a forked child, where nothing of it may be touched.
    pub(in crate::recipes) fn shared(&self) -> Result<&Arc<Shared<R>>> {
        if self.owner.process == fork_generation() {
            return Ok(&self.owner.shared);
        }
        let message = format!("the {} belongs to the parent of this process", R::NOUN);
        Err(Error::new(Status::Forked, message))
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
        let forked = |_| Progress::default().stats("forked", Duration::ZERO);
        self.shared().map_or_else(forked, |shared| shared.stats())
    }

    /// As dropping it, while calls on other threads still use it.
    pub(in crate::recipes) fn abandon(&self) {
        if let Ok(shared) = self.shared() {
            shared.abandon();
        }
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
        let shared = self.shared()?.clone();
        let client = shared.client.styled(self.style);
        client.run(move |client| recipe(shared, client))
    }

    /// The claim with which it is held at this moment.
    pub(in crate::recipes) fn held(&self) -> Result<Arc<Claim>> {
        let shared = self.shared()?;
        let claim = shared.claim().filter(|_| !shared.remaining().is_zero());
        claim.ok_or_else(|| shared.not_held())
    }
}
