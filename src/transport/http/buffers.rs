//! What a connection reads into and writes from: small while little goes through.

use std::ops::Range;
use ureq::unversioned::transport::Buffers as UreqBuffers;

/// The size to begin with, and to go back to between exchanges.
const SMALL: usize = 16 * 1024;
/// The size up to which a busy buffer grows on its own.
const LARGE: usize = 256 * 1024;
/// Below this much free space it is time to send, or to make room.
const TIGHT: usize = 2 * 1024;

#[derive(Debug, Default)]
pub(super) struct Buffers {
    output: Vec<u8>,
    /// Bytes of `output` that wait to be sent.
    pending: usize,
    input: Vec<u8>,
    /// `input[consumed..filled]` was received and not used yet.
    consumed: usize,
    filled: usize,
    progress: bool,
    /// The most that this exchange had in `output` and in `input` at a time.
    peaks: [usize; 2],
}

impl Buffers {
    /// Makes room for more of this length: for the head of a request, which goes in piece by piece, or
    /// for a line, which ureq writes whole.
    pub(super) fn reserve(&mut self, length: usize) {
        let wanted = (self.pending + length + TIGHT).max(SMALL);
        if self.output.len() < wanted {
            self.output.resize(wanted, 0);
        }
    }

    /// Adds to what waits to be sent.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        if self.room() < bytes.len() {
            self.reserve(bytes.len());
        }
        let end = self.pending + bytes.len();
        if let Some(place) = self.output.get_mut(self.pending..end) {
            place.copy_from_slice(bytes);
            self.written(bytes.len());
        }
    }

    /// How much can be added without more memory.
    pub(super) fn room(&self) -> usize {
        self.output.len() - self.pending
    }

    /// Takes `amount` bytes that ureq wrote. True when it is time to send them.
    pub(super) fn written(&mut self, amount: usize) -> bool {
        self.pending = (self.pending + amount).min(self.output.len());
        self.peaks[0] = self.peaks[0].max(self.pending);
        self.room() < TIGHT
    }

    /// What waits to be sent.
    pub(super) fn pending(&self) -> &[u8] {
        self.output.get(..self.pending).unwrap_or_default()
    }

    /// Everything was sent. What filled the buffer once may do so again: the next piece is larger.
    pub(super) fn sent(&mut self) {
        if self.room() < TIGHT && self.output.len() < LARGE {
            self.output.resize(self.output.len() * 2, 0);
        }
        self.pending = 0;
    }

    /// Takes pieces out of what was received and not used yet, the first one first: what stands before
    /// each moves up.
    pub(super) fn cut(&mut self, pieces: impl IntoIterator<Item = Range<usize>>) {
        let first = self.consumed;
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            self.input.copy_within(self.consumed..first + piece.start, self.consumed + piece.len());
            self.consumed += piece.len();
        }
    }

    /// Gives memory back before a connection waits for its next exchange, but for what the last one
    /// has used: to get it anew costs a page fault for each 4 KiB, 60 for a list of 1,000 keys.
    pub(super) fn rest(&mut self) {
        let peaks = std::mem::take(&mut self.peaks);
        for (buffer, peak) in [&mut self.output, &mut self.input].into_iter().zip(peaks) {
            // Full to half its size it had to grow.
            let kept = (2 * peak).next_power_of_two().clamp(SMALL, LARGE);
            if buffer.len() > kept {
                buffer.truncate(kept);
                buffer.shrink_to_fit();
            }
        }
        (self.pending, self.consumed, self.filled) = (0, 0, 0);
    }
}

impl UreqBuffers for Buffers {
    fn output(&mut self) -> &mut [u8] {
        self.reserve(0);
        self.output.get_mut(self.pending..).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        if self.consumed == self.filled {
            (self.consumed, self.filled) = (0, 0);
        } else if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            (self.consumed, self.filled) = (0, self.filled - self.consumed);
        }
        if self.input.len() - self.filled < TIGHT {
            self.input.resize((self.input.len() * 2).max(SMALL), 0);
        }
        self.input.get_mut(self.filled..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled = (self.filled + amount).min(self.input.len());
        self.peaks[1] = self.peaks[1].max(self.filled);
        if self.filled == self.input.len() && self.input.len() < LARGE {
            self.input.resize(self.input.len() * 2, 0);
        }
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed = (self.consumed + amount).min(self.filled);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.reserve(0);
        self.input_append_buf();
        (
            self.input.get_mut(self.filled..).unwrap_or_default(),
            self.output.get_mut(self.pending..).unwrap_or_default(),
        )
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.consumed < self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffers, LARGE, SMALL};
    use ureq::unversioned::transport::Buffers as _;

    /// Receives and uses so many bytes, a buffer at a time.
    fn receive(buffers: &mut Buffers, mut bytes: usize) {
        while bytes > 0 {
            let piece = buffers.input_append_buf().len().min(bytes);
            buffers.input_appended(piece);
            buffers.input_consume(piece);
            bytes -= piece;
        }
    }

    #[test]
    fn what_is_cut_out_was_never_there() {
        let mut buffers = Buffers::default();
        buffers.input_append_buf()[..9].copy_from_slice(b"123456789");
        buffers.input_appended(9);
        buffers.input_consume(1);
        buffers.cut([1..3, 3..3, 4..5]);
        assert_eq!(buffers.input(), b"25789");
    }

    #[test]
    fn what_the_last_exchange_used_is_kept_for_the_next_and_no_more() {
        let mut buffers = Buffers::default();
        for _ in 0..2 {
            receive(&mut buffers, 4 * LARGE);
            buffers.rest();
            assert_eq!(buffers.input.len(), LARGE);
        }
        // What filled half of a buffer made it grow, and would again.
        receive(&mut buffers, LARGE / 2);
        buffers.rest();
        assert_eq!(buffers.input.len(), LARGE);
        receive(&mut buffers, 100);
        buffers.rest();
        assert_eq!((buffers.input.len(), buffers.input.capacity()), (SMALL, SMALL));
    }
}
