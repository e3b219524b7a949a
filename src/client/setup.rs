//! What the calls of a client begin with: its settings, its addresses, its token, its headers. Another
//! one takes its place when the client is configured anew, or when a file that its TLS is made of
//! changes; calls in flight end as they began.

use super::endpoints::{Endpoints, News};
use super::stamp::Stamps;
use super::token::Token;
use super::vault::Vault;
use super::{Call, TOKEN, secret_header};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::observe::audit::Audit;
use crate::sync::Mutex;
use crate::sys::PerProcess;
#[cfg(test)]
use crate::transport::Transport;
use base64_simd::STANDARD;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use ureq::http::{HeaderName, HeaderValue, header};

/// How often files are looked at, at most: a system call each.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Setup {
    pub(super) settings: Arc<Settings>,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) token: Arc<Token>,
    /// Those that every call carries, beside the token.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What encrypts and decrypts values, where a key is set.
    pub(super) vault: Option<Arc<Vault>>,
    /// Where its changes are taken down.
    pub(super) audit: Option<Arc<Audit>>,
    files: Files,
}

/// The files of a setup, and when they were looked at last.
struct Files {
    any: bool,
    since: Instant,
    /// In ms since then.
    looked: AtomicU64,
    /// As they were before they were read, which a forked child begins with too.
    read: Stamps,
    tls: PerProcess<Mutex<Stamps>>,
}

impl Setup {
    /// `news` is of those whose place its addresses take.
    pub(super) fn new(settings: Settings, news: News) -> Result<Setup> {
        // Before they are read: what changes meanwhile is read again.
        let files = Files::of(&settings);
        let endpoints = Endpoints::open(&settings, news)?;
        Setup::with(settings, endpoints, files)
    }

    /// One whose only agent is reached by this transport.
    #[cfg(test)]
    pub(super) fn with_transport(
        settings: Settings,
        transport: Arc<dyn Transport>,
    ) -> Result<Setup> {
        let endpoints = Endpoints::single(transport, &settings);
        let files = Files::of(&settings);
        Setup::with(settings, endpoints, files)
    }

    fn with(settings: Settings, endpoints: Arc<Endpoints>, files: Files) -> Result<Setup> {
        let mut headers = Vec::new();
        if let Some(user) = &settings.http_auth {
            let user = if user.contains(':') { user.clone() } else { format!("{user}:") };
            let value = secret_header(&format!("Basic {}", STANDARD.encode_to_string(user)))?;
            headers.push((header::AUTHORIZATION, value));
        }
        let token = Arc::new(Token::new(&settings)?);
        let vault = settings.encryption.as_ref().map(Vault::new).transpose()?.map(Arc::new);
        let audit = settings.audit.as_ref().map(Audit::open).transpose()?;
        Ok(Setup { settings: Arc::new(settings), endpoints, token, headers, vault, audit, files })
    }

    /// The same with connections of its own, for files of TLS that have changed.
    pub(super) fn with_files_read_again(&self) -> Result<Setup> {
        let files = Files::of(&self.settings);
        let endpoints = Endpoints::open(&self.settings, self.endpoints.news())?;
        endpoints.follow(&self.endpoints);
        Ok(Setup {
            settings: self.settings.clone(),
            endpoints,
            token: self.token.clone(),
            headers: self.headers.clone(),
            vault: self.vault.clone(),
            audit: self.audit.clone(),
            files,
        })
    }

    /// The headers of a call, but for those of its transport.
    pub(super) fn headers(&self, call: &Call<'_>) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let mut headers = self.headers.clone();
        let token = match call.options.token.as_deref() {
            Some(token) => Some(secret_header(token)?),
            None => self.token.now(),
        };
        headers.extend(token.map(|token| (TOKEN, token)));
        if let Some(content_type) = call.content_type {
            let value = HeaderValue::from_str(content_type)
                .map_err(|_| Error::argument("the content type cannot stand in an HTTP header"))?;
            headers.push((header::CONTENT_TYPE, value));
        }
        Ok(headers)
    }

    /// Has the files looked at that may have changed, once in a while. True when those of TLS have.
    #[inline]
    pub(super) fn must_read_files(&self) -> bool {
        self.files.any && self.files.is_time() && {
            self.token.look();
            self.files.tls_has_changed()
        }
    }
}

impl Files {
    fn of(settings: &Settings) -> Files {
        let speaks_tls = settings.addresses.iter().any(|place| place.is_tls());
        let tls = [
            &settings.tls_ca_file,
            &settings.tls_ca_path,
            &settings.tls_cert_file,
            &settings.tls_key_file,
        ];
        let tls = tls.into_iter().filter(|_| speaks_tls).flatten().cloned();
        let read = Stamps::of(tls);
        Files {
            any: settings.token_file.is_some() || !read.is_empty(),
            since: Instant::now(),
            looked: AtomicU64::new(0),
            read,
            tls: PerProcess::new(),
        }
    }

    fn is_time(&self) -> bool {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Relaxed);
        now.saturating_sub(looked) >= LOOK.as_millis() as u64
            && self.looked.compare_exchange(looked, now, Relaxed, Relaxed).is_ok()
    }

    fn tls_has_changed(&self) -> bool {
        self.tls.get_or_init(|| Mutex::new(self.read.clone())).lock().have_changed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::sys::testing::in_child;

    #[test]
    fn a_forked_child_sees_that_a_certificate_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "1").unwrap();
        let mut config = Config::without_environment();
        config.set("address", "https://127.0.0.1:1").unwrap();
        config.set("tls_ca_file", path.to_str().unwrap()).unwrap();
        let files = Files::of(&Settings::resolve(&config).unwrap());
        assert!(!files.tls_has_changed());
        let seen = || {
            let before = files.tls_has_changed();
            std::fs::write(&path, "10").unwrap();
            i32::from(before || !files.tls_has_changed() || files.tls_has_changed())
        };
        assert_eq!(in_child(seen), 0);
        assert!(files.tls_has_changed());
    }
}
