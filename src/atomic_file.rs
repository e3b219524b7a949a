//! A file that is replaced as a whole: who reads it finds what was there, or all that is new.

use crate::error::{Error, Result, Status};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is written beside the place that it shall have, and removed if it does not get there. Only
/// its owner can read it.
pub(crate) struct AtomicFile {
    place: PathBuf,
    path: PathBuf,
    /// Since it was opened, by the first byte at the latest: who writes none leaves nothing to remove.
    file: Option<File>,
}

impl AtomicFile {
    pub(crate) fn beside(place: &Path) -> AtomicFile {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = place.file_name().map(|name| name.display().to_string()).unwrap_or_default();
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        let name = format!(".{name}.{process}-{count}.partial");
        AtomicFile { place: place.to_owned(), path: place.with_file_name(name), file: None }
    }

    /// Opens it, before there is anything to write. An error says that this place cannot be written.
    pub(crate) fn open(&mut self) -> Result<()> {
        self.file().map(drop)
    }

    /// Takes back what was written so far.
    pub(crate) fn empty(&mut self) -> Result<()> {
        let file = self.file()?;
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        emptied.map_err(|error| self.unwritable(&error))
    }

    /// What was written so far, to be read.
    pub(crate) fn written(&mut self) -> Result<File> {
        self.file()?;
        File::open(&self.path).map_err(|error| {
            Error::new(Status::Io, format!("cannot read {}: {error}", self.path.display()))
        })
    }

    /// It takes its place, with all its bytes on the disk.
    pub(crate) fn commit(mut self) -> Result<()> {
        let synced = self.file()?.sync_all();
        synced
            .and_then(|()| fs::rename(&self.path, &self.place))
            .map_err(|error| self.unwritable(&error))?;
        self.file = None;
        Ok(())
    }

    /// As [`AtomicFile::commit`]; it has its place also when the machine fails the moment after.
    pub(crate) fn commit_durably(self) -> Result<()> {
        let place = self.place.clone();
        self.commit()?;
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unwritable(&place, &error))
    }

    fn file(&mut self) -> Result<&mut File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let made = options.write(true).create_new(true).mode(0o600).open(&self.path);
            self.file = Some(made.map_err(|error| self.unwritable(&error))?);
        }
        self.file.as_mut().ok_or_else(|| Error::new(Status::Internal, "a file that was opened"))
    }

    fn unwritable(&self, error: &io::Error) -> Error {
        unwritable(&self.place, error)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file().map_err(io::Error::other)?.write(bytes);
        written.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(self.unwritable(&error)),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Where that fails, too, there is nothing more to be done.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Refuses a place where something stands that is no file, as a device: a rename would take the place
/// of anything.
pub(crate) fn check_replaceable(place: &Path) -> Result<()> {
    match place.metadata() {
        Ok(found) if !found.is_file() => {
            Err(Error::argument(format!("{} is something other than a file", place.display())))
        }
        _ => Ok(()),
    }
}

fn unwritable(place: &Path, error: &io::Error) -> Error {
    let message = format!("cannot write {}: {error}", place.display());
    // A full disk here says nothing about the agent.
    Error::new(Status::Io, message).with_local(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_that_are_written_at_a_time_are_apart_and_the_last_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        let (mut one, mut two) = (AtomicFile::beside(&place), AtomicFile::beside(&place));
        one.write_all(b"on").unwrap();
        two.write_all(b"two").unwrap();
        one.write_all(b"e").unwrap();
        assert!(!place.exists());
        one.commit().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"one");
        two.commit_durably().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"two");
        let mut given_up = AtomicFile::beside(&place);
        given_up.write_all(b"four and more").unwrap();
        given_up.empty().unwrap();
        given_up.write_all(b"three").unwrap();
        assert_eq!(io::read_to_string(given_up.written().unwrap()).unwrap(), "three");
        drop(given_up);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
