//! The token of a client: set by the program, or read from a file, and read again when that changes.

use super::setup::Setup;
use super::stamp::Stamp;
use super::{Call, TOKEN, secret_header};
use crate::config::{Settings, token_in};
use crate::error::{Result, Status};
use crate::observe::log::{self, Level};
use crate::sync::Mutex;
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
    /// As it was when it was read last: nothing before the first look, since it may have changed after
    /// the configuration was read. Locked until what was read is in use: of two threads the one
    /// that read earlier must not be the one that stores later.
    stamp: PerProcess<Mutex<Option<Stamp>>>,
}

impl File {
    fn stamp(&self) -> &Mutex<Option<Stamp>> {
        self.stamp.get_or_init(Mutex::default)
    }
}

impl Token {
    pub(super) fn new(settings: &Settings) -> Result<Token> {
        let configured = settings.token.as_deref().map(secret_header).transpose()?;
        let file = settings.token_file.clone();
        let file = file.map(|path| File { path, stamp: PerProcess::new() });
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
            let _reading = self.file.as_ref().map(|file| file.stamp().lock());
            self.is_set.store(token.is_some(), Relaxed);
            self.take(token.or_else(|| self.configured.clone()));
        }
        self.read_anew();
        Ok(())
    }

    /// Reads the file where it has changed, and no other thread is at that.
    pub(super) fn look(&self) {
        let Some(file) = &self.file else { return };
        let Some(mut before) = file.stamp().try_lock() else { return };
        let stamp = Stamp::of(&file.path);
        if *before != stamp {
            self.read(file, &mut before, stamp);
        }
    }

    /// Another one than this, which Consul has refused; the file is read at once.
    pub(super) fn instead_of(&self, refused: Option<&HeaderValue>) -> Option<HeaderValue> {
        self.read_anew();
        self.now().filter(|token| Some(token) != refused)
    }

    /// Reads the file in any case.
    fn read_anew(&self) {
        if let Some(file) = &self.file {
            let mut before = file.stamp().lock();
            self.read(file, &mut before, Stamp::of(&file.path));
        }
    }

    fn read(&self, file: &File, before: &mut Option<Stamp>, stamp: Option<Stamp>) {
        if self.is_set.load(Relaxed) {
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
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::fs::{OpenOptions, rename, write};
    use std::io::Write;
    use std::path::Path;

    fn token(path: &Path) -> Arc<Token> {
        let mut config = Config::without_environment();
        config.set("token_file", path.to_str().unwrap()).unwrap();
        Arc::new(Token::new(&Settings::resolve(&config).unwrap()).unwrap())
    }

    fn looks(token: &Arc<Token>) -> std::thread::JoinHandle<()> {
        let token = token.clone();
        std::thread::spawn(move || token.look())
    }

    #[test]
    fn what_changes_while_a_client_is_made_is_seen_by_the_first_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write(&path, "first").unwrap();
        let mut config = Config::without_environment();
        config.set("token_file", path.to_str().unwrap()).unwrap();
        let settings = Settings::resolve(&config).unwrap();
        write(&path, "second").unwrap();
        let token = Token::new(&settings).unwrap();
        token.look();
        assert_eq!(
            (token.now().unwrap(), token.revision()),
            (HeaderValue::from_static("second"), 1)
        );
        token.look();
        assert_eq!(token.revision(), 1);
    }

    /// A thread begins to read one file; another one is put in its place, and looked at.
    #[test]
    fn who_reads_slowly_does_not_undo_what_was_read_since() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        write(file("token"), "first").unwrap();
        let token = token(&file("token"));
        // What is read from a pipe comes when the test writes it.
        mknodat(CWD, file("slow"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        rename(file("slow"), file("token")).unwrap();
        let slow = looks(&token);
        // It has begun when there is somebody to write to.
        let mut pipe = OpenOptions::new().write(true).open(file("token")).unwrap();
        write(file("new"), "third").unwrap();
        rename(file("new"), file("token")).unwrap();
        looks(&token).join().unwrap();
        pipe.write_all(b"second").unwrap();
        drop(pipe);
        slow.join().unwrap();
        token.look();
        assert_eq!(token.now().unwrap(), "third");
    }
}
