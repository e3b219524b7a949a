//! The token of a client: set by the program, or read from a file, and read again when that changes.

use super::setup::Setup;
use super::stamp::Stamp;
use super::{Call, TOKEN, secret_header};
use crate::config::{Settings, token_in};
use crate::error::{Result, Status};
use crate::observe::log::{self, Level};
use crate::sync::{Mutex, MutexGuard};
use crate::sys::PerProcess;
use crate::transport::Response;
use arc_swap::ArcSwapOption;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use ureq::http::{HeaderName, HeaderValue};

const AREA: &str = "token";

pub(super) struct Token {
    now: ArcSwapOption<HeaderValue>,
    /// What the configuration said.
    configured: Option<HeaderValue>,
    file: Option<File>,
    /// The program has set another one: that wins over a file.
    is_set: AtomicBool,
    /// One more with each change.
    revision: AtomicU64,
}

struct File {
    path: PathBuf,
    /// As it was when it was read last. Locked until what was read is in use: of two threads the one
    /// that read earlier must not be the one that stores later.
    stamp: PerProcess<Mutex<Option<Stamp>>>,
}

impl File {
    fn lock(&self) -> MutexGuard<'_, Option<Stamp>> {
        self.stamp.get_or_init(Mutex::default).lock()
    }
}

impl Token {
    pub(super) fn new(settings: &Settings) -> Result<Token> {
        let configured = settings.token.as_deref().map(secret_header).transpose()?;
        let file = settings.token_file.clone().map(|path| {
            let stamp = PerProcess::new();
            stamp.get_or_init(|| Mutex::new(Stamp::of(&path)));
            File { path, stamp }
        });
        let now = ArcSwapOption::new(configured.clone().map(Arc::new));
        let (is_set, revision) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Token { now, configured, file, is_set, revision })
    }

    /// The token to send.
    pub(super) fn now(&self) -> Option<HeaderValue> {
        self.now.load().as_deref().cloned()
    }

    /// One more with each change.
    pub(super) fn revision(&self) -> u64 {
        self.revision.load(Relaxed)
    }

    /// Counts on from another one, whose place this one takes.
    pub(super) fn follow(&self, before: &Token) {
        let changed = u64::from(self.now() != before.now());
        self.revision.store(before.revision() + changed, Relaxed);
    }

    /// True when it comes from a file.
    pub(super) fn may_change(&self) -> bool {
        self.file.is_some()
    }

    /// Takes this one from now on; `None` goes back to what was configured.
    pub(super) fn set(&self, token: Option<&str>) -> Result<()> {
        let token = token.map(secret_header).transpose()?;
        {
            let _reading = self.file.as_ref().map(File::lock);
            self.is_set.store(token.is_some(), Relaxed);
            self.take(token.or_else(|| self.configured.clone()));
        }
        self.read(true);
        Ok(())
    }

    /// Reads the file where it has changed.
    pub(super) fn look(&self) {
        self.read(false);
    }

    /// Another one than this, which Consul has refused; the file is read at once.
    pub(super) fn instead_of(&self, refused: Option<&HeaderValue>) -> Option<HeaderValue> {
        self.read(true);
        self.now().filter(|token| Some(token) != refused)
    }

    fn read(&self, in_any_case: bool) {
        let Some(file) = &self.file else { return };
        let mut before = file.lock();
        if self.is_set.load(Relaxed) {
            return;
        }
        let stamp = Stamp::of(&file.path);
        if !in_any_case && *before == stamp {
            return;
        }
        *before = stamp;
        let read =
            token_in(&file.path).and_then(|token| token.as_deref().map(secret_header).transpose());
        match read {
            Ok(Some(token)) => {
                if self.take(Some(token)) {
                    let path = file.path.display();
                    log::add(Level::Info, AREA, || format!("token_file {path} has changed"));
                }
            }
            // While it is being written it may be empty.
            Ok(None) => self.keep(&format!("token_file {} is empty", file.path.display())),
            Err(error) => self.keep(error.message()),
        }
    }

    fn keep(&self, why: &str) {
        log::add(Level::Warning, AREA, || format!("{why}; the token before stays in use"));
    }

    /// True when it is another one.
    fn take(&self, token: Option<HeaderValue>) -> bool {
        let changed = self.now() != token;
        if changed {
            self.now.store(token.map(Arc::new));
            self.revision.fetch_add(1, Relaxed);
        }
        changed
    }
}

/// The client's token in one call: after Consul has refused it another one is tried, once.
pub(super) struct OwnToken(Option<Arc<Token>>);

impl OwnToken {
    pub(super) fn of(setup: &Setup, call: &Call<'_>) -> OwnToken {
        let is_own = call.options.token.is_none() && setup.token.may_change();
        OwnToken(is_own.then(|| setup.token.clone()))
    }

    pub(super) fn may_change(&self) -> bool {
        self.0.is_some()
    }

    /// Puts another token into the headers where this answer refuses the one that is there. A refusal
    /// (403) proves that nothing was done.
    pub(super) fn renewed(
        &mut self,
        answer: &Result<Response>,
        headers: &mut Vec<(HeaderName, HeaderValue)>,
    ) -> bool {
        let Err(error) = answer else { return false };
        if error.status() != Status::Denied {
            return false;
        }
        let Some(token) = self.0.take() else { return false };
        let refused = headers.iter().position(|(name, _)| *name == TOKEN);
        let refused = refused.map(|i| headers.remove(i).1);
        match token.instead_of(refused.as_ref()) {
            Some(other) => {
                headers.push((TOKEN, other));
                true
            }
            None => {
                headers.extend(refused.map(|token| (TOKEN, token)));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::fs::{OpenOptions, rename, write};
    use std::io::Write;
    use std::sync::mpsc;
    use std::time::Duration;

    fn token(path: &std::path::Path) -> Arc<Token> {
        let mut config = Config::without_environment();
        config.set("token_file", path.to_str().unwrap()).unwrap();
        Arc::new(Token::new(&Settings::resolve(&config).unwrap()).unwrap())
    }

    /// A thread begins to read one file; another one is put in its place, and read by another thread.
    #[test]
    fn who_reads_slowly_does_not_undo_what_was_read_since() {
        let folder = tempfile::tempdir().unwrap();
        let (path, slow, new) =
            (folder.path().join("token"), folder.path().join("slow"), folder.path().join("new"));
        write(&path, "first").unwrap();
        let token = token(&path);
        // What is read from a pipe comes when the test writes it.
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &slow, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        rename(&slow, &path).unwrap();
        let reads = || {
            let (token, (done, is_done)) = (token.clone(), mpsc::channel());
            let thread = std::thread::spawn(move || {
                token.look();
                let _ = done.send(());
            });
            (thread, is_done)
        };
        let (slow_one, _) = reads();
        // It has begun when there is somebody to write to.
        let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
        write(&new, "third").unwrap();
        rename(&new, &path).unwrap();
        let (quick_one, is_done) = reads();
        // Were it not to wait for the other one, it would have had its chance to be done before it.
        let _ = is_done.recv_timeout(Duration::from_millis(50));
        pipe.write_all(b"second").unwrap();
        drop(pipe);
        slow_one.join().unwrap();
        quick_one.join().unwrap();
        assert_eq!(token.now().unwrap(), "third");
    }
}
