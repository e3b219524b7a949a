//! Where everything asynchronous arrives.
//!
//! An activity begins as a [`Flight`] of the queue and ends with exactly one last event. What an
//! event says is made when it is read, on the reader's thread: the library's own threads never
//! decode an answer, and who reads late sees the newest state.

mod alarm;
mod event;
mod flight;
mod served;
#[cfg(test)]
mod tests;

pub use event::{Content, Event, EventKind};
pub use flight::Flight;

use super::io::{self, Bell, Guest, Nudge};
use crate::error::{Error, Result, Status};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::transport::CancelToken;
use alarm::Alarm;
use event::Arrival;
use foldhash::fast::RandomState;
use served::Served;
use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many operations may be in flight at once where nobody says otherwise.
pub const DEFAULT_MOST: usize = 1024;

/// A queue of events. A clone is the same queue.
#[derive(Clone, Default)]
pub struct Queue(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    arrivals: VecDeque<Arrival>,
    flights: HashMap<u64, InFlight, RandomState>,
    next_flight: u64,
    /// Operations whose event was not read yet.
    operations: usize,
    most: usize,
    woken: bool,
    closed: bool,
    alarm: Alarm,
    served: Option<Served>,
    /// How many wait to be told.
    readers: usize,
    /// Wakes the reader that runs the I/O loop while it waits.
    driver: Option<Nudge>,
}

struct InFlight {
    tag: u64,
    cancel: CancelToken,
}

impl Default for State {
    fn default() -> State {
        State {
            arrivals: VecDeque::new(),
            flights: HashMap::default(),
            next_flight: 0,
            operations: 0,
            most: DEFAULT_MOST,
            woken: false,
            closed: false,
            alarm: Alarm::default(),
            served: None,
            readers: 0,
            driver: None,
        }
    }
}

impl Queue {
    /// An empty queue. Makes neither a thread nor a descriptor.
    pub fn new() -> Queue {
        Queue::default()
    }

    /// How many operations may be in flight at once: started, and their event not read yet.
    pub fn set_most(&self, most: usize) {
        self.0.state.lock().most = most;
    }

    /// Begins an operation. `Status::Busy` when as many as allowed are in flight.
    pub fn begin(&self, tag: u64) -> Result<Flight> {
        let mut state = self.0.state.lock();
        if state.operations >= state.most {
            let message = format!(
                "{} operations are in flight in this queue, or have ended unread: no more are allowed",
                state.operations
            );
            return Err(Error::new(Status::Busy, message));
        }
        let flight = self.board(&mut state, tag, true)?;
        state.operations += 1;
        Ok(flight)
    }

    /// Begins something that goes on until it is ended, such as a watch. It does not count among
    /// the operations in flight, so it must not let its unread events pile up.
    pub fn attach(&self, tag: u64) -> Result<Flight> {
        self.board(&mut self.0.state.lock(), tag, false)
    }

    fn board(&self, state: &mut State, tag: u64, counted: bool) -> Result<Flight> {
        if state.closed {
            return Err(closed());
        }
        let (id, cancel) = (state.next_flight, CancelToken::new());
        state.next_flight += 1;
        state.flights.insert(id, InFlight { tag, cancel: cancel.clone() });
        Ok(Flight::new(self.clone(), id, tag, counted, cancel))
    }

