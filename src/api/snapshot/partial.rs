//! A file that is there whole or not at all.

use super::{file_name, unreadable};
use crate::error::{Error, Result, Status};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is written beside the place that it shall have, and removed if it does not get there.
pub(super) struct Partial {
    place: PathBuf,
    path: PathBuf,
    /// Since the first byte: a call that fails leaves nothing to remove.
    file: Option<File>,
}

impl Partial {
    pub(super) fn beside(place: &Path) -> Partial {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = file_name(place).map(Path::display).map(|name| name.to_string());
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        let name = format!(".{}.{process}-{count}.partial", name.unwrap_or_default());
        Partial { place: place.to_owned(), path: place.with_file_name(name), file: None }
    }

    /// Reads what was written.
    pub(super) fn check<T>(
        &mut self,
        read: impl FnOnce(BufReader<File>) -> Result<T>,
    ) -> Result<T> {
        self.file()?.sync_all().map_err(|error| self.unwritable(&error))?;
        let file = File::open(&self.path).map_err(|error| unreadable(&self.path, &error))?;
        read(BufReader::new(file)).map_err(|error| error.context("what Consul sent"))
    }

    /// It becomes the file that it was to be, also when the machine fails the moment after.
    pub(super) fn take_its_place(mut self) -> Result<()> {
        self.file()?;
        fs::rename(&self.path, &self.place).map_err(|error| self.unwritable(&error))?;
        self.file = None;
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.unwritable(&error))
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
        let message = format!("cannot write {}: {error}", self.place.display());
        // A full disk here says nothing about the agent.
        Error::new(Status::Io, message).with_local(true)
    }
}

impl Write for Partial {
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

impl Drop for Partial {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Where that fails, too, there is nothing more to be done.
            let _ = fs::remove_file(&self.path);
        }
    }
}
