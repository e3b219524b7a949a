//! One exchange in flight: its deadline, how far it got, and what wakes it early.

use crate::error::{Error, Result, Status};
use crate::sync::{Condvar, Mutex};
use crate::transport::cancel::Interrupt;
use rustix::net::Shutdown;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// What an exchange is busy with, for the message of a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Place,
    Lookup,
    Connect,
    Handshake,
    Send,
    Answer,
    Body,
}

impl Phase {
    fn doing(self) -> &'static str {
        match self {
            Phase::Place => "waiting for one of max_connections",
            Phase::Lookup => "looking up the host name",
            Phase::Connect => "connecting",
            Phase::Handshake => "in the TLS handshake",
            Phase::Send => "sending the request",
            Phase::Answer => "waiting for the answer",
            Phase::Body => "reading the answer",
        }
    }

    const ALL: [Phase; 7] = [
        Phase::Place,
        Phase::Lookup,
        Phase::Connect,
        Phase::Handshake,
        Phase::Send,
        Phase::Answer,
        Phase::Body,
    ];
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    /// When its connection must stand.
    pub(super) connect_by: Instant,
    interruptible: bool,
    phase: AtomicU8,
    /// A byte of the request left this process.
    sent: AtomicBool,
    /// A byte of the answer arrived.
    answered: AtomicBool,
    /// The connection had served another exchange before.
    reused: AtomicBool,
    /// The peer closed or reset the connection before it answered.
    died: AtomicBool,
    /// Idle connections are not to be used: one of them just turned out to be dead.
    fresh_only: AtomicBool,
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    interrupted: Option<Error>,
    socket: Option<Arc<OwnedFd>>,
    signalled: bool,
    /// The task that the call runs in; none where it has a thread of its own.
    task: Option<Waker>,
}

impl State {
    fn wake_task(&self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }
}

impl Call {
    pub(super) fn new(deadline: Instant, connect_by: Instant, interruptible: bool) -> Arc<Call> {
        Arc::new(Call {
            started: Instant::now(),
            deadline,
            connect_by: connect_by.min(deadline),
            interruptible,
            phase: AtomicU8::new(Phase::Place as u8),
            sent: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            reused: AtomicBool::new(false),
            died: AtomicBool::new(false),
            fresh_only: AtomicBool::new(false),
            state: Mutex::default(),
            woken: Condvar::new(),
        })
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// The time left for what it is busy with; none left is the error that says so.
    pub(super) fn rest(&self) -> Result<Duration> {
        let until = if self.is_connecting() { self.connect_by } else { self.deadline };
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() { Err(self.timeout()) } else { Ok(rest) }
    }

    /// An error where its deadline was over before it began.
    pub(super) fn check_begun_in_time(&self) -> Result<()> {
        if self.started < self.deadline { Ok(()) } else { Err(self.timeout()) }
    }

    fn is_connecting(&self) -> bool {
        let phase = self.phase.load(Relaxed);
        (Phase::Lookup as u8..=Phase::Handshake as u8).contains(&phase)
    }

    pub(super) fn timeout(&self) -> Error {
        let phase = Phase::ALL[usize::from(self.phase.load(Relaxed)) % Phase::ALL.len()];
        let spent = self.started.elapsed().as_millis();
        let message = format!("timed out after {spent} ms, {}", phase.doing());
        Error::new(Status::Timeout, message)
    }

    /// The reason to stop, when there is one: cancelled, closed.
    pub(super) fn check(&self) -> Result<()> {
        match &self.state.lock().interrupted {
            Some(reason) => Err(reason.clone()),
            None => Ok(()),
        }
    }

    /// A signal cut a system call short: go on, or end as the client is configured to.
    pub(super) fn signalled(&self) -> Result<()> {
        self.check()?;
        if self.interruptible {
            return Err(Error::new(Status::Interrupted, "interrupted by a signal"));
        }
        Ok(())
    }

    /// From now until `detach` an interruption shuts this socket.
    pub(super) fn attach(&self, socket: &Arc<OwnedFd>) -> Result<()> {
        let mut state = self.state.lock();
        if let Some(reason) = &state.interrupted {
            return Err(reason.clone());
        }
        state.socket = Some(socket.clone());
        Ok(())
    }

    /// The socket is left alone from now on. False when an interruption has shut it.
    pub(super) fn detach(&self) -> bool {
        let mut state = self.state.lock();
        state.socket = None;
        state.interrupted.is_none()
    }

    /// Ends the wait of [`Call::wait`], the next one where there is none at the moment.
    pub(super) fn signal(&self) {
        let mut state = self.state.lock();
        state.signalled = true;
        state.wake_task();
        drop(state);
        self.woken.notify_all();
    }

    /// The call runs in this task: what would wake its thread wakes that.
    pub(super) fn run_in(&self, task: &Waker) {
        self.state.lock().task = Some(task.clone());
    }

    /// The end of [`Call::run_in`].
    pub(super) fn leave_task(&self) {
        let task = self.state.lock().task.take();
        drop(task);
    }

    /// As [`Call::wait`], for a call that runs in a task. Somebody else must wake it at `until`.
    pub(super) fn poll_wait(&self, until: Instant) -> Poll<Result<bool>> {
        let mut state = self.state.lock();
        if let Some(reason) = &state.interrupted {
            return Poll::Ready(Err(reason.clone()));
        }
        if std::mem::take(&mut state.signalled) {
            return Poll::Ready(Ok(true));
        }
        if Instant::now() >= until { Poll::Ready(Ok(false)) } else { Poll::Pending }
    }

    /// Waits for [`Call::signal`] until `until` at most. True when it came.
    pub(super) fn wait(&self, until: Instant) -> Result<bool> {
        let mut state = self.state.lock();
        loop {
            if let Some(reason) = &state.interrupted {
                return Err(reason.clone());
            }
            if std::mem::take(&mut state.signalled) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            self.woken.wait_until(&mut state, until);
        }
    }

    /// Bytes left this process. They count when they are the request's, not the handshake's.
    pub(super) fn note_sent(&self) {
        if self.phase.load(Relaxed) == Phase::Send as u8 {
            self.sent.store(true, Relaxed);
        }
    }

    /// The peer proved that it has not looked at the request.
    pub(super) fn note_refused(&self) {
        self.sent.store(false, Relaxed);
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent.load(Relaxed)
    }

    pub(super) fn note_answered(&self) {
        self.answered.store(true, Relaxed);
        self.enter(Phase::Body);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Relaxed)
    }

