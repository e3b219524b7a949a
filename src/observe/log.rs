//! The library's log: silent until a level is set, then read by the host at its own pace, or
//! written to a file.
//!
//! One log serves the process, and holds the last 1024 records that nobody has read. What comes
//! when it is full takes the place of the oldest. A listener hears when there is something to take.
//! A forked child has a log of its own, with the same level and the same file, which any number of
//! processes may write.

use super::rotating_file::{RotatingFile, Rotation};
use crate::error::{Error, Result};
use crate::sync::Mutex;
use crate::sys::PerProcess;
use arc_swap::ArcSwapOption;
use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something was lost that a program relied on.
    Error = 1,
    /// Something failed that is tried again.
    Warning = 2,
    /// Something began, ended or was mended.
    Info = 3,
    /// What else may help to find a fault.
    Debug = 4,
}

impl Level {
    const ALL: [Level; 4] = [Level::Error, Level::Warning, Level::Info, Level::Debug];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }

    /// The level with this number.
    pub fn from_number(number: u8) -> Option<Level> {
        Level::ALL.into_iter().find(|&level| level as u8 == number)
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(name: &str) -> Result<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == name).ok_or_else(|| {
            let name = name.escape_debug();
            let allowed = "error, warning, info or debug";
            Error::argument(format!("the log level \"{name}\" is not allowed, it is {allowed}"))
        })
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How much it matters.
    pub level: Level,
    /// What it is about: `client`, `session`, `lock` or `registration`.
    pub area: &'static str,
    /// When it happened, since 1970.
    pub time: Duration,
    /// One line for people. Holds no secret.
    pub message: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, area) = (self.level.as_str(), self.area);
        write!(f, "{}.{:03}", self.time.as_secs(), self.time.subsec_millis())?;
        write!(f, " {level} {area}: {}", self.message)
    }
}

/// How many records wait for a reader.
pub const CAPACITY: usize = 1024;

/// Nothing is recorded above this level; 0 is silence.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Where the records go instead of waiting for a reader. Read without a lock, as the listener is:
/// a forked child goes on with both.
static FILE: ArcSwapOption<RotatingFile> = ArcSwapOption::const_empty();

/// When the file makes room; `None` for never.
static ROTATION: ArcSwapOption<Rotation> = ArcSwapOption::const_empty();

static LISTENER: ArcSwapOption<Listener> = ArcSwapOption::const_empty();

static WAITING: PerProcess<Mutex<Waiting>> = PerProcess::new();

static DROPPED: AtomicU64 = AtomicU64::new(0);

type Listener = Box<dyn Fn() + Send + Sync>;

/// The records that nobody has taken yet.
#[derive(Default)]
struct Waiting(VecDeque<Record>);

impl Waiting {
    /// Gives how many gave way to it.
    fn add(&mut self, record: Record) -> u64 {
        let full = self.0.len() == CAPACITY;
        if full {
            self.0.pop_front();
        }
        self.0.push_back(record);
        u64::from(full)
    }
}

fn waiting() -> &'static Mutex<Waiting> {
    WAITING.get_or_init(Mutex::default)
}

/// False when that failed: a log that cannot be written must not end what it is about.
fn write(file: &RotatingFile, record: &Record) -> bool {
    let rotation = ROTATION.load().as_deref().copied().unwrap_or_default();
    file.append(&format!("{record}\n"), &rotation, SystemTime::now()).is_ok()
}

/// Records what matters as much as this level or more; `None` records nothing, which is how a
/// process begins.
pub fn set_level(level: Option<Level>) {
    LEVEL.store(level.map_or(0, |level| level as u8), Relaxed);
}

/// The level that was set.
pub fn level() -> Option<Level> {
    Level::from_number(LEVEL.load(Relaxed))
}

/// Writes the records to the end of this file from now on, a line each, instead of keeping them for
/// [`take`]; `None` ends that. A file that another program renames or removes is begun anew.
pub fn set_file(path: Option<&Path>) -> Result<()> {
    let open = |path: &Path| RotatingFile::open("log file", 0o666, path);
    FILE.store(path.map(open).transpose()?.map(Arc::new));
    Ok(())
}

