//! Whose turn it is to have an exchange about something that is kept up: one comes after the other.

use crate::client::{Client, Either};
use crate::error::Result;
use crate::runtime::until;
use crate::sync::{Condvar, Mutex};
use std::task::Waker;

/// The right to have an exchange.
#[derive(Default)]
pub(in crate::recipes) struct Turn {
    line: Mutex<Line>,
    free: Condvar,
}

#[derive(Default)]
struct Line {
    taken: bool,
    /// Calls that wait without a thread.
    waiting: Vec<Waker>,
}

/// Held during an exchange.
pub(in crate::recipes) struct Taken<'a>(&'a Turn);

impl Turn {
    /// The turn, if nobody has it.
    pub(in crate::recipes) fn try_take(&self) -> Option<Taken<'_>> {
        self.line.lock().take().then(|| Taken(self))
    }

    /// Waits for the turn as this client does for its calls.
    pub(in crate::recipes) async fn take(&self, client: &Client<Either>) -> Result<Taken<'_>> {
        match client.style() {
            Either::Blocks => Ok(self.wait()),
            Either::Defers => until(&client.cancel(), |waker| self.take_or_line_up(waker)).await,
        }
    }

    fn wait(&self) -> Taken<'_> {
        let mut line = self.line.lock();
        while !line.take() {
            self.free.wait(&mut line);
        }
        Taken(self)
    }

    fn take_or_line_up(&self, waker: &Waker) -> Option<Taken<'_>> {
        let mut line = self.line.lock();
        if line.take() {
            return Some(Taken(self));
        }
        line.waiting.push(waker.clone());
        None
    }
}

impl Line {
    /// False when somebody has it.
    fn take(&mut self) -> bool {
        !std::mem::replace(&mut self.taken, true)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut line = self.0.line.lock();
            line.taken = false;
            std::mem::take(&mut line.waiting)
        };
        self.0.free.notify_one();
        for waker in waiting {
            waker.wake();
        }
    }
}
