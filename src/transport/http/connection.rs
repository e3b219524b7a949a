//! One connection, and an exchange over it. Of all answers but the plainest ureq-proto, which has no I/O
//! of its own, tells where they end.

use super::budget::Open;
use super::buffers::Buffers;
use super::call::{Call, Phase};
use super::endpoint::MAX_HEAD;
use super::failure;
use super::link::Link;
use super::message::{self, Outgoing, UreqResult};
use super::skim::{Skimmed, skim};
use super::socket::Socket;
use crate::error::{Error, Status};
use crate::transport::{Headers, Response};
use std::io::{self, ErrorKind};
use ureq::http;
use ureq::unversioned::transport::Buffers as _;
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call as Protocol, RecvBodyResult, RecvResponseResult, SendRequestResult};

/// The most bytes of a body to give to TLS at a time.
const PIECE: usize = 256 * 1024;

/// The most bytes of an answer to hold that could not be used yet; more than the longest head.
const MAX_UNUSED: usize = 128 * 1024;

pub(super) struct Connection<S: Socket> {
    pub(super) link: Link<S>,
    pub(super) buffers: Buffers,
    /// Why the last write failed. The peer may have answered before it closed, so that is looked
    /// for first.
    write_error: Option<io::Error>,
    /// The last to go: it counts for as long as its socket is there.
    _open: Open,
}

impl<S: Socket> Connection<S> {
    pub(super) fn new(link: Link<S>, open: Open) -> Connection<S> {
        Connection { link, buffers: Buffers::default(), write_error: None, _open: open }
    }

    /// Sends a request and reads the whole answer. True when the connection can serve another one.
    pub(super) async fn exchange(
        &mut self,
        outgoing: Outgoing<'_>,
        call: &Call,
    ) -> UreqResult<(Response, bool)> {
        self.send(&outgoing, call).await?;
        let max_answer = outgoing.max_answer();
        self.receive(call).await?;
        let skimmed = skim(self.buffers.input()).unwrap_or_default();
        let (response, must_close) = match skimmed.plain.filter(|plain| plain.head <= MAX_HEAD) {
            Some(plain) => {
                self.buffers.input_consume(plain.head);
                let body = self.read_plain(plain.body, max_answer, call).await?;
                let (status, headers) = (plain.status, skimmed.headers);
                (Response { status, headers, body }, false)
            }
            // Rare and large: it would make every exchange as large.
            None => Box::pin(self.read_by_protocol(skimmed, max_answer, call)).await?,
        };
        let clean = self.buffers.input().is_empty() && self.write_error.is_none();
        Ok((response, clean && !must_close))
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        self.buffers.rest();
        self.link.rest();
    }

    /// Head and body leave together where they fit.
    async fn send(&mut self, outgoing: &Outgoing<'_>, call: &Call) -> UreqResult<()> {
        outgoing.write_head(&mut self.buffers);
        let body = outgoing.body().unwrap_or_default();
        let (fitting, rest) = body.split_at(self.buffers.room().min(body.len()));
        self.buffers.append(fitting);
        self.flush(call).await?;
        for piece in rest.chunks(PIECE) {
            send_bytes(&mut self.link, &mut self.write_error, piece, call).await?;
        }
        Ok(())
    }

    /// Takes what was written into the buffer, and sends it when that is full.
    pub(super) async fn written(&mut self, amount: usize, call: &Call) -> UreqResult<()> {
        if self.buffers.written(amount) { self.flush(call).await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self, call: &Call) -> UreqResult<()> {
        if self.buffers.pending().is_empty() {
            return Ok(());
        }
        let sent =
            send_bytes(&mut self.link, &mut self.write_error, self.buffers.pending(), call).await;
        sent.map(|()| self.buffers.sent())
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

    async fn read_plain(
        &mut self,
        length: u64,
        max_answer: u64,
        call: &Call,
    ) -> UreqResult<Vec<u8>> {
        let mut body = message::room_for(length, max_answer)?;
        loop {
            let input = self.buffers.input();
            let wanted = usize::try_from(length - body.len() as u64).unwrap_or(usize::MAX);
            let got = input.get(..wanted).unwrap_or(input);
            body.extend_from_slice(got);
            let used = got.len();
            self.buffers.input_consume(used);
            if body.len() as u64 == length {
                return Ok(body);
            }
            if !self.receive(call).await? {
                return Err(cut());
            }
        }
    }

    /// Reads an answer of which something has come and was skimmed, and whether the connection must be
    /// closed then.
    ///
    /// The protocol's states stay here, lent to what waits: to move one takes a copy of its half KiB.
    async fn read_by_protocol(
        &mut self,
        skimmed: Skimmed,
        max_answer: u64,
        call: &Call,
    ) -> UreqResult<(Response, bool)> {
        let mut protocol = awaiting()?;
        let (status, headers) = self.read_head(&mut protocol, skimmed, call).await?;
        let (body, must_close) = match protocol.proceed() {
            Some(RecvResponseResult::RecvBody(mut protocol)) => {
                let body = self.read_body(&mut protocol, max_answer, call).await?;
                (body, ended(protocol)?)
            }
            Some(RecvResponseResult::Redirect(over)) => (Vec::new(), over.must_close_connection()),
            Some(RecvResponseResult::Cleanup(over)) => (Vec::new(), over.must_close_connection()),
            None => return Err(cut()),
        };
        Ok((Response { status, headers, body }, must_close))
    }

    async fn read_head(
        &mut self,
        protocol: &mut Protocol<RecvResponse>,
        mut skimmed: Skimmed,
        call: &Call,
    ) -> UreqResult<(u16, Headers)> {
        let mut more = true;
        loop {
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
                None => more = self.buffers.can_use_input() || self.receive(call).await?,
            }
            skimmed = skim(self.buffers.input()).unwrap_or_default();
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

/// Sends bytes. Where the peer is gone that is kept, and the rest is not sent.
async fn send_bytes<S: Socket>(
    link: &mut Link<S>,
    write_error: &mut Option<io::Error>,
    bytes: &[u8],
    call: &Call,
) -> UreqResult<()> {
    if write_error.is_some() {
        return Ok(());
    }
    call.enter(Phase::Send);
    match link.send_all(bytes, call).await {
        Ok(()) => {}
        Err(error) if failure::is_death(&error) => *write_error = Some(error),
        Err(error) => return Err(failure::of_io(error)),
    }
    call.enter(Phase::Answer);
    Ok(())
}

/// The protocol where an answer is to come. To what does not matter for how it is read: there are no
/// requests here that never have a body in their answer.
fn awaiting() -> UreqResult<Protocol<RecvResponse>> {
    let mut protocol = Protocol::new(http::Request::new(()))?.proceed();
    protocol.write(&mut [0; 64])?;
    match protocol.proceed()? {
        Some(SendRequestResult::RecvResponse(protocol)) => Ok(protocol),
        _ => Err(cut()),
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
