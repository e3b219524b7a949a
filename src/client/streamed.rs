//! A stream in the place of a body, which can be had again: so its call can be tried more than once.

use crate::error::Result;
use crate::transport::Stream;
use std::io::{Read, Write};

/// What can be had from its first byte again, whatever became of it.
pub(crate) trait Anew {
    /// Goes back to its beginning; of what was written nothing is left.
    fn begin_anew(&mut self) -> Result<()>;
}

/// Where the answer goes.
pub(crate) trait Sink: Write + Anew {}

impl<T: Write + Anew> Sink for T {}

/// Where the body of the request comes from.
pub(crate) trait Source: Read + Anew {}

impl<T: Read + Anew> Source for T {}

/// As [`Stream`], for several tries.
pub(crate) enum Streamed<'a> {
    Download(&'a mut dyn Sink),
    Upload(&'a mut dyn Source, u64),
}

impl Streamed<'_> {
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        match self {
            Streamed::Download(to) => to.begin_anew(),
            Streamed::Upload(from, _) => from.begin_anew(),
        }
    }

    /// It, for one try.
    pub(super) fn lent(&mut self) -> Stream<'_> {
        match self {
            Streamed::Download(to) => Stream::Download(&mut **to),
            Streamed::Upload(from, length) => Stream::Upload(&mut **from, *length),
        }
    }
}
