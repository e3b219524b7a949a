//! One connection, as ureq sees it.

use super::buffers::Buffers;
use super::call::{Call, Phase, current};
use super::failure;
use super::link::Link;
use crate::error::{Error, Status};
use std::io;
use std::sync::Arc;
use ureq::unversioned::transport::{Buffers as UreqBuffers, NextTimeout, Transport};

/// The most bytes of an answer to hold that ureq could not use yet; more than the longest head.
const MAX_UNUSED: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    buffers: Buffers,
    /// The exchange it serves; none while it lies in the pool.
    call: Option<Arc<Call>>,
    /// Why the last write failed. The peer may have answered before it closed, so that is looked
    /// for first.
    write_error: Option<io::Error>,
}

impl Connection {
    /// A new connection, for the call that it was made for.
    pub(super) fn new(link: Link, call: Arc<Call>) -> Connection {
        let mut buffers = Buffers::default();
        buffers.reserve_line(call.longest_line);
        Connection { link, buffers, call: Some(call), write_error: None }
    }

    fn flush(&mut self, call: &Call) -> Result<(), ureq::Error> {
        if self.buffers.pending().is_empty() {
            return Ok(());
        }
        if self.write_error.is_none() {
            call.enter(Phase::Send);
            match self.link.send_all(self.buffers.pending(), call) {
                Ok(()) => {}
                Err(error) if failure::is_death(&error) => self.write_error = Some(error),
                Err(error) => return Err(failure::of_io(error)),
            }
            call.enter(Phase::Answer);
        }
        self.buffers.sent();
        Ok(())
    }

    fn receive(&mut self, call: &Call) -> Result<bool, ureq::Error> {
        check_unused(&self.buffers)?;
        let got = self.link.receive(self.buffers.input_append_buf(), call);
        received(got, &mut self.buffers, &mut self.write_error, call)
    }

    fn call(&self) -> Result<Arc<Call>, ureq::Error> {
        self.call.clone().ok_or_else(|| {
            failure::of(Error::new(Status::Internal, "a connection is used outside of an exchange"))
        })
    }

    /// Ends its service to the exchange it served. False when the exchange was interrupted.
    fn leave(&mut self) -> bool {
        self.call.take().is_none_or(|call| call.detach())
    }

    /// Takes it from the pool for the exchange that runs on this thread.
    fn join(&mut self) -> bool {
        let Some(call) = current() else { return false };
        if !call.takes_idle() || !self.link.is_reusable(&call) {
            return false;
        }
        if call.attach(self.link.descriptor()).is_err() {
            return false;
        }
        call.note_connection(true);
        self.buffers.reserve_line(call.longest_line);
        self.call = Some(call);
        true
    }
}

/// ureq uses a body up as it comes, and bounds the head; but not the lines between chunks.
pub(super) fn check_unused(buffers: &Buffers) -> Result<(), ureq::Error> {
    if buffers.input().len() > MAX_UNUSED { Err(failure::endless()) } else { Ok(()) }
}

/// Takes note of what came of waiting for bytes. False when the answer has ended.
pub(super) fn received(
    received: io::Result<usize>,
    buffers: &mut Buffers,
    write_error: &mut Option<io::Error>,
    call: &Call,
) -> Result<bool, ureq::Error> {
    match received {
        Ok(0) if call.is_answered() => Ok(false),
        Ok(0) => {
            call.note_death();
            Err(match write_error.take() {
                Some(error) => failure::of_io(error),
                None => failure::closed_unanswered(),
            })
        }
        Ok(received) => {
            buffers.input_appended(received);
            call.note_answered();
            Ok(true)
        }
        Err(error) => {
            if failure::is_death(&error) {
                call.note_death();
            }
            Err(failure::of_io(error))
        }
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn UreqBuffers {
        &mut self.buffers
    }

    /// Only collects: head and body leave together, when ureq begins to wait for the answer.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        if self.buffers.written(amount) {
            let call = self.call()?;
            self.flush(&call)?;
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let call = self.call()?;
        self.flush(&call)?;
        self.receive(&call)
    }

    /// ureq asks twice: when an exchange gives the connection back, and when the next one takes it.
    /// Only the second needs a look at the socket.
    fn is_open(&mut self) -> bool {
        if self.call.is_none() {
            return self.join();
        }
        if self.write_error.is_some() || !self.leave() {
            return false;
        }
        self.buffers.rest();
        self.link.rest();
        true
    }

    fn is_tls(&self) -> bool {
        self.link.is_tls()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}
