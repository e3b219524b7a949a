//! The library's log: silent until a level is set, then read by the host at its own pace, or
//! written to a file.
//!
//! One log serves the process, and holds the last 1024 records that nobody has read. What comes
//! when it is full takes the place of the oldest. Whatever delivers records otherwise, such as a
//! queue, takes them where `Log::add` keeps them.

use crate::error::{Error, Result, Status};
use crate::sync::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
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

static LOG: Mutex<Log> = Mutex::new(Log { records: VecDeque::new(), dropped: 0, file: None });

struct Log {
    records: VecDeque<Record>,
    dropped: u64,
    file: Option<File>,
}

impl Log {
    fn add(&mut self, record: Record) {
        if let Some(file) = &mut self.file {
            // One write a line, so that processes may share the file. A log that cannot be written
            // must not end what it is about.
            let failed = file.write_all(format!("{record}\n").as_bytes()).is_err();
            return self.dropped += u64::from(failed);
        }
        if self.records.len() == CAPACITY {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.records.push_back(record);
    }
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
/// [`take`]; `None` ends that.
pub fn set_file(path: Option<&Path>) -> Result<()> {
    let open = |path: &Path| {
        OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            Error::new(Status::Io, format!("the log file {}: {error}", path.display()))
        })
    };
    let file = path.map(open).transpose()?;
    LOG.lock().file = file;
    Ok(())
}

/// The oldest record that nobody has taken yet.
pub fn take() -> Option<Record> {
    LOG.lock().records.pop_front()
}

/// How many records were lost so far: nobody took them in time, or the file could not be written.
pub fn dropped() -> u64 {
    LOG.lock().dropped
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
    LOG.lock().add(Record { level, area, time, message });
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

    fn log() -> Log {
        Log { records: VecDeque::new(), dropped: 0, file: None }
    }

    #[test]
    fn what_nobody_reads_gives_way_to_what_is_newer() {
        let mut log = log();
        for number in 0..CAPACITY + 3 {
            log.add(record(&number.to_string()));
        }
        assert_eq!((log.records.len(), log.dropped), (CAPACITY, 3));
        assert_eq!(log.records[0].message, "3");
    }

    #[test]
    fn a_file_gets_a_line_a_record() {
        let path = std::env::temp_dir().join(format!("consul-ffi-log-{}", std::process::id()));
        let mut log = log();
        log.file = Some(OpenOptions::new().create(true).append(true).open(&path).unwrap());
        log.add(record("one"));
        log.add(record("two"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, "1.500 warning test: one\n1.500 warning test: two\n");
        assert!(log.records.is_empty());
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
