//! What a watch found last, in a file, so that a program that starts while Consul is away has
//! something to work with.
//!
//! The file is a line of JSON about the answer, then the answer's body as Consul gave it. It is
//! replaced as a whole, and read only where its sum is right and it is of the same question.

use super::content::Content;
use super::query::Query;
use crate::atomic_file::{self, AtomicFile};
use crate::error::{Error, Result, Status};
use crate::transport::{Headers, Response};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const SUBJECT: &str = "the last-good file";

/// The format of the file; another one is not read.
const FORMAT: u32 = 1;

/// An answer as it came.
#[derive(Clone, Debug)]
pub(super) struct Body {
    status: u16,
    bytes: Vec<u8>,
}

/// What stands before the body.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    consul_last_good: u32,
    question: String,
    status: u16,
    found_ms: u64,
    length: usize,
    crc32: u32,
}

/// Where one watch keeps what it found.
#[derive(Clone, Debug)]
pub(super) struct LastGood {
    path: PathBuf,
    question: String,
}

impl Body {
    pub(super) fn of(response: &Response) -> Body {
        Body { status: response.status, bytes: response.body.clone() }
    }
}

impl LastGood {
    /// The file at this path. Refused is one that would not be found again after a change of
    /// folder, and what is no file and must not be replaced by one.
    pub(super) fn new(path: &Path, query: &Query) -> Result<LastGood> {
        if !path.is_absolute() {
            let message = format!("the last-good file {} needs an absolute path", path.display());
            return Err(Error::argument(message));
        }
        atomic_file::check_replaceable(path).map_err(|error| error.context(SUBJECT))?;
        Ok(LastGood { path: path.to_path_buf(), question: query.question() })
    }

    /// What the file holds and how old it is; none where there is no such file yet.
    pub(super) fn read(&self, query: &Query) -> Result<Option<(Arc<Content>, Duration)>> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("{SUBJECT}: cannot read {}: {error}", self.path.display());
                return Err(Error::new(Status::Io, message));
            }
        };
        let Some((header, body)) = self.parse(&bytes) else { return Ok(None) };
        let response =
            Response { status: header.status, headers: Headers::default(), body: body.to_vec() };
        let Some(read) = query.reader() else { return Ok(None) };
        let Ok(answer) = read(Ok(response)) else { return Ok(None) };
        let now = since_epoch(SystemTime::now());
        Ok(Some((
            Arc::new(answer.value),
            now.saturating_sub(Duration::from_millis(header.found_ms)),
        )))
    }

    /// Puts this answer in the place of the one before.
    pub(super) fn write(&self, body: &Body) -> Result<()> {
        let header = Header {
            consul_last_good: FORMAT,
            question: self.question.clone(),
            status: body.status,
            found_ms: u64::try_from(since_epoch(SystemTime::now()).as_millis()).unwrap_or(0),
            length: body.bytes.len(),
            crc32: crc32fast::hash(&body.bytes),
        };
        let mut text = serde_json::to_vec(&header)
            .map_err(|error| Error::new(Status::Internal, error.to_string()))?;
        text.push(b'\n');
        self.replace(&text, &body.bytes).map_err(|error| error.context(SUBJECT))
    }

    fn replace(&self, header: &[u8], body: &[u8]) -> Result<()> {
        let mut file = AtomicFile::beside(&self.path);
        for part in [header, body] {
            file.write_all(part).map_err(Error::of_stream)?;
        }
        file.commit()
    }

    /// Header and body, where the file is whole and of the same question.
    fn parse<'a>(&self, bytes: &'a [u8]) -> Option<(Header, &'a [u8])> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let header: Header = serde_json::from_slice(&bytes[..end]).ok()?;
        let body = &bytes[end + 1..];
        let whole = header.consul_last_good == FORMAT
            && header.length == body.len()
            && header.crc32 == crc32fast::hash(body)
            && header.question == self.question;
        whole.then_some((header, body))
    }
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
