//! A client that is configured anew while work goes on.

use super::endpoints::Endpoints;
use super::setup::Setup;
use super::{Client, Shared, Style};
use crate::config::{Config, Settings};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use arc_swap::Guard;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;

const AREA: &str = "client";

impl<S: Style> Client<S> {
    /// Takes this configuration from now on: addresses, token, TLS, limits, times, all of it. An
    /// error changes nothing. No call fails for it: those in flight end as they began. Sessions,
    /// locks, watches and kept services live on, and go on with the new one; a service is registered
    /// with the new token where that has changed.
    ///
    /// A configuration reads the environment when it is made, so a new one sees what has changed
    /// there.
    pub fn reload(&self, config: &Config) -> Result<()> {
        self.upkeep().lane.check_open()?;
        let before = self.shared.setup.load_full();
        let setup = Setup::new(Settings::resolve(config)?, before.endpoints.news())?;
        setup.token.follow(&before.token);
        self.shared.replace(setup)?;
        log::add(Level::Info, AREA, || format!("configured anew for {}", self.addresses()));
        self.upkeep().token_changed();
        Ok(())
    }

    /// Takes this token from now on, `None` for the one that was configured. What is kept registered
    /// with the client's token is registered anew: an agent keeps the token of a registration.
    /// Options of a call that name a token are not touched.
    pub fn set_token(&self, token: Option<&str>) -> Result<()> {
        self.shared.setup.load().token.set(token)?;
        self.upkeep().token_changed();
        Ok(())
    }

    /// One more with each change of the client's token.
    pub(crate) fn token_revision(&self) -> u64 {
        self.shared.setup.load().token.revision()
    }
}

impl Shared {
    /// What a call begins with. Looks, once in a while, whether a file has changed that it is made of.
    /// What cannot be used is left: the last good files stay in use.
    #[inline]
    pub(super) fn setup(&self) -> Guard<Arc<Setup>> {
        let setup = self.setup.load();
        if !setup.must_read_files() {
            return setup;
        }
        self.read_files(&setup);
        self.setup.load()
    }

    #[cold]
    fn read_files(&self, setup: &Setup) {
        let read = setup.with_files_read_again().and_then(|setup| self.replace(setup));
        match read {
            Ok(()) => log::add(Level::Info, AREA, || "the files of TLS have changed".to_string()),
            Err(error) => log::add(Level::Warning, AREA, || {
                format!("{error}; the files of TLS that were read before stay in use")
            }),
        }
    }

    /// From now on calls begin with this one.
    fn replace(&self, setup: Setup) -> Result<()> {
        let setup = Arc::new(setup);
        let before = self.setup.swap(setup.clone());
        setup.endpoints.tell_in_place_of(Some(&before.endpoints));
        {
            let mut retired = self.retired().lock();
            retired.retain(|endpoints| endpoints.strong_count() > 0);
            retired.push(Arc::downgrade(&before.endpoints));
        }
        if self.closed.load(SeqCst) {
            // Who closed the client may have looked when `before` stood nowhere.
            self.close();
            return Err(Error::new(Status::Closed, "the client is closed"));
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.for_all_endpoints(Endpoints::close);
    }

    pub(super) fn end_calls(&self) {
        self.for_all_endpoints(Endpoints::end_calls);
    }

    /// Everything that calls may still be in flight to.
    fn for_all_endpoints(&self, end: fn(&Endpoints)) {
        end(&self.setup.load().endpoints);
        let retired: Vec<_> = self.retired().lock().iter().filter_map(|it| it.upgrade()).collect();
        retired.iter().for_each(|endpoints| end(endpoints));
    }
}

#[cfg(test)]
mod tests {
    use crate::client::{Client, Embedded};
    use crate::config::{Config, Options};
    use crate::error::Status;
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    #[test]
    fn a_client_that_is_closed_amid_a_reload_ends_what_began_before() {
        let mut config = Config::without_environment();
        config.set("address", "embedded:").unwrap();
        let client = Client::new(&config).unwrap();
        let agent = Embedded::of(&client).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let options = Options::new().index(1_000_000).wait(Duration::from_secs(60));
                client.kv().get("a", &options)
            });
            while agent.waiting() == 0 {
                std::thread::yield_now();
            }
            // As who closes it finds it when the new setup is in its place and the one before in none.
            client.shared.closed.store(true, SeqCst);
            assert_eq!(client.reload(&config).unwrap_err().status(), Status::Closed);
            assert_eq!(waits.join().unwrap().unwrap_err().status(), Status::Closed);
        });
    }
}
