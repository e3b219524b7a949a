//! One connection, and an exchange over it. ureq-proto speaks the protocol, without I/O of its own.

use super::buffers::Buffers;
use super::call::{Call, Phase};
use super::endpoint::MAX_HEAD;
use super::failure;
use super::link::Link;
use super::message::{self, Outgoing, UreqResult};
use super::skim::skim;
use super::socket::Socket;
use crate::error::{Error, Status};
use crate::transport::{Headers, Response};
use std::io::{self, ErrorKind};
use ureq::unversioned::transport::Buffers as _;
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse, SendBody};
use ureq_proto::client::{Call as Protocol, RecvBodyResult, RecvResponseResult, SendRequestResult};

/// The most bytes of an answer to hold that could not be used yet; more than the longest head.
const MAX_UNUSED: usize = 128 * 1024;

pub(super) struct Connection<S: Socket> {
    pub(super) link: Link<S>,
    pub(super) buffers: Buffers,
    /// Why the last write failed. The peer may have answered before it closed, so that is looked
    /// for first.
    write_error: Option<io::Error>,
}

impl<S: Socket> Connection<S> {
    pub(super) fn new(link: Link<S>) -> Connection<S> {
        Connection { link, buffers: Buffers::default(), write_error: None }
    }

    /// Sends a request and reads the whole answer. True when the connection can serve another one.
    ///
    /// The protocol's states stay here, lent to what waits: to move one takes a copy of its half KiB.
    pub(super) async fn exchange(
        &mut self,
        outgoing: Outgoing<'_>,
        call: &Call,
    ) -> UreqResult<(Response, bool)> {
        let (body, max_answer) = (outgoing.body().unwrap_or_default(), outgoing.max_answer());
        self.buffers.reserve_line(outgoing.longest_line());
        let mut protocol = outgoing.protocol()?.proceed();
        while !protocol.can_proceed() {
            let written = protocol.write(self.buffers.output())?;
            self.written(written, call).await?;
        }
        let mut protocol = match protocol.proceed() {
            Ok(Some(SendRequestResult::RecvResponse(protocol))) => protocol,
            Ok(Some(SendRequestResult::SendBody(mut protocol))) => {
                self.send_body(&mut protocol, body, call).await?;
                protocol.proceed().ok_or_else(cut)?
            }
            // We never ask for a 100.
            Ok(Some(SendRequestResult::Await100(_)) | None) => return Err(cut()),
            Err(error) => return Err(error.into()),
        };
        self.flush(call).await?;
        let (status, headers) = self.read_head(&mut protocol, call).await?;
        let (body, must_close) = match protocol.proceed() {
            Some(RecvResponseResult::RecvBody(mut protocol)) => {
                let body = self.read_body(&mut protocol, max_answer, call).await?;
                (body, ended(protocol)?)
            }
            Some(RecvResponseResult::Redirect(over)) => (Vec::new(), over.must_close_connection()),
            Some(RecvResponseResult::Cleanup(over)) => (Vec::new(), over.must_close_connection()),
            None => return Err(cut()),
        };
        let clean = self.buffers.input().is_empty() && self.write_error.is_none();
        Ok((Response { status, headers, body }, clean && !must_close))
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        self.buffers.rest();
        self.link.rest();
    }

    async fn send_body(
        &mut self,
        protocol: &mut Protocol<SendBody>,
        mut body: &[u8],
        call: &Call,
    ) -> UreqResult<()> {
        while !protocol.can_proceed() {
            let (taken, written) = protocol.write(body, self.buffers.output())?;
            body = body.get(taken..).unwrap_or_default();
            self.written(written, call).await?;
        }
        Ok(())
    }

