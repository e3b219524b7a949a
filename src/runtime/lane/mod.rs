//! The lane of renewals, heartbeats, releases and lock monitors: tasks that take a step when it is
//! due, on a few threads of the library that exist only while there are tasks.

mod agenda;

pub(crate) use agenda::{Task, TaskId};

use super::clock::Clock;
use super::fault::caught;
use crate::error::{Error, Result, Status};
use crate::sync::{Condvar, Mutex, MutexGuard};
use agenda::{Agenda, NETWORK_WHEN_LATE};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One more than wait for the network, so that a deadline is always noticed in time.
const THREADS: usize = NETWORK_WHEN_LATE + 1;

/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(5);

/// A client's lane. A clone is the same lane.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Wakes the thread that keeps the time.
    earlier: Condvar,
    /// Wakes a thread that does nothing.
    idle: Condvar,
    /// Tells that there is no thread any more.
    quiet: Condvar,
}

#[derive(Default)]
struct State {
    agenda: Agenda,
    threads: usize,
    /// The threads, to be joined when the lane is closed.
    handles: Vec<JoinHandle<()>>,
    /// Threads that were started and have not looked around yet.
    starting: usize,
    idle: usize,
    /// A thread keeps the time: it sleeps until the next step is due.
    watched: bool,
}

impl Lane {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Lane {
        Lane(Arc::new(Inner {
            clock,
            state: Mutex::default(),
            earlier: Condvar::new(),
            idle: Condvar::new(),
            quiet: Condvar::new(),
        }))
    }

    /// Sets the time of the task's next step, whether the lane has it already or not. While it
    /// takes a step, the next one comes no later than this. An error when there is no thread to
    /// take it.
    pub(crate) fn schedule(&self, id: TaskId, task: &Arc<dyn Task>, due: Duration) -> Result<()> {
        let mut state = self.0.state.lock();
        state.agenda.check_open()?;
        state.agenda.set(id, task, due);
        if state.watched {
            self.0.earlier.notify_one();
            return Ok(());
        }
        let started = self.staff(&mut state);
        if state.threads > 0 {
            return Ok(());
        }
        state.agenda.remove(id);
        started
    }

    /// An error once it is closed.
    pub(crate) fn check_open(&self) -> Result<()> {
        self.0.state.lock().agenda.check_open()
    }

    /// Ends the task; a step that it is taking is its last.
    pub(crate) fn end(&self, id: TaskId) {
        let ended = self.0.state.lock().agenda.remove(id);
        drop(ended);
    }

    /// Ends every task, after the steps that are being taken, and refuses new ones. Returns at
    /// once.
    pub(crate) fn close(&self) {
        let mut state = self.0.state.lock();
        let ended = state.agenda.close();
        self.0.earlier.notify_all();
        self.0.idle.notify_all();
        drop(state);
        drop(ended);
    }

    /// Waits until a closed lane has no thread any more. False when the time is over before.
    pub(crate) fn wait_closed(&self, deadline: Instant) -> bool {
        let mut state = self.0.state.lock();
        while state.threads > 0 {
            if self.0.quiet.wait_until(&mut state, deadline).timed_out() && state.threads > 0 {
                return false;
            }
        }
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        // They have nothing more to do than to end.
        handles.into_iter().all(|handle| handle.join().is_ok())
    }

    /// Tells whether every step that is due has been taken, but for so many that are waiting for
    /// the network.
    #[cfg(test)]
    pub(crate) fn is_done(&self) -> impl Fn(usize) -> bool + Send + Sync + use<> {
        let inner = Arc::downgrade(&self.0);
        move |waiting| {
            let Some(inner) = inner.upgrade() else { return true };
            let state = inner.state.lock();
            let due = state.agenda.next().is_some_and(|due| due <= inner.clock.now());
            state.agenda.running() <= waiting && !due
        }
    }

    /// Sees to it that a thread looks at the clock.
    fn staff(&self, state: &mut State) -> Result<()> {
        if state.idle > 0 {
            self.0.idle.notify_one();
            return Ok(());
        }
        if state.starting > 0 || state.threads >= THREADS {
            return Ok(());
        }
        let lane = self.clone();
        let handle = crate::sys::spawn("consul-lane", move || lane.work())
            .map_err(|e| Error::new(Status::NoMemory, format!("cannot start a thread: {e}")))?;
        state.handles.push(handle);
        state.threads += 1;
        state.starting += 1;
        Ok(())
    }

