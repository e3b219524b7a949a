//! Clients for the tests, whatever the environment says.

use crate::support::{Consul, consul};
use consul_ffi::{Answer, Client, Config, Options, Result};
use std::time::{Duration, Instant};

const NEWS_WITHIN: Duration = Duration::from_secs(60);

/// A client of this address.
pub fn client_at(address: &str) -> Client {
    client_with(address, &[])
}

/// A client of this address with these settings.
pub fn client_with(address: &str, settings: &[(&str, &str)]) -> Client {
    Client::new(&config(address, settings)).unwrap()
}

/// A configuration of this address with these settings, and time-outs for a busy machine.
pub fn config(address: &str, settings: &[(&str, &str)]) -> Config {
    let mut config = Config::without_environment();
    for (name, value) in [("address", address), ("timeout_ms", "60000")].iter().chain(settings) {
        config.set(name, value).unwrap();
    }
    config
}

/// A client of this agent.
pub fn client_of(consul: &Consul) -> Client {
    client_at(&consul.address())
}

/// A client of the agent that all tests share, where there is one.
pub fn shared_client() -> Option<Client> {
    consul().map(client_of)
}

/// Asks again whenever Consul has news, until the answer is as it shall be.
pub fn until<T: std::fmt::Debug>(
    query: impl Fn(&Options) -> Result<Answer<T>>,
    is_right: impl Fn(&T) -> bool,
) -> Answer<T> {
    let end = Instant::now() + NEWS_WITHIN;
    let mut index = 0;
    loop {
        let options = Options::new().index(index).wait(Duration::from_secs(2));
        let answer = query(&options).unwrap();
        if is_right(&answer.value) {
            return answer;
        }
        assert!(Instant::now() < end, "still {:?}", answer.value);
        // An index may go back; then it starts anew.
        index = if answer.meta.index < index { 0 } else { answer.meta.index };
    }
}
