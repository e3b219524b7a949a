//! A file that lines are added to, and that makes room by renaming: `log` becomes `log.1`, that one
//! `log.2`, and so on.
//!
//! Threads and processes may share it without knowing of each other. Every line looks where the name
//! leads at the moment, so whoever finds the file full renames it, and all others follow; a rotation by
//! another program is followed as well. Nobody waits: while one renames, the others still write, to the
//! file that is on its way to `log.1`.

use super::log::{self, Level};
use crate::error::{Error, Result, Status};
use crate::sys::fork_generation;
use arc_swap::ArcSwap;
use rustix::fs::{FlockOperation, flock};
use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(86_400);

/// When a file makes room, and what is kept. 0 is no bound; without any it grows for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The size, in bytes, that the file does not grow beyond, but for what others write meanwhile, and
    /// for a line that is longer.
    pub max_bytes: u64,
    /// How many old files are kept.
    pub max_files: u32,
    /// How many days an old file is kept after the last line in it. With such a bound a new file begins
    /// each day (UTC) that something is written, so that no line stays much longer either.
    pub max_age_days: u32,
}

impl Rotation {
    /// The largest number of old files that can be asked for: each has to be renamed.
    pub const MOST_FILES: u32 = 1_000;
    /// The largest age that can be asked for.
    pub const MOST_DAYS: u32 = 36_500;

    /// Refuses what could not act.
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::argument(what));
        if self.max_files > Rotation::MOST_FILES {
            return refuse(format!("max_files must be at most {}", Rotation::MOST_FILES));
        }
        if self.max_age_days > Rotation::MOST_DAYS {
            return refuse(format!("max_age_days must be at most {}", Rotation::MOST_DAYS));
        }
        if self.max_files > 0 && self.max_bytes == 0 && self.max_age_days == 0 {
            return refuse(
                "max_files does nothing without max_bytes or max_age_days: no file would ever become \
                 an old one"
                    .to_string(),
            );
        }
        Ok(())
    }

    /// Whether a file like this makes room before another line.
    fn is_due(&self, file: &Metadata, line: usize, now: SystemTime) -> bool {
        if !file.is_file() || file.len() == 0 {
            return false;
        }
        let is_full = self.max_bytes > 0 && file.len() + line as u64 > self.max_bytes;
        is_full || (self.max_age_days > 0 && day(written(file)) < day(now))
    }

    fn is_too_old(&self, file: &Metadata, now: SystemTime) -> bool {
        let age = now.duration_since(written(file)).unwrap_or_default();
        self.max_age_days > 0 && age > DAY * self.max_age_days
    }
}

fn written(file: &Metadata) -> SystemTime {
    file.modified().unwrap_or(UNIX_EPOCH)
}

fn day(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / DAY.as_secs()
}

/// How long the end of a line may take that somebody else writes at this moment.
const LOOKS: &[Duration] =
    &[Duration::from_millis(1), Duration::from_millis(4), Duration::from_millis(16)];

/// Whether something is so, and still is after each of these pauses.
fn stays(pauses: &[Duration], mut is_so: impl FnMut() -> bool) -> bool {
    is_so()
        && pauses.iter().all(|&pause| {
            std::thread::sleep(pause);
            is_so()
        })
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(file: &Metadata) -> Identity {
        Identity(file.dev(), file.ino())
    }
}

/// One that is open, and has no lock that a forked child could inherit held.
pub(super) struct RotatingFile {
    path: PathBuf,
    /// Who may read what is made under this name.
    mode: u32,
    open: ArcSwap<Open>,
    ends: Ends,
    /// It was told that it cannot be rotated.
    told: AtomicBool,
}

struct Open {
    file: File,
    identity: Identity,
    /// In which process it was opened.
    process: u32,
}