    /// What each thread does.
    fn work(&self) {
        let inner = &*self.0;
        let mut state = inner.state.lock();
        state.starting -= 1;
        loop {
            if let Some((id, task)) = state.agenda.take(inner.clock.now()) {
                self.step(&mut state, id, task);
            } else if state.agenda.is_closed() || !self.rest(&mut state) {
                break;
            }
        }
        if !state.agenda.is_closed() {
            // Nobody will join it.
            let me = std::thread::current().id();
            state.handles.retain(|handle| handle.thread().id() != me);
        }
        state.threads -= 1;
        inner.quiet.notify_all();
    }

    /// Takes a step of a task, with the lane unlocked.
    fn step(&self, state: &mut MutexGuard<'_, State>, id: TaskId, task: Arc<dyn Task>) {
        if task.uses_network() && state.agenda.len() > 1 && !state.watched {
            // Without another thread the time is kept again when this step is over.
            let _ = self.staff(state);
        }
        let next = MutexGuard::unlocked(state, || {
            caught(|| task.step()).unwrap_or_else(|error| {
                // A task that cannot even say that it failed is at its end.
                caught(|| task.failed(error)).unwrap_or_default()
            })
        });
        let ended = state.agenda.finish(id, next);
        if state.watched {
            self.0.earlier.notify_one();
        }
        // What a task holds may use the lane when it is dropped.
        MutexGuard::unlocked(state, move || drop((task, ended)));
    }

