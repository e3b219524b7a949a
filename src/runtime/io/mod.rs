//! The process's one I/O thread, `consul-io`: it waits for sockets and for times, and runs what is
//! due. It exists while somebody holds an [`Io`]. While another thread waits for what it brings, that
//! one does its work, see [`Guest`].
//!
//! What runs on it must be cheap and must not block: everything asynchronous of every client waits
//! behind it.

mod bell;
mod guest;
mod source;
mod task;
mod timers;
mod work;

pub(crate) use bell::{Bell, ring};
pub(crate) use guest::{Guest, Nudge};
pub(crate) use source::{Source, Tell};
pub(crate) use work::is_io_thread;

use super::fault;
use crate::error::{Error, Result, Status};
use crate::sync::{Condvar, Mutex};
use crate::sys::{self, PerProcess};
use foldhash::fast::RandomState;
use rustix::event::{EventfdFlags, epoll, eventfd};
use std::collections::HashMap;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::Instant;
use task::Task;
use timers::{Key, Timers};
use work::{Job, Wheel};

/// The I/O thread. It lives as long as one of these; a clone is the same thread.
#[derive(Clone)]
pub(crate) struct Io(Arc<Owner>);

/// Ends the thread when nobody wants it any more.
struct Owner(Arc<Shared>);

/// What the thread and those who use it share.
struct Shared {
    /// The process that the thread runs in.
    generation: u32,
    epoll: OwnedFd,
    /// Wakes the thread. Edge-triggered, so it is never read.
    alarm: OwnedFd,
    queue: Mutex<Queue>,
    sources: Mutex<Sources>,
    /// Who holds it runs the loop.
    wheel: Mutex<Wheel>,
    /// Wakes the thread from its nap, for it does not sleep at the wheel then.
    back: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    timers: Timers,
    /// Until when the thread sleeps; none while it is awake, and looks here before it sleeps.
    asleep: Option<Instant>,
    stopping: bool,
    /// The thread has ended: nothing is taken any more.
    ended: bool,
    /// Nobody is at the wheel: the thread naps.
    is_free: bool,
    /// The thread is to take the wheel back at once.
    wanted_back: bool,
    /// How many threads wait for what the thread brings, and how often one has taken the wheel.
    guests: usize,
    drives: u64,
}

#[derive(Default)]
struct Sources {
    last: u64,
    known: HashMap<u64, Arc<source::Ready>, RandomState>,
}

/// Something that happens later, unless this is dropped before.
#[must_use = "a timer that is dropped is cancelled"]
pub(crate) struct Timer {
    shared: Arc<Shared>,
    key: Key,
}

/// The thread that there is, and how many have not ended yet.
#[derive(Default)]
struct Threads {
    current: Mutex<Weak<Owner>>,
    running: Mutex<usize>,
    fewer: Condvar,
}

static THREADS: PerProcess<Threads> = PerProcess::new();

fn threads() -> &'static Threads {
    THREADS.get_or_init(Threads::default)
}

impl Io {
    /// The I/O thread of this process, started when there is none.
    pub(crate) fn get() -> Result<Io> {
        let threads = threads();
        let mut current = threads.current.lock();
        if let Some(io) = current.upgrade().map(Io).filter(Io::is_alive) {
            return Ok(io);
        }
        let io = Io::start(threads)?;
        *current = Arc::downgrade(&io.0);
        Ok(io)
    }

    fn start(threads: &'static Threads) -> Result<Io> {
        let failed = |error: std::io::Error| {
            Error::new(Status::NoMemory, format!("cannot start the I/O thread: {error}"))
        };
        let shared = Arc::new(Shared::new().map_err(failed)?);
        let thread = shared.clone();
        *threads.running.lock() += 1;
        let work = move || {
            work::run(&thread);
            drop(thread);
        };
        let started = sys::spawn_then("consul-io", work, |()| threads.ended());
        if let Err(error) = started {
            threads.ended();
            return Err(failed(error));
        }
        Ok(Io(Arc::new(Owner(shared))))
    }

    /// False when the thread has ended by itself: some hosts close every descriptor they find.
    pub(crate) fn is_alive(&self) -> bool {
        !self.0.0.queue.lock().ended
    }

    /// Closes what the thread waits on, as such hosts do.
    #[cfg(test)]
    pub(crate) fn break_it(&self) {
        sys::testing::close_behind_its_back(&self.0.0.epoll);
        while self.is_alive() {
            self.run(|| {});
        }
    }

