//! Whether a file has changed, by one system call.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What changes when a file is written, or another one put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    place: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// None where there is no such file.
    pub(super) fn of(path: &Path) -> Option<Stamp> {
        let known = std::fs::metadata(path).ok()?;
        Some(Stamp {
            place: (known.dev(), known.ino()),
            size: known.size(),
            modified: (known.mtime(), known.mtime_nsec()),
            changed: (known.ctime(), known.ctime_nsec()),
        })
    }
}

/// Some files, and how they were last.
#[derive(Clone, Debug)]
pub(super) struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

impl Stamps {
    pub(super) fn of(paths: impl Iterator<Item = PathBuf>) -> Stamps {
        Stamps(paths.map(|path| (path.clone(), Stamp::of(&path))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has changed since this was asked last.
    pub(super) fn have_changed(&mut self) -> bool {
        let mut changed = false;
        for (path, before) in &mut self.0 {
            let now = Stamp::of(path);
            changed |= *before != now;
            *before = now;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_or_replaced_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let mut stamps = Stamps::of([path.clone()].into_iter());
        assert!(!stamps.is_empty() && !stamps.have_changed());
        std::fs::write(&path, "1").unwrap();
        assert!(stamps.have_changed() && !stamps.have_changed());
        // The same size, and perhaps the same time.
        std::fs::write(&other, "2").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(stamps.have_changed() && !stamps.have_changed());
        std::fs::remove_file(&path).unwrap();
        assert!(stamps.have_changed());
    }
}