    /// Sleeps until something is due. False when the thread is not needed any more.
    fn rest(&self, state: &mut MutexGuard<'_, State>) -> bool {
        let inner = &*self.0;
        if state.watched {
            state.idle += 1;
            let timed_out = inner.idle.wait_for(state, LINGER).timed_out();
            state.idle -= 1;
            return !(timed_out && state.watched);
        }
        let sleep = match state.agenda.next() {
            Some(due) => due.saturating_sub(inner.clock.now()).min(inner.clock.tick()),
            None => LINGER,
        };
        state.watched = true;
        let timed_out = inner.earlier.wait_for(state, sleep).timed_out();
        state.watched = false;
        !(timed_out && state.agenda.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::{BootClock, TestClock};
    use super::agenda::{LATE, NETWORK};
    use super::*;
    use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A task made of a closure.
    struct Steps<F> {
        network: bool,
        body: F,
        failures: Sender<Error>,
    }

    impl<F: Fn() -> Option<Duration> + Send + Sync> Task for Steps<F> {
        fn uses_network(&self) -> bool {
            self.network
        }

        fn step(&self) -> Option<Duration> {
            (self.body)()
        }

        fn failed(&self, error: Error) -> Option<Duration> {
            self.failures.send(error).unwrap();
            None
        }
    }

    fn task(
        network: bool,
        body: impl Fn() -> Option<Duration> + Send + Sync + 'static,
    ) -> (Arc<dyn Task>, Receiver<Error>) {
        let (failures, failed) = unbounded();
        (Arc::new(Steps { network, body, failures }), failed)
    }

    fn turned() -> (Arc<TestClock>, Lane) {
        let clock = Arc::new(TestClock::default());
        (clock.clone(), Lane::new(clock))
    }

    fn threads(lane: &Lane) -> usize {
        lane.0.state.lock().threads
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn steps_come_when_they_are_due_and_not_before() {
        let (clock, lane) = turned();
        let (send, steps) = unbounded();
        let seen = clock.clone();
        let (task, _) = task(true, move || {
            let now = seen.now();
            send.send(now).unwrap();
            (now < SECOND * 3).then_some(now + SECOND)
        });
        lane.schedule(TaskId::new(), &task, SECOND).unwrap();
        assert!(steps.recv_timeout(Duration::from_millis(30)).is_err());
        for second in 1..=3 {
            clock.advance(SECOND);
            assert_eq!(steps.recv_timeout(PATIENCE), Ok(SECOND * second));
        }
        drop(task);
        // With its last step the task is gone, and what it holds with it.
        assert!(steps.recv_timeout(PATIENCE).is_err_and(|e| e.is_disconnected()));
    }

    #[test]
    fn a_task_takes_one_step_at_a_time_and_never_forgets_a_request() {
        let (_, lane) = turned();
        let ((enter, entered), (leave, left)) = (unbounded(), unbounded::<()>());
        let (task, _) = task(true, move || {
            enter.send(()).unwrap();
            left.recv().unwrap();
            None
        });
        let id = TaskId::new();
        lane.schedule(id, &task, Duration::ZERO).unwrap();
        entered.recv_timeout(PATIENCE).unwrap();
        for _ in 0..5 {
            lane.schedule(id, &task, Duration::ZERO).unwrap();
        }
        assert!(entered.recv_timeout(Duration::from_millis(30)).is_err());
        leave.send(()).unwrap();
        entered.recv_timeout(PATIENCE).unwrap();
        leave.send(()).unwrap();
        drop(task);
        assert!(entered.recv_timeout(PATIENCE).is_err_and(|e| e.is_disconnected()));
    }

    #[test]
    fn an_ended_task_takes_no_step_more() {
        let (clock, lane) = turned();
        let (send, steps) = unbounded();
        let (task, _) = task(true, move || {
            send.send(()).unwrap();
            Some(SECOND)
        });
        let id = TaskId::new();
        lane.schedule(id, &task, Duration::ZERO).unwrap();
        steps.recv_timeout(PATIENCE).unwrap();
        lane.end(id);
        drop(task);
        clock.advance(SECOND * 2);
        assert!(steps.recv_timeout(PATIENCE).is_err_and(|e| e.is_disconnected()));
    }

    #[test]
    fn what_waits_for_the_network_is_bounded_and_delays_nothing_else() {
        let (clock, lane) = turned();
        let ((enter, entered), (leave, left)) = (unbounded(), bounded::<()>(0));
        let (stuck, _) = task(true, move || {
            enter.send(()).unwrap();
            let _ = left.recv();
            None
        });
        for _ in 0..NETWORK * 3 {
            lane.schedule(TaskId::new(), &stuck, Duration::ZERO).unwrap();
        }
        for _ in 0..NETWORK {
            entered.recv_timeout(PATIENCE).unwrap();
        }
        let (send, noticed) = unbounded();
        let (deadline, _) = task(false, move || {
            send.send(()).unwrap();
            None
        });
        lane.schedule(TaskId::new(), &deadline, Duration::ZERO).unwrap();
        noticed.recv_timeout(PATIENCE).unwrap();
        assert!(entered.try_recv().is_err());
        assert!(threads(&lane) <= NETWORK + 1);
        // Those that come too late get some connections more.
        clock.advance(LATE);
        for _ in NETWORK..NETWORK_WHEN_LATE {
            entered.recv_timeout(PATIENCE).unwrap();
        }
        assert!(entered.recv_timeout(Duration::from_millis(30)).is_err());
        drop(leave);
        for _ in NETWORK_WHEN_LATE..NETWORK * 3 {
            entered.recv_timeout(PATIENCE).unwrap();
        }
        assert!(threads(&lane) <= THREADS);
    }

    #[test]
    fn a_panic_is_an_internal_error_of_its_task_and_the_lane_lives_on() {
        let (_, lane) = turned();
        let (broken, failed) = task(true, || panic!("out of luck"));
        lane.schedule(TaskId::new(), &broken, Duration::ZERO).unwrap();
        let error = failed.recv_timeout(PATIENCE).unwrap();
        assert_eq!(error.status(), Status::Internal);
        assert!(error.message().contains("out of luck"), "{error}");
        let (send, steps) = unbounded();
        let (whole, _) = task(true, move || {
            send.send(()).unwrap();
            None
        });
        lane.schedule(TaskId::new(), &whole, Duration::ZERO).unwrap();
        steps.recv_timeout(PATIENCE).unwrap();
    }

    #[test]
    fn there_is_no_thread_before_the_first_task_and_none_after_closing() {
        let lane = Lane::new(Arc::new(BootClock));
        assert_eq!(threads(&lane), 0);
        let (task, _) = task(true, || Some(Duration::MAX));
        lane.schedule(TaskId::new(), &task, Duration::ZERO).unwrap();
        assert_eq!(threads(&lane), 1);
        lane.close();
        assert!(lane.wait_closed(Instant::now() + PATIENCE));
        assert_eq!(Arc::strong_count(&task), 1);
        let refused = lane.schedule(TaskId::new(), &task, Duration::ZERO).unwrap_err();
        assert_eq!(refused.status(), Status::Closed);
    }

    #[test]
    fn its_threads_have_a_name_and_take_no_signals() {
        let (_, lane) = turned();
        let (send, seen) = unbounded();
        let (task, _) = task(true, move || {
            send.send(std::fs::read_to_string("/proc/thread-self/status").unwrap()).unwrap();
            None
        });
        lane.schedule(TaskId::new(), &task, Duration::ZERO).unwrap();
        let status = seen.recv_timeout(PATIENCE).unwrap();
        assert!(status.contains("Name:\tconsul-lane"), "{status}");
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
        let blocked = u64::from_str_radix(blocked, 16).unwrap();
        assert_ne!(blocked & (1 << (libc::SIGTERM - 1)), 0);
    }
}
