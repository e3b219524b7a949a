//! Writes what a watch finds to its last-good file, on a thread that may wait for the disk.

use super::hub::Hub;
use super::last_good::{Body, LastGood};
use crate::error::Error;
use crate::runtime::{Task, TaskId};
use crate::sync::Mutex;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::time::Duration;

/// Keeps what was found last.
pub(super) struct Keeper {
    id: TaskId,
    work: Arc<Work>,
}

struct Work {
    file: LastGood,
    next: Mutex<Option<Arc<Body>>>,
    error: ArcSwapOption<Error>,
}

impl Keeper {
    pub(super) fn new(file: LastGood) -> Keeper {
        let work = Work { file, next: Mutex::default(), error: ArcSwapOption::empty() };
        Keeper { id: TaskId::new(), work: Arc::new(work) }
    }

    /// Has this written soon. What is not written yet by then is passed over.
    pub(super) fn keep(&self, hub: &Hub, body: Arc<Body>) {
        *self.work.next.lock() = Some(body);
        let task: Arc<dyn Task> = self.work.clone();
        if let Err(error) = hub.soon(self.id, &task) {
            self.work.error.store(Some(Arc::new(error)));
        }
    }

    /// Why the file could not be written the last time, if it could not.
    pub(super) fn error(&self) -> Option<Arc<Error>> {
        self.work.error.load_full()
    }
}

impl Task for Work {
    // The disk does not keep anybody waiting who waits for the network.
    fn uses_network(&self) -> bool {
        true
    }

    fn step(&self) -> Option<Duration> {
        let body = self.next.lock().take()?;
        self.error.store(self.file.write(&body).err().map(Arc::new));
        None
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.error.store(Some(Arc::new(error)));
        None
    }
}
