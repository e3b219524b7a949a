//! A future on its way: begun on the thread that asked for it, continued on the I/O thread.

use super::work::Job;
use super::{Shared, contained};
use crate::sync::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Context, Wake, Waker};

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Task {
    shared: Arc<Shared>,
    /// It waits for its turn already.
    queued: AtomicBool,
    /// None when it has ended.
    future: Mutex<Option<Boxed>>,
}

impl Task {
    pub(super) fn begin(shared: &Arc<Shared>, future: Boxed) {
        let task = Task {
            shared: shared.clone(),
            queued: AtomicBool::new(false),
            future: Mutex::new(Some(future)),
        };
        let task = Arc::new(task);
        task.clone().poll();
        if shared.queue.lock().ended {
            task.abandon();
        }
    }

    /// Drops what is left of it.
    pub(super) fn abandon(&self) {
        let over = self.future.lock().take();
        contained(|| drop(over));
    }

    pub(super) fn poll(self: Arc<Self>) {
        self.queued.store(false, Release);
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let mut future = self.future.lock();
        let Some(running) = future.as_mut() else { return };
        let mut ended = true;
        contained(|| ended = running.as_mut().poll(&mut context).is_ready());
        if ended {
            let over = future.take();
            drop(future);
            contained(|| drop(over));
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, AcqRel) {
            let shared = self.shared.clone();
            shared.push(Job::Poll(self));
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, AcqRel) {
            self.shared.push(Job::Poll(self.clone()));
        }
    }
}
