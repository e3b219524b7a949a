//! What is inside of a snapshot: a gzipped tar of `meta.json`, `state.bin` and their SHA-256 sums
//! (snapshot/archive.go of Consul's source).

use super::Snapshot;
use crate::error::{Error, Result, Status};
use flate2::read::GzDecoder;
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use tar::Archive;

const META: &str = "meta.json";
const STATE: &str = "state.bin";
const SUMS: &str = "SHA256SUMS";

/// What is read into memory is no longer than this; only the state is larger.
const MAX_TEXT: u64 = 1024 * 1024;

/// The members as far as they were read.
#[derive(Default)]
struct Found {
    meta: Option<Snapshot>,
    sums: Option<String>,
    /// Of `meta.json` and `state.bin`.
    digests: BTreeMap<&'static str, String>,
}

/// Reads all of a snapshot and compares its checksums.
pub(super) fn inspect(from: impl Read) -> Result<Snapshot> {
    let mut unpacked = GzDecoder::new(from);
    let mut found = Found::default();
    let mut archive = Archive::new(&mut unpacked);
    for member in archive.entries().map_err(damaged)? {
        found.read(member.map_err(damaged)?)?;
    }
    // What is behind the last member has gzip's own checksum at its end.
    io::copy(&mut unpacked, &mut io::sink()).map_err(damaged)?;
    found.judge()
}

impl Found {
    fn read<R: Read>(&mut self, mut member: tar::Entry<'_, R>) -> Result<()> {
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        match name.as_str() {
            META => {
                let text = text(&mut member)?;
                self.digests.insert(META, digest(&mut text.as_bytes())?);
                let meta = serde_json::from_str(&text);
                self.meta = Some(meta.map_err(|error| wrong(format!("{META}: {error}")))?);
            }
            STATE => {
                self.digests.insert(STATE, digest(&mut member)?);
            }
            SUMS => self.sums = Some(text(&mut member)?),
            _ => return Err(wrong(format!("it has a member {name:?}"))),
        }
        Ok(())
    }

    fn judge(self) -> Result<Snapshot> {
        let sums = self.sums.ok_or_else(|| wrong(format!("{SUMS} is missing")))?;
        let promised: BTreeMap<&str, &str> = sums
            .lines()
            .filter_map(|line| line.split_once(char::is_whitespace))
            .map(|(sum, name)| (name.trim(), sum))
            .collect();
        for name in [META, STATE] {
            let missing = || wrong(format!("{name} or its checksum is missing"));
            let found = self.digests.get(name).ok_or_else(missing)?;
            let promised = promised.get(name).ok_or_else(missing)?;
            if !promised.eq_ignore_ascii_case(found) {
                let message = format!("the snapshot is damaged: the checksum of {name} is wrong");
                return Err(Error::new(Status::Crypto, message));
            }
        }
        self.meta.ok_or_else(|| wrong(format!("{META} is missing")))
    }
}

fn text(from: &mut impl Read) -> Result<String> {
    let mut text = String::new();
    from.take(MAX_TEXT).read_to_string(&mut text).map_err(damaged)?;
    Ok(text)
}

fn digest(from: &mut impl Read) -> Result<String> {
    let mut digest = Context::new(&SHA256);
    let mut piece = vec![0; 64 * 1024];
    loop {
        match from.read(&mut piece).map_err(damaged)? {
            0 => break,
            length => digest.update(piece.get(..length).unwrap_or_default()),
        }
    }
    Ok(digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reading has failed: for the file itself, or since what it holds is not what it should be.
fn damaged(error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return Error::new(Status::Io, error.to_string());
    }
    wrong(error.to_string())
}

fn wrong(why: String) -> Error {
    Error::new(Status::Decode, format!("not a whole snapshot of Consul: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    const META_TEXT: &[u8] =
        br#"{"Version":1,"ID":"2-17-9","Index":17,"Term":2,"Size":5,"X":null}"#;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            archive.append_data(&mut header, name, *bytes).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn sums(state: &[u8]) -> String {
        let sum = |mut bytes: &[u8]| digest(&mut bytes).unwrap();
        format!("{}  {META}\n{}  {STATE}\n", sum(META_TEXT), sum(state))
    }

    fn status(bytes: &[u8]) -> Status {
        inspect(bytes).unwrap_err().status()
    }

    #[test]
    fn a_whole_snapshot_says_what_it_is() {
        let sums = sums(b"state");
        let bytes = archive(&[(META, META_TEXT), (STATE, b"state"), (SUMS, sums.as_bytes())]);
        let found = inspect(bytes.as_slice()).unwrap();
        assert_eq!((found.id.as_str(), found.index, found.term), ("2-17-9", 17, 2));
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let sums = sums(b"state");
        let good = archive(&[(META, META_TEXT), (STATE, b"state"), (SUMS, sums.as_bytes())]);
        let changed = archive(&[(META, META_TEXT), (STATE, b"stale"), (SUMS, sums.as_bytes())]);
        assert_eq!(status(&changed), Status::Crypto);
        assert_eq!(status(&archive(&[(META, META_TEXT), (STATE, b"state")])), Status::Decode);
        assert_eq!(status(&archive(&[(META, META_TEXT), (SUMS, sums.as_bytes())])), Status::Decode);
        assert_eq!(status(&archive(&[("other", b"x")])), Status::Decode);
        assert_eq!(status(b"not gzip"), Status::Decode);
        // Cut anywhere, gzip's trailer included, or with a bit turned in its checksum.
        for length in (0..good.len()).step_by(7).chain([good.len() - 1]) {
            assert_eq!(status(&good[..length]), Status::Decode, "{length}");
        }
        let mut turned = good.clone();
        let place = good.len() - 6;
        turned[place] ^= 1;
        assert_eq!(status(&turned), Status::Decode);
    }
}
