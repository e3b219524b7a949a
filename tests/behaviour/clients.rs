//! Clients for the tests, whatever the environment says.

use crate::support::consul;
use consul_ffi::{Client, Config};

/// A client of this address.
pub fn client_at(address: &str) -> Client {
    client_with(address, &[])
}

/// A client of this address with these settings.
pub fn client_with(address: &str, settings: &[(&str, &str)]) -> Client {
    let mut config = Config::without_environment();
    config.set("address", address).unwrap();
    for (name, value) in settings {
        config.set(name, value).unwrap();
    }
    Client::new(&config).unwrap()
}

/// A client of the agent that all tests share, where there is one.
pub fn shared_client() -> Option<Client> {
    consul().map(|consul| client_at(&consul.address()))
}
