//! What goes on in the background until the last of its handles is dropped.
//!
//! In a forked child, where the threads behind it are not, it stays its parent's and is left alone: the
//! child's copy may be locked for ever.

use crate::client::{Client, Either, Style};
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::sys::fork_generation;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What goes on in the background.
pub(in crate::recipes) trait Background: Send + Sync + 'static {
    /// What it is called in messages.
    const NOUN: &'static str;

    /// The client that it lives on.
    fn client(&self) -> &Client;

    /// Nobody wants it any more. Must not block.
    fn abandon(&self);
}

/// A handle whose calls end in the style of its client.
pub(in crate::recipes) struct Owned<B: Background, S: Style> {
    owner: Arc<Owner<B>>,
    style: S,
}

/// It ends with the last of its handles.
struct Owner<B: Background> {
    shared: Arc<B>,
    process: u32,
}

impl<B: Background> Drop for Owner<B> {
    fn drop(&mut self) {
        if self.process == fork_generation() {
            return self.shared.abandon();
        }
        std::mem::forget(self.shared.clone());
    }
}

impl<B: Background, S: Style> Owned<B, S> {
    pub(in crate::recipes) fn new(shared: Arc<B>, style: S) -> Owned<B, S> {
        Owned { owner: Arc::new(Owner { shared, process: fork_generation() }), style }
    }

    /// The same, whose calls end in this style.
    pub(in crate::recipes) fn styled<T: Style>(&self, style: T) -> Owned<B, T> {
        Owned { owner: self.owner.clone(), style }
    }

    pub(in crate::recipes) fn style(&self) -> S {
        self.style
    }

    /// An error in a forked child.
    pub(in crate::recipes) fn shared(&self) -> Result<&Arc<B>> {
        if self.owner.process == fork_generation() {
            return Ok(&self.owner.shared);
        }
        let message = format!("the {} belongs to the parent of this process", B::NOUN);
        Err(Error::new(Status::Forked, message))
    }

    /// The same in a forked child too, for what takes no lock.
    pub(in crate::recipes) fn glance(&self) -> &B {
        &self.owner.shared
    }

    /// Runs a recipe in the handle's style.
    pub(in crate::recipes) fn run<T, F>(
        &self,
        recipe: impl FnOnce(Arc<B>, Client<Either>) -> F + Send + 'static,
    ) -> Result<S::Output<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let shared = self.shared()?.clone();
        let client = shared.client().styled(self.style);
        client.run(move |client| recipe(shared, client))
    }

    /// How it is getting on: `forked` in a forked child.
    pub(in crate::recipes) fn stats(&self, of: impl FnOnce(&B) -> Stats) -> Stats {
        let forked = |_| Progress::default().stats("forked", Duration::ZERO);
        self.shared().map_or_else(forked, |shared| of(shared))
    }

    /// As dropping it, while calls on other threads still use it.
    pub(in crate::recipes) fn abandon(&self) {
        if let Ok(shared) = self.shared() {
            shared.abandon();
        }
    }
}