    /// The connection of this exchange is one from the pool (`true`) or a new one.
    pub(super) fn note_connection(&self, reused: bool) {
        self.reused.store(reused, Relaxed);
    }

    pub(super) fn note_death(&self) {
        self.died.store(true, Relaxed);
    }

    /// True when the peer ended a connection of this kind before it answered anything.
    pub(super) fn died(&self, reused: bool) -> bool {
        self.died.load(Relaxed) && !self.is_answered() && self.reused.load(Relaxed) == reused
    }

    /// From now on only a new connection will do.
    pub(super) fn insist_on_fresh(&self) {
        self.fresh_only.store(true, Relaxed);
        self.died.store(false, Relaxed);
    }

    pub(super) fn takes_idle(&self) -> bool {
        !self.fresh_only.load(Relaxed)
    }
}

impl Interrupt for Call {
    fn interrupt(&self, reason: &Error) {
        let mut state = self.state.lock();
        if state.interrupted.is_some() {
            return;
        }
        state.interrupted = Some(reason.clone());
        if let Some(socket) = &state.socket {
            // It fails only where there is nothing left to shut.
            let _ = rustix::net::shutdown(socket, Shutdown::Both);
        }
        state.wake_task();
        drop(state);
        self.woken.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Phase};
    use crate::error::{Error, Status};
    use crate::transport::cancel::Interrupt;
    use std::time::{Duration, Instant};

    fn call(rest: Duration) -> std::sync::Arc<Call> {
        let end = Instant::now() + rest;
        Call::new(end, end, false)
    }

    #[test]
    fn a_timeout_names_what_it_was_doing() {
        let call = call(Duration::ZERO);
        for phase in Phase::ALL {
            call.enter(phase);
            let error = call.rest().unwrap_err();
            assert_eq!(error.status(), Status::Timeout);
            assert!(error.message().contains(phase.doing()), "{error}");
        }
    }

    #[test]
    fn a_signal_before_the_wait_is_not_lost() {
        let call = call(Duration::from_secs(60));
        call.signal();
        assert_eq!(call.wait(call.deadline), Ok(true));
        assert_eq!(call.wait(Instant::now()), Ok(false));
    }

    #[test]
    fn an_interruption_ends_a_wait_and_every_later_one() {
        let call = call(Duration::from_secs(60));
        let waiting = std::thread::spawn({
            let call = call.clone();
            move || call.wait(call.deadline)
        });
        call.interrupt(&Error::new(Status::Cancelled, "enough"));
        call.interrupt(&Error::new(Status::Closed, "late"));
        assert_eq!(waiting.join().unwrap().unwrap_err().message(), "enough");
        assert_eq!(call.check().unwrap_err().message(), "enough");
        assert!(!call.detach());
    }
}