/// When the file makes room, this one or another that is set; a process begins with a file that grows
/// for ever.
pub fn set_rotation(rotation: Rotation) -> Result<()> {
    rotation.check()?;
    ROTATION.store(Some(Arc::new(rotation)));
    Ok(())
}

/// Calls this each time that a record has come that waits to be taken; `None` ends that. It is called
/// on whatever thread something happened, so it must be quick, and take the records elsewhere. A call
/// that goes on is not waited for.
pub fn set_listener(listener: Option<Box<dyn Fn() + Send + Sync>>) {
    LISTENER.store(listener.map(Arc::new));
}

/// The oldest record that nobody has taken yet.
pub fn take() -> Option<Record> {
    waiting().lock().0.pop_front()
}

/// How many records were lost so far: nobody took them in time, or the file could not be written.
/// Lines that an audit log lacks are among them.
pub fn dropped() -> u64 {
    DROPPED.load(Relaxed)
}

/// One more was lost.
pub(super) fn count_dropped() {
    DROPPED.fetch_add(1, Relaxed);
}

/// Records that something failed which is tried again: an outage is one warning, however often it
/// is found to last.
pub(crate) fn failed(area: &'static str, failures: u32, message: impl FnOnce() -> String) {
    add(if failures <= 1 { Level::Warning } else { Level::Debug }, area, message);
}

/// Records what happened. The message is made only where it is recorded. Writing it may take its
/// time, so nobody calls this with something locked.
pub(crate) fn add(level: Level, area: &'static str, message: impl FnOnce() -> String) {
    if level as u8 > LEVEL.load(Relaxed) {
        return;
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let message = message().replace(|c: char| c.is_control(), " ");
    keep(Record { level, area, time, message });
}

fn keep(record: Record) {
    if let Some(file) = &*FILE.load() {
        DROPPED.fetch_add(u64::from(!write(file, &record)), Relaxed);
        return;
    }
    let dropped = waiting().lock().add(record);
    DROPPED.fetch_add(dropped, Relaxed);
    if let Some(listener) = LISTENER.load_full() {
        listener();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: &str) -> Record {
        Record {
            level: Level::Warning,
            area: "test",
            time: Duration::from_millis(1_500),
            message: message.into(),
        }
    }

    #[test]
    fn what_nobody_reads_gives_way_to_what_is_newer() {
        let mut waiting = Waiting::default();
        let dropped: u64 = (0..CAPACITY + 3).map(|n| waiting.add(record(&n.to_string()))).sum();
        assert_eq!((waiting.0.len(), dropped), (CAPACITY, 3));
        assert_eq!(waiting.0[0].message, "3");
    }

    #[test]
    fn a_file_gets_a_line_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = RotatingFile::open("log file", 0o666, &path).unwrap();
        assert!(write(&file, &record("one")) && write(&file, &record("two")));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "1.500 warning test: one\n1.500 warning test: two\n");
        // What cannot be written says so.
        let full = RotatingFile::open("log file", 0o666, Path::new("/dev/full")).unwrap();
        assert!(!write(&full, &record("three")));
    }

    #[test]
    fn a_forked_child_has_a_log_of_its_own() {
        // As if another thread were adding a record.
        let amid = waiting().lock();
        let in_child = crate::sys::testing::in_child(|| {
            waiting().lock().add(record("child's"));
            i32::from(take().is_none_or(|record| record.message != "child's"))
        });
        assert_eq!(in_child, 0);
        drop(amid);
    }

    #[test]
    fn levels_have_names_and_numbers() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse::<Level>(), Ok(level));
            assert_eq!(Level::from_number(level as u8), Some(level));
        }
        let refused = "loud".parse::<Level>().unwrap_err();
        assert!(refused.message().contains("error, warning, info or debug"));
        assert_eq!(Level::from_number(0), None);
    }
}