impl Open {
    fn at(path: &Path, mode: u32) -> io::Result<Open> {
        let file = OpenOptions::new().create(true).append(true).mode(mode).open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Open { file, identity, process: fork_generation() })
    }

    /// A fork copies descriptors before memory: the child may know the number of one that another
    /// thread opened meanwhile, which is nothing there, or something else.
    fn is_inherited(&self) -> bool {
        self.process != fork_generation()
    }

    /// Whether the descriptor is that of the file.
    fn is_itself(&self) -> bool {
        self.file.metadata().is_ok_and(|file| Identity::of(&file) == self.identity)
    }

    /// Whether it has no name any more.
    fn is_gone(&self) -> bool {
        self.file.metadata().is_ok_and(|file| file.is_file() && file.nlink() == 0)
    }

    /// Whether the last line in it has no end and gets none: a line over two pages is seen without its
    /// end while somebody else writes it.
    fn is_torn(&self, path: &Path) -> bool {
        stays(LOOKS, || self.ends_amid_a_line(path))
    }

    /// Whether the last line in it has no end. Where that cannot be read, it is taken to have none: an
    /// empty line does less harm than two in one.
    fn ends_amid_a_line(&self, path: &Path) -> bool {
        let Ok(file) = self.file.metadata() else { return true };
        if !file.is_file() || file.len() == 0 {
            return false;
        }
        let mut last = [0];
        let read = File::open(path).and_then(|named| {
            let is_it = Identity::of(&named.metadata()?) == self.identity;
            if is_it { named.read_exact_at(&mut last, file.len() - 1) } else { Ok(()) }
        });
        read.is_err() || last != *b"\n"
    }

    /// One write a line, so that lines of several processes do not mix.
    fn write(&self, line: &str) -> io::Result<()> {
        loop {
            match (&self.file).write(line.as_bytes()) {
                Ok(written) if written == line.len() => return Ok(()),
                Ok(_) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the last line is known to have an end. It is not where a process before this one may have
/// torn it, nor after a line that failed: this one, or another process that found the disk full as
/// well, may have torn it. Counted, so that what was settled before a failure does not settle that one.
struct Ends {
    doubts: AtomicU64,
    settled: AtomicU64,
}

impl Ends {
    fn unknown() -> Ends {
        Ends { doubts: AtomicU64::new(1), settled: AtomicU64::new(0) }
    }

    fn doubt(&self) {
        self.doubts.fetch_add(1, Relaxed);
    }

    /// How many doubts there were, where they are not settled.
    fn doubts(&self) -> Option<u64> {
        let doubts = self.doubts.load(Relaxed);
        (doubts > self.settled.load(Relaxed)).then_some(doubts)
    }

    fn settle(&self, doubts: u64) {
        self.settled.fetch_max(doubts, Relaxed);
    }
}

impl RotatingFile {
    /// Opens it, or makes it; `what` it is says the error.
    pub(super) fn open(what: &str, mode: u32, path: &Path) -> Result<RotatingFile> {
        // A program may change its folder.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let open = Open::at(&path, mode).map_err(|error| {
            Error::new(Status::Io, format!("the {what} {}: {error}", path.display()))
        })?;
        Ok(RotatingFile {
            path,
            mode,
            open: ArcSwap::from_pointee(open),
            ends: Ends::unknown(),
            told: AtomicBool::new(false),
        })
    }

    /// Adds a line, which ends with a line break. An error means that it is not in the file, or not as
    /// a whole.
    pub(super) fn append(
        &self,
        line: &str,
        rotation: &Rotation,
        now: SystemTime,
    ) -> io::Result<()> {
        self.make_room(line.len(), rotation, now);
        let open = self.current()?;
        self.write(&open, line)?;
        if !open.is_gone() {
            return Ok(());
        }
        // It was renamed so often meanwhile that it is one of those that are not kept.
        let named = self.current()?;
        if Arc::ptr_eq(&named, &open) {
            return Err(ErrorKind::NotFound.into());
        }
        self.write(&named, line)
    }

    /// Writes a line at the end of the last one, which is no whole line where the disk was full amid it.
    fn write(&self, open: &Open, line: &str) -> io::Result<()> {
        let Some(doubts) = self.ends.doubts() else {
            return open.write(line).inspect_err(|_| self.ends.doubt());
        };
        let line = if open.is_torn(&self.path) {
            Cow::Owned(format!("\n{line}"))
        } else {
            Cow::Borrowed(line)
        };
        open.write(&line).inspect_err(|_| self.ends.doubt())?;
        self.ends.settle(doubts);
        Ok(())
    }

    /// The file that the name leads to. Where it cannot be opened any more, as after a change of user,
    /// the one that was open.
    fn current(&self) -> io::Result<Arc<Open>> {
        let open = self.open.load_full();
        let named = std::fs::metadata(&self.path);
        let is_named = named.is_ok_and(|file| Identity::of(&file) == open.identity);
        if is_named && !open.is_inherited() {
            return Ok(open);
        }
        match Open::at(&self.path, self.mode) {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                let before = self.open.swap(fresh.clone());
                if before.is_inherited() {
                    // Its descriptor may be somebody else's, who would find it closed.
                    std::mem::forget(before);
                }
                Ok(fresh)
            }
            Err(_) if open.is_itself() => Ok(open),
            Err(error) => Err(error),
        }
    }

    fn make_room(&self, line: usize, rotation: &Rotation, now: SystemTime) {
        if rotation.max_bytes == 0 && rotation.max_age_days == 0 {
            return;
        }
        let Ok(file) = std::fs::metadata(&self.path) else { return };
        if !rotation.is_due(&file, line, now) {
            return;
        }
        match self.rotate(Identity::of(&file), rotation, now) {
            Ok(()) => self.told.store(false, Relaxed),
            // A log that cannot be rotated grows on.
            Err(error) if !self.told.swap(true, Relaxed) => {
                let path = self.path.display();
                log::add(Level::Warning, "log", || format!("cannot rotate {path}: {error}"));
            }
            Err(_) => {}
        }
    }

    /// Renames this file, unless somebody does or has done it.
    fn rotate(&self, full: Identity, rotation: &Rotation, now: SystemTime) -> io::Result<()> {
        // A description of its own, for the lock belongs to that: one that is shared by a fork would
        // let both in.
        let lock = match OpenOptions::new().append(true).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(()),
            locked => locked?,
        }
        // Whoever has the lock of the file with this name is alone, until the file has another name.
        let is_named = |file: &Metadata| Identity::of(file) == full;
        let is_ours = lock.metadata().is_ok_and(|file| is_named(&file))
            && std::fs::metadata(&self.path).is_ok_and(|file| is_named(&file));
        let rotated = if is_ours { self.shift(rotation, now) } else { Ok(()) };
        // A forked child may have the same description, so closing it need not end the lock.
        flock(&lock, FlockOperation::Unlock)?;
        rotated
    }

    fn shift(&self, rotation: &Rotation, now: SystemTime) -> io::Result<()> {
        let mut kept = Vec::new();
        for number in self.old()? {
            let path = self.numbered(number);
            let is_beyond = rotation.max_files > 0 && number >= rotation.max_files;
            if is_beyond || rotation.is_too_old(&std::fs::metadata(&path)?, now) {
                std::fs::remove_file(&path)?;
            } else {
                kept.push(number);
            }
        }
        // A rotation that was cut off leaves a gap: only what stands before it has to move.
        let moving = kept.iter().zip(1..).take_while(|&(&number, place)| number == place).count();
        for &number in kept[..moving].iter().rev() {
            std::fs::rename(self.numbered(number), self.numbered(number + 1))?;
        }
        // The last step: from here on another one may have the next file renamed.
        std::fs::rename(&self.path, self.numbered(1))
    }

    /// The numbers of the old files that there are, from 1 on.
    fn old(&self) -> io::Result<Vec<u32>> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(Vec::new());
        };
        let number = |found: OsString| -> Option<u32> {
            let rest = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes())?;
            let digits = std::str::from_utf8(rest.strip_prefix(b".")?).ok()?;
            digits.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == digits)
        };
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            numbers.extend(number(entry?.file_name()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }
}

#[cfg(test)]
mod tests;