    /// Runs it on the thread, soon. A panic in it is contained.
    #[cfg(test)]
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.0.0.push(Job::Run(Box::new(job)));
    }

    /// Runs it on the thread at this time or a little later, unless the timer is dropped before.
    /// `Instant::now() + duration` for "in so much time". A panic in it is contained.
    pub(crate) fn after(&self, at: Instant, job: impl FnOnce() + Send + 'static) -> Timer {
        self.later(at, Job::Run(Box::new(job)))
    }

    /// Wakes a task at this time, unless the timer is dropped before.
    pub(crate) fn wake_at(&self, at: Instant, waker: &Waker) -> Timer {
        self.later(at, Job::Wake(waker.clone()))
    }

    fn later(&self, at: Instant, job: Job) -> Timer {
        let key = self.0.0.schedule(at, job);
        Timer { shared: self.0.0.clone(), key }
    }

    /// Begins a task on the caller's thread and goes on with it on the I/O thread. When a future
    /// panics, or the thread ends before it does, it is dropped.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        Task::begin(&self.0.0, Box::pin(future));
    }

    /// Has the thread look after a non-blocking socket.
    pub(crate) fn watch(&self, descriptor: Arc<OwnedFd>, tell: Tell) -> std::io::Result<Source> {
        Source::new(self.0.0.clone(), descriptor, tell)
    }
}

/// Makes a task go on in another turn of the I/O thread.
pub(crate) async fn next_turn() {
    let mut is_next = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut is_next, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until no I/O thread is left of those that nobody holds any more. True at once while
/// somebody holds one, for it is to stay; false when it takes longer, and on such a thread itself.
pub(crate) fn wait_ended(deadline: Instant) -> bool {
    if is_io_thread() {
        return false;
    }
    let threads = threads();
    let wanted = usize::from(threads.current.lock().strong_count() > 0);
    let mut running = threads.running.lock();
    while *running > wanted {
        if threads.fewer.wait_until(&mut running, deadline).timed_out() {
            return false;
        }
    }
    true
}

impl Threads {
    fn ended(&self) {
        *self.running.lock() -= 1;
        self.fewer.notify_all();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // A child must not end its parent's thread.
        if self.0.is_ours() {
            self.0.stop();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.shared.is_ours() {
            let cancelled = self.shared.queue.lock().timers.remove(&self.key);
            drop(cancelled);
        }
    }
}

impl Shared {
    fn new() -> std::io::Result<Shared> {
        let shared = Shared {
            generation: sys::fork_generation(),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            alarm: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            queue: Mutex::default(),
            sources: Mutex::default(),
            wheel: Mutex::default(),
            back: Condvar::new(),
        };
        let wanted = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&shared.epoll, &shared.alarm, epoll::EventData::new_u64(0), wanted)?;
        Ok(shared)
    }

    /// False in a child of the process that the thread runs in: then nothing here may be touched.
    fn is_ours(&self) -> bool {
        self.generation == sys::fork_generation()
    }

    fn push(&self, job: Job) {
        let mut queue = self.queue.lock();
        if queue.ended {
            drop(queue);
            return drop(job);
        }
        queue.jobs.push(job);
        if queue.is_free {
            return self.call_back(&mut queue);
        }
        // Only who finds it asleep wakes it: no system call while it is at work.
        let asleep = queue.asleep.take().is_some();
        drop(queue);
        if asleep {
            self.ring();
        }
    }

    fn schedule(&self, at: Instant, job: Job) -> Key {
        let mut queue = self.queue.lock();
        let key = queue.timers.next_key(at);
        if queue.ended {
            drop(queue);
            drop(job);
            return key;
        }
        queue.timers.insert(key, job);
        let oversleeps = queue.asleep.is_some_and(|until| at < until);
        if oversleeps {
            queue.asleep = None;
        }
        drop(queue);
        if oversleeps {
            self.ring();
        }
        key
    }

    fn stop(&self) {
        let mut queue = self.queue.lock();
        queue.stopping = true;
        self.call_back(&mut queue);
        drop(queue);
        self.ring();
    }

    /// Ends the thread's nap.
    fn call_back(&self, queue: &mut Queue) {
        queue.wanted_back = true;
        self.back.notify_one();
    }

    fn ring(&self) {
        // It fails only when the counter is full, and then it has rung.
        let _ = rustix::io::write(&self.alarm, &1u64.to_ne_bytes());
    }
}

/// Runs a piece of work of somebody else's. A panic in it is nobody's business here.
fn contained(work: impl FnOnce()) {
    let _ = fault::caught(work);
}

#[cfg(test)]
mod tests;