    /// Takes what was written into the buffer, and sends it when that is full: head and body leave
    /// together where they fit.
    pub(super) async fn written(&mut self, amount: usize, call: &Call) -> UreqResult<()> {
        if self.buffers.written(amount) { self.flush(call).await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self, call: &Call) -> UreqResult<()> {
        if self.buffers.pending().is_empty() {
            return Ok(());
        }
        if self.write_error.is_none() {
            call.enter(Phase::Send);
            match self.link.send_all(self.buffers.pending(), call).await {
                Ok(()) => {}
                Err(error) if failure::is_death(&error) => self.write_error = Some(error),
                Err(error) => return Err(failure::of_io(error)),
            }
            call.enter(Phase::Answer);
        }
        self.buffers.sent();
        Ok(())
    }

    /// Waits for more of the answer. False when the peer has ended it.
    pub(super) async fn receive(&mut self, call: &Call) -> UreqResult<bool> {
        // A body is used up as it comes, and the head is bounded; but not the lines between chunks.
        if self.buffers.input().len() > MAX_UNUSED {
            return Err(endless());
        }
        match self.link.receive(self.buffers.input_append_buf(), call).await {
            Ok(0) if call.is_answered() => Ok(false),
            Ok(0) => {
                call.note_death();
                Err(self.write_error.take().map_or_else(unanswered, failure::of_io))
            }
            Ok(received) => {
                self.buffers.input_appended(received);
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

    async fn read_head(
        &mut self,
        protocol: &mut Protocol<RecvResponse>,
        call: &Call,
    ) -> UreqResult<(u16, Headers)> {
        loop {
            let more = self.buffers.can_use_input() || self.receive(call).await?;
            let skimmed = skim(self.buffers.input()).unwrap_or_default();
            let left_out: usize = skimmed.unread.iter().map(ExactSizeIterator::len).sum();
            self.buffers.cut(skimmed.unread);
            let input = self.buffers.input();
            let (used, head) = protocol.try_response(input, false)?;
            let length = left_out + if head.is_some() { used } else { input.len() };
            if length > MAX_HEAD {
                return Err(ureq::Error::LargeResponseHeader(length, MAX_HEAD));
            }
            self.buffers.input_consume(used);
            match head {
                Some(head) => return Ok((head.status().as_u16(), skimmed.headers)),
                None if !more => return Err(cut()),
                None => {}
            }
        }
    }

    /// The body, as far as it has come when the connection ends.
    async fn read_body(
        &mut self,
        protocol: &mut Protocol<RecvBody>,
        max_answer: u64,
        call: &Call,
    ) -> UreqResult<Vec<u8>> {
        let announced = match protocol.body_mode() {
            BodyMode::LengthDelimited(length) => length,
            _ => 0,
        };
        let mut body = message::room_for(announced, max_answer)?;
        let ends_with_connection = protocol.body_mode() == BodyMode::CloseDelimited;
        while ends_with_connection || !protocol.can_proceed() {
            let used = self.take_body(protocol, &mut body)?;
            message::check_size(body.len(), max_answer)?;
            if used == 0 && !self.receive(call).await? {
                break;
            }
        }
        Ok(body)
    }

    /// Moves what has been received to the body. How many bytes of it could be used.
    fn take_body(
        &mut self,
        protocol: &mut Protocol<RecvBody>,
        body: &mut Vec<u8>,
    ) -> UreqResult<usize> {
        let input = self.buffers.input();
        let length = body.len();
        body.resize(length + input.len(), 0);
        let (used, got) = protocol.read(input, body.get_mut(length..).unwrap_or_default())?;
        body.truncate(length + got);
        self.buffers.input_consume(used);
        Ok(used)
    }
}

/// After the whole of a body: whether the connection must be closed.
fn ended(protocol: Protocol<RecvBody>) -> UreqResult<bool> {
    // Some servers leave out the very last line end of a body in chunks.
    if !protocol.can_proceed() && protocol.is_ended_chunked() {
        return Ok(true);
    }
    match protocol.proceed() {
        Some(RecvBodyResult::Cleanup(over)) => Ok(over.must_close_connection()),
        Some(RecvBodyResult::Redirect(over)) => Ok(over.must_close_connection()),
        None => Err(cut()),
    }
}

/// The connection ended too early.
fn cut() -> ureq::Error {
    io::Error::from(ErrorKind::UnexpectedEof).into()
}

/// The peer closed the connection and answered nothing.
fn unanswered() -> ureq::Error {
    failure::of(failure::broken("the connection was closed without an answer"))
}

fn endless() -> ureq::Error {
    failure::of(Error::new(
        Status::Decode,
        "the answer is not proper HTTP: a line of it does not end",
    ))
}