    /// The next event, once there is one: `None` when there was none for this long, or somebody
    /// called [`Queue::wake`]. [`Duration::MAX`] waits for ever.
    pub fn next(&self, timeout: Duration) -> Result<Option<Event>> {
        let mut until = None;
        let mut guest = None;
        let mut state = self.0.state.lock();
        loop {
            if state.closed {
                return Err(closed());
            }
            if let Some(arrival) = state.pop() {
                drop(state);
                return Ok(Some(arrival.read()));
            }
            let until = *until.get_or_insert_with(|| Instant::now().checked_add(timeout));
            if state.take_wake() || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(None);
            }
            let guest = guest.get_or_insert_with(Guest::enter).as_ref();
            if guest.is_some_and(|guest| self.drive(guest, &mut state, until)) {
                continue;
            }
            state.readers += 1;
            match until {
                Some(until) => drop(self.0.arrived.wait_until(&mut state, until)),
                None => self.0.arrived.wait(&mut state),
            }
            state.readers -= 1;
        }
    }

    /// Waits by running the I/O loop. False where that is not possible, and nothing has come.
    fn drive(
        &self,
        guest: &Guest,
        state: &mut MutexGuard<'_, State>,
        until: Option<Instant>,
    ) -> bool {
        if state.driver.is_some() {
            return false;
        }
        state.driver = Some(guest.nudge());
        let has_driven =
            MutexGuard::unlocked(state, || guest.drive(until, || self.0.state.lock().has_news()));
        state.driver = None;
        // What has come since was not told to anybody.
        has_driven || state.has_news()
    }

    /// Ends the wait of one who is in [`Queue::next`], or of the next who would wait there.
    pub fn wake(&self) {
        let mut state = self.0.state.lock();
        state.woken = true;
        self.0.rouse(state, false);
    }

    /// Cancels everything in flight under this tag. Each ends with its last event, soon.
    pub fn cancel(&self, tag: u64) {
        let state = self.0.state.lock();
        let same = state.flights.values().filter(|flight| flight.tag == tag);
        let cancels: Vec<CancelToken> = same.map(|flight| flight.cancel.clone()).collect();
        drop(state);
        for cancel in cancels {
            cancel.cancel(Status::Cancelled, "cancelled");
        }
    }

    /// A descriptor that is readable while [`Queue::next`] would not wait. It lives as long as the
    /// queue, and must only be polled.
    pub fn fd(&self) -> Result<RawFd> {
        self.0.state.lock().alarm.descriptor()
    }

    /// Serves the same news at a unix socket of mode 0600: whoever connects reads a byte each time
    /// that the queue is not empty any more.
    pub fn serve(&self, path: &Path) -> Result<()> {
        let served = Served::start(self, path)?;
        let mut state = self.0.state.lock();
        if state.closed {
            return Err(closed());
        }
        let before = state.served.replace(served);
        drop(state);
        drop(before);
        Ok(())
    }

    /// Ends the queue: everything in flight is cancelled and ends silently.
    pub fn close(&self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        let flights = std::mem::take(&mut state.flights);
        let arrivals = std::mem::take(&mut state.arrivals);
        let served = state.served.take();
        self.0.rouse(state, true);
        for flight in flights.into_values() {
            flight.cancel.cancel(Status::Cancelled, "the queue was freed");
        }
        drop((arrivals, served));
    }

    fn arrive(&self, arrival: Arrival, ended: Option<u64>) {
        let mut state = self.0.state.lock();
        if let Some(id) = ended {
            state.flights.remove(&id);
        }
        if state.closed {
            return MutexGuard::unlocked(&mut state, || drop(arrival));
        }
        state.arrivals.push_back(arrival);
        drop(state);
        io::ring(&self.0);
    }

    /// One more who listens at the socket.
    fn admit(&self, reader: std::os::unix::net::UnixStream) {
        self.0.state.lock().alarm.admit(reader);
    }
}

impl Inner {
    /// Tells that there is news: one of those who wait, or all of them.
    fn rouse(&self, mut state: MutexGuard<'_, State>, all: bool) {
        state.alarm.raise();
        let driver = state.driver.clone();
        drop(state);
        if all {
            self.arrived.notify_all()
        } else {
            self.arrived.notify_one()
        }
        if let Some(driver) = driver {
            driver.nudge();
        }
    }
}

impl Bell for Inner {
    fn ring(&self) -> bool {
        let state = self.state.lock();
        let (waiting, has_reader) = (state.arrivals.len(), state.readers > 0);
        if waiting == 0 {
            return false;
        }
        self.rouse(state, waiting > 1);
        has_reader
    }
}

impl State {
    /// Who reads need not wait.
    fn has_news(&self) -> bool {
        !self.arrivals.is_empty() || self.woken || self.closed
    }

    fn pop(&mut self) -> Option<Arrival> {
        let arrival = self.arrivals.pop_front()?;
        self.operations -= usize::from(arrival.counted);
        self.quiet();
        Some(arrival)
    }

    fn take_wake(&mut self) -> bool {
        let woken = std::mem::take(&mut self.woken);
        if woken {
            self.quiet();
        }
        woken
    }

    fn quiet(&mut self) {
        if self.arrivals.is_empty() && !self.woken {
            self.alarm.lower();
        }
    }
}

fn closed() -> Error {
    Error::new(Status::Closed, "the queue was freed")
}
