//! The handle to something that can be held: what a lock and a semaphore offer alike.

use super::acquire::Campaign;
use super::claim::Claim;
use super::release;
use super::resource::Resource;
use super::shared::Shared;
use crate::client::{Client, Either, Style};
use crate::error::{Error, Result, Status};
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

    pub(in crate::recipes) fn shared(&self) -> &Arc<Shared<R>> {
        &self.owner.shared
    }

    /// Acquires it; `None` for the time only tries.
    pub(in crate::recipes) fn acquire(&self, timeout: Option<Duration>) -> Result<S::Output<bool>> {
        self.run(move |shared, client| async move {
            let acquiring = shared.begin_acquire(client.cancel())?;
            let client = client.cancelled_by(&acquiring.cancel);
            match Campaign::new(&shared, client, timeout).run().await? {
                Some(won) => acquiring.hold(won).map(|()| true),
                None => Ok(false),
            }
        })
    }

    pub(in crate::recipes) fn release(&self) -> Result<S::Output<()>> {
        self.run(move |shared, client| async move { release::release(&shared, &client).await })
    }

    pub(in crate::recipes) fn stop(&self) {
        self.shared().stop(Status::Cancelled, &format!("the {} was stopped", R::NOUN));
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
        let shared = self.shared().clone();
        self.shared().client.styled(self.style).run(move |client| recipe(shared, client))
    }

    /// The claim with which it is held at this moment.
    pub(in crate::recipes) fn held(&self) -> Result<Arc<Claim>> {
        let claim = self.shared().claim().filter(|_| !self.shared().remaining().is_zero());
        claim.ok_or_else(|| self.shared().not_held())
    }
}
