//! What outlives a call: a client's clock, its lane of timed work, and who lives on it; and the
//! process's I/O thread.
//!
//! Nothing here knows of sessions or locks; they come as tasks and residents.

mod clock;
pub(crate) mod fault;
pub(crate) mod io;
mod jitter;
mod lane;
mod nap;
mod places;
pub(crate) mod queue;
mod signal;
mod task;
mod upkeep;

#[cfg(test)]
pub(crate) use clock::TestClock;
pub(crate) use clock::{BootClock, Clock};
pub(crate) use jitter::{Jitter, backoff};
pub(crate) use lane::{Lane, Task, TaskId};
pub(crate) use nap::{Naps, sleep};
pub(crate) use places::{Place, Places};
pub(crate) use signal::Signal;
pub(crate) use task::{at_once, on_thread, pause, spawn, until};
pub(crate) use upkeep::{Kept, Leaving, Order, Resident, Standing, Upkeep};
