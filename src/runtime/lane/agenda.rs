//! Which task takes its next step when: pure, without threads.

use crate::error::{Error, Result, Status};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Steps that wait for the network at a time, and so connections that the lane uses.
pub(super) const NETWORK: usize = 3;

/// The same while steps come too late: rather a few connections more than a lock less.
pub(super) const NETWORK_WHEN_LATE: usize = 6;

/// From when on a step comes too late: no session lives shorter than several times this.
pub(super) const LATE: Duration = Duration::from_secs(2);

/// Something that is done again and again, one step at a time.
pub(crate) trait Task: Send + Sync {
    /// Whether a step may wait for the network. One that does not is never kept waiting by those
    /// that do.
    fn uses_network(&self) -> bool {
        true
    }

    /// Does what is due, and says when the next step is; `None` ends the task.
    fn step(&self) -> Option<Duration>;

    /// A step panicked; as `step`.
    fn failed(&self, error: Error) -> Option<Duration>;
}

/// Names a task, so that it can be moved or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskId(u64);

impl TaskId {
    /// A name that no other task has.
    pub(crate) fn new() -> TaskId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TaskId(NEXT.fetch_add(1, Relaxed))
    }
}

/// The tasks of a lane, and whose turn it is.
#[derive(Default)]
pub(super) struct Agenda {
    tasks: HashMap<TaskId, Entry>,
    network: Due,
    instant: Due,
    /// Steps that wait for the network now.
    waiting: usize,
    closed: bool,
}

/// The tasks of one kind by the time of their next step.
type Due = BTreeSet<(Duration, TaskId)>;

/// A task and its turn. To be dropped where the lane is not locked: what it holds may use it.
pub(super) struct Entry {
    task: Arc<dyn Task>,
    turn: Turn,
}

#[derive(Clone, Copy)]
enum Turn {
    /// Its next step is due then.
    At(Duration),
    /// It takes a step now; `again` was asked for meanwhile.
    Running { again: Option<Duration> },
    /// It takes its last step now.
    Ending,
}

impl Agenda {
    /// An error once it is closed.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(Status::Closed, "the client is closed"));
        }
        Ok(())
    }

    /// Sets the time of a task's next step. While it takes a step, the next one comes no later.
    pub(super) fn set(&mut self, id: TaskId, task: &Arc<dyn Task>, due: Duration) {
        self.unqueue(id);
        let new = || Entry { task: task.clone(), turn: Turn::At(due) };
        let entry = self.tasks.entry(id).or_insert_with(new);
        entry.turn = match entry.turn {
            Turn::Running { again } => {
                Turn::Running { again: Some(again.map_or(due, |again| again.min(due))) }
            }
            Turn::Ending => Turn::Running { again: Some(due) },
            Turn::At(_) => Turn::At(due),
        };
        self.queue(id);
    }

    /// Takes out every task, as `remove`, and takes no other any more.
    pub(super) fn close(&mut self) -> Vec<Entry> {
        self.closed = true;
        let ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many tasks there are, those that take a step included.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// How many tasks take a step now.
    #[cfg(test)]
    pub(super) fn running(&self) -> usize {
        self.tasks.values().filter(|entry| !matches!(entry.turn, Turn::At(_))).count()
    }

    /// Takes out a task, at the end of its step if it is taking one.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<Entry> {
        self.unqueue(id);
        match self.tasks.get_mut(&id) {
            Some(entry) if !matches!(entry.turn, Turn::At(_)) => entry.turn = Turn::Ending,
            _ => return self.tasks.remove(&id),
        }
        None
    }

    /// Takes a task whose step is due and may be taken now.
    pub(super) fn take(&mut self, now: Duration) -> Option<(TaskId, Arc<dyn Task>)> {
        let due = |queue: &Due| queue.first().copied().filter(|&(due, _)| due <= now);
        let network = || {
            due(&self.network).filter(|&(due, _)| {
                let late = now.saturating_sub(due) >= LATE;
                self.waiting < if late { NETWORK_WHEN_LATE } else { NETWORK }
            })
        };
        let (_, id) = due(&self.instant).or_else(network)?;
        self.unqueue(id);
        let entry = self.tasks.get_mut(&id)?;
        entry.turn = Turn::Running { again: None };
        self.waiting += usize::from(entry.task.uses_network());
        Some((id, entry.task.clone()))
    }

    /// Queues a task again after its step, or takes it out.
    pub(super) fn finish(&mut self, id: TaskId, next: Option<Duration>) -> Option<Entry> {
        let entry = self.tasks.get_mut(&id)?;
        self.waiting -= usize::from(entry.task.uses_network());
        let next = match entry.turn {
            Turn::Running { again: Some(again) } => {
                Some(next.map_or(again, |next| next.min(again)))
            }
            Turn::Running { again: None } | Turn::At(_) => next,
            Turn::Ending => None,
        };
        match next.filter(|_| !self.closed) {
            Some(due) => {
                entry.turn = Turn::At(due);
                self.queue(id);
                None
            }
            None => self.tasks.remove(&id),
        }
    }

    /// When the next step is due that a thread could take.
    pub(super) fn next(&self) -> Option<Duration> {
        let network = self.network.first().map(|&(due, _)| match self.waiting {
            ..NETWORK => due,
            _ => due.saturating_add(LATE),
        });
        let network = network.filter(|_| self.waiting < NETWORK_WHEN_LATE);
        let instant = self.instant.first().map(|&(due, _)| due);
        instant.into_iter().chain(network).min()
    }

    fn queue(&mut self, id: TaskId) {
        let Some(Entry { task, turn: Turn::At(due) }) = self.tasks.get(&id) else { return };
        let queue = if task.uses_network() { &mut self.network } else { &mut self.instant };
        queue.insert((*due, id));
    }

    fn unqueue(&mut self, id: TaskId) {
        let Some(Entry { task, turn: Turn::At(due) }) = self.tasks.get(&id) else { return };
        let queue = if task.uses_network() { &mut self.network } else { &mut self.instant };
        queue.remove(&(*due, id));
    }
}
