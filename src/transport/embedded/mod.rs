//! A Consul agent in memory: for development, tests and demonstrations without a server.
//!
//! It takes the requests that would go to a Consul 1.8.7 in development mode, and gives the
//! statuses, headers and bodies that it would give. There is no thread and no socket behind it:
//! whoever asks lets happen what is due, and who waits is woken by whoever changes something.

mod agent;
mod registration;
mod query;
mod near;
mod limits;
mod health;
mod filter;
mod event;
mod coordinate;
mod catalog;
mod agent_api;
mod call;
mod clock;
mod decode;
mod faults;
mod go;
mod json;
mod control;
mod kv;
mod registry;
mod routes;
mod session;
mod state;
mod status;
mod syntax;
mod txn;
mod wait;
mod wire;

use super::cancel::Closing;
use super::tasks::{Finish, Tasks};
use super::{CancelToken, Done, OwnedRequest, Request, Response, Transport};
use crate::error::{Error, Result};
use crate::runtime::io::Io;
use crate::sys::PerProcess;
use agent::Agent;
use call::Call;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::Instant;

pub(crate) use control::Control;

/// The one datacenter.
const DATACENTER: &str = "dc1";
/// The agent's own node.
const NODE: &str = "embedded";

/// Its id.
const NODE_ID: &str = "e3b0c442-98fc-1c14-9afb-f4c8996fb924";

/// A client's way to an agent in memory.
pub struct EmbeddedTransport {
    shown: String,
    agent: Arc<Agent>,
    interruptible: bool,
    /// Closed, in this process or in one that it was forked from.
    closed: AtomicBool,
    process: PerProcess<Process>,
}

/// What a transport has in one process.
#[derive(Default)]
struct Process {
    closing: Closing,
    tasks: Arc<Tasks>,
}

impl EmbeddedTransport {
    /// A way to the agent of this name, which all clients of the process share that name it; without
    /// a name, to one of its own.
    pub fn new(name: &str, interruptible: bool) -> EmbeddedTransport {
        let shown = format!("embedded:{name}");
        let agent = registry::agent(name, &shown);
        EmbeddedTransport {
            shown,
            agent,
            interruptible,
            closed: AtomicBool::new(false),
            process: PerProcess::new(),
        }
    }

    fn process(&self) -> &Process {
        self.process.get_or_init(|| {
            let process = Process::default();
            if self.closed.load(Acquire) {
                process.close();
            }
            process
        })
    }

    /// A failure as the layer above gets it.
    fn told(&self, error: Error) -> Error {
        error.context(&self.shown).with_endpoint(&self.shown)
    }

    /// What a test does with its agent.
    pub fn control(&self) -> Control {
        Control::new(self.agent.clone())
    }
}

impl Process {
    fn close(&self) {
        self.closing.close();
    }
}

impl Transport for EmbeddedTransport {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let process = self.process();
        let call = Call::new(&self.agent, &request, self.interruptible);
        let cancelled = [Some(process.closing.of(request.lane)), request.cancel];
        call.wait(cancelled.into_iter().flatten()).map_err(|error| self.told(error))
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        let io = match Io::get() {
            Ok(io) => io,
            Err(error) => return done(Err(self.told(error))),
        };
        let process = self.process();
        let call = Call::new(&self.agent, &request.borrow(&cancel), false);
        let (closing, counted) = (process.closing.of(request.lane).clone(), process.tasks.enter());
        let done = Finish::new(done);
        io.clone().spawn(async move {
            let answer = call.run(&io, [&closing, &cancel]).await;
            let answer = answer.map_err(|error| self.told(error));
            drop((self, io));
            done.with(answer);
            drop(counted);
        });
    }

    fn end_calls(&self) {
        self.process().closing.end_calls();
    }

    fn close(&self) {
        self.closed.store(true, Release);
        self.process().close();
    }

    fn wait_closed(&self, deadline: Instant) -> bool {
        self.process().tasks.wait_ended(deadline)
    }

    fn endpoint(&self) -> &str {
        &self.shown
    }

    fn embedded(&self) -> Option<Control> {
        Some(self.control())
    }
}

#[cfg(test)]
mod desk;

#[cfg(test)]
mod testing {
    use super::wire::Wire;
    use crate::transport::{Lane, Method, Request};
    use std::time::Instant;

    /// A request to read this.
    pub(super) fn get(target: &str) -> Wire {
        request(Method::Get, target, b"")
    }

    pub(super) fn request(method: Method, target: &str, body: &[u8]) -> Wire {
        Wire::new(&Request {
            method,
            target,
            headers: &[],
            body: Some(body),
            deadline: Instant::now(),
            connect_by: Instant::now(),
            replay: false,
            max_answer: u64::MAX,
            lane: Lane::Calls,
            cancel: None,
            gone: None,
        })
    }
}

#[cfg(test)]
mod tests;
