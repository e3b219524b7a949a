//! More watches than connections.

use super::watch::{PATIENCE, wait_value};
use crate::clients::client_at;
use crate::support::Consul;
use crate::support::control::{GRACE, timed};
use consul_ffi::watch::WatchSpec;
use std::time::Duration;

/// Established connections of this process to a port.
fn connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let remote = format!("0100007F:{port:04X}");
    table
        .lines()
        .filter(|line| {
            let mut fields = line.split_whitespace().skip(2);
            fields.next() == Some(remote.as_str()) && fields.next() == Some("01")
        })
        .count()
}

#[test]
fn a_thousand_watches_stay_under_the_cap_and_each_sees_its_change() {
    let Some(consul) = Consul::start() else { return };
    let client = client_at(&consul.address());
    let name = |n: usize| format!("many/{n}");
    let watches: Vec<_> =
        (0..1000).map(|n| client.watch(WatchSpec::key(name(n))).unwrap()).collect();
    for watch in &watches {
        watch.wait_ready(PATIENCE).unwrap();
    }
    let mut slowest = Duration::ZERO;
    for n in (0..1000).step_by(97) {
        consul.put(&format!("/v1/kv/{}", name(n)), "1");
        let ((), timing) = timed(|| wait_value(&watches[n], &name(n), Some("1")));
        slowest = slowest.max(timing.fair());
        // The one that writes has a connection of its own.
        let open = connections(consul.port());
        assert!(open <= 16 + 1, "{open} connections");
    }
    // Two seconds are promised to a machine that is not busy otherwise.
    assert!(slowest < Duration::from_secs(2) + GRACE, "{slowest:?}");
    let failures: u32 = watches.iter().map(|watch| watch.stats().consecutive_failures).sum();
    assert_eq!(failures, 0);
}
