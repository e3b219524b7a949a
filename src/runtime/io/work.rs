//! What the I/O thread does all day.

use super::task::Task;
use super::{Shared, bell, contained, guest};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How many events are taken at once.
const EVENTS: usize = 256;
/// After work the thread wakes up by itself within this time, once. So whoever sets a deadline
/// further away need not wake it: those of exchanges cost no system call.
const DOZE: Duration = Duration::from_secs(1);
/// For so long one who waits for an answer stays awake, see [`Wheel::linger`]. To put a processor to sleep
/// and to wake it takes as long as some answers, and what comes meanwhile comes together: of 40,000 gets
/// with 32 in flight on two processors, 3,000 context switches take the place of 19,000, and a second has
/// a sixth more gets. To look all the time made no more of them, by 26 system calls a get.
const LINGER: Duration = Duration::from_micros(35);
/// For ever, to a thread that is woken when something comes up.
const LONG: Duration = Duration::from_secs(86_400);

pub(super) enum Job {
    Run(Box<dyn FnOnce() + Send>),
    Wake(Waker),
    Poll(Arc<Task>),
}

impl Job {
    pub(super) fn run(self) {
        match self {
            Job::Run(job) => contained(job),
            Job::Wake(waker) => waker.wake(),
            Job::Poll(task) => task.poll(),
        }
    }

    /// What becomes of it when the thread ends.
    fn abandon(self) {
        match self {
            Job::Run(job) => contained(|| drop(job)),
            Job::Wake(waker) => drop(waker),
            Job::Poll(task) => task.abandon(),
        }
    }
}

thread_local! {
    static IS_IO: Cell<bool> = const { Cell::new(false) };
}

/// True on the I/O thread.
pub(crate) fn is_io_thread() -> bool {
    IS_IO.with(Cell::get)
}

/// The right to run the loop, and what is kept from turn to turn.
pub(super) struct Wheel {
    /// Room for what is due.
    jobs: Vec<Job>,
    /// Something has been done since the last sleep.
    worked: bool,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel { jobs: Vec::new(), worked: true }
    }
}

impl Wheel {
    /// Runs what is due. False when there is nothing left to do, for good.
    pub(super) fn work(&mut self, shared: &Shared) -> bool {
        if is_over(shared, &mut self.jobs) {
            return false;
        }
        self.worked |= !self.jobs.is_empty();
        self.jobs.drain(..).for_each(Job::run);
        true
    }

    /// Stays awake for a moment after work. True when something has come.
    pub(super) fn linger(&mut self, shared: &Shared) -> rustix::io::Result<bool> {
        if !self.worked {
            return Ok(false);
        }
        let until = Instant::now() + LINGER;
        // Whoever else can run goes first: most likely that is the agent.
        rustix::thread::sched_yield();
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        wait(shared, Duration::ZERO)
    }

    /// Sleeps until something comes up, or this long.
    pub(super) fn sleep(&mut self, shared: &Shared, most: Duration) -> rustix::io::Result<()> {
        let timeout = rest(shared, self.worked, most);
        self.worked = wait(shared, timeout)?;
        Ok(())
    }
}

/// Marks this thread as the one that runs the loop until it is dropped.
pub(super) struct AtWork(());

impl AtWork {
    pub(super) fn begin() -> AtWork {
        IS_IO.set(true);
        AtWork(())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        IS_IO.set(false);
    }
}

/// Works until it is told to stop and has nothing left to do.
pub(super) fn run(shared: &Shared) {
    let _at_work = AtWork::begin();
    let mut wheel = shared.wheel.lock();
    while wheel.work(shared) {
        // Asked before: the guest that is woken is one no more.
        let has_guest = shared.queue.lock().guests == 1;
        if bell::ring_asked() && has_guest {
            wheel = guest::nap(shared, wheel);
        } else if wheel.sleep(shared, LONG).is_err() {
            // Nothing of this thread works any more.
            break;
        }
    }
    end(shared);
    bell::ring_asked();
}

/// Fetches what there is to do. True when that is nothing, for good.
fn is_over(shared: &Shared, jobs: &mut Vec<Job>) -> bool {
    let mut queue = shared.queue.lock();
    std::mem::swap(&mut queue.jobs, jobs);
    if queue.timers.next().is_some() {
        let now = Instant::now();
        jobs.extend(std::iter::from_fn(|| queue.timers.take_due(now)));
    }
    queue.stopping && jobs.is_empty()
}

/// How long to sleep. From now on whoever brings something must wake the thread.
fn rest(shared: &Shared, worked: bool, most: Duration) -> Duration {
    let mut queue = shared.queue.lock();
    if queue.stopping || !queue.jobs.is_empty() {
        return Duration::ZERO;
    }
    let now = Instant::now();
    let latest = now + most.min(if worked { DOZE } else { LONG });
    let until = queue.timers.next().map_or(latest, |at| at.min(latest));
    if until <= now {
        return Duration::ZERO;
    }
    queue.asleep = Some(until);
    until - now
}

/// Waits for sockets and wakes their tasks. True when there was one.
fn wait(shared: &Shared, timeout: Duration) -> rustix::io::Result<bool> {
    let mut room = [const { MaybeUninit::uninit() }; EVENTS];
    // The kernel counts in milliseconds here; waking a little before a time is due would be in
    // vain.
    let ms = timeout.as_nanos().div_ceil(1_000_000);
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    let timeout = Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 };
    let waited = epoll::wait(&shared.epoll, &mut room, Some(&timeout));
    if ms > 0 {
        shared.queue.lock().asleep = None;
    }
    let events = match waited {
        // On its own thread no signal ends it, for all are blocked; but that the process was stopped
        // does (signal(7)).
        Err(Errno::INTR) => return Ok(false),
        waited => waited?.0,
    };
    if events.is_empty() {
        return Ok(false);
    }
    let ready: Vec<_> = {
        let sources = shared.sources.lock();
        let known = |event: &epoll::Event| {
            let (data, flags) = (event.data, event.flags);
            Some((sources.known.get(&data.u64())?.clone(), flags))
        };
        events.iter().filter_map(known).collect()
    };
    for (source, flags) in ready {
        source.notify(flags);
    }
    Ok(true)
}

/// Lets go of everything. A task that waits is woken once more, so that it is found and dropped:
/// who began it must hear of its end.
fn end(shared: &Shared) {
    let timers = shared.queue.lock().timers.take_all();
    let sources = std::mem::take(&mut shared.sources.lock().known);
    sources.into_values().for_each(|source| source.notify(epoll::EventFlags::HUP));
    for job in timers {
        match job {
            Job::Wake(waker) => waker.wake(),
            job => job.abandon(),
        }
    }
    let jobs = {
        let mut queue = shared.queue.lock();
        queue.ended = true;
        std::mem::take(&mut queue.jobs)
    };
    jobs.into_iter().for_each(Job::abandon);
}
