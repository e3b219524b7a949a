//! Watches of a Consul that misbehaves.

use super::watch::{PATIENCE, wait_value};
use crate::clients::{client_at, client_with};
use crate::support::Consul;
use crate::support::control::{GRACE, timed};
use crate::support::fault::{Door, Reply, Server};
use consul_ffi::Options;
use consul_ffi::watch::{Freshness, WatchSpec};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

fn key(value: &str, index: u64) -> Reply {
    let value = base64_simd::STANDARD.encode_to_string(value);
    Reply::json(200, format!(r#"[{{"Key":"a","Value":"{value}"}}]"#)).index(index)
}

#[test]
fn an_agent_that_holds_a_query_for_its_wait_and_a_sixteenth_is_waited_for() {
    let server = Server::start(Door::Tcp, |connection| {
        let request = connection.read_request()?;
        connection.reply(&key("1", 5))?;
        assert_eq!(request.parameter("wait"), None);
        loop {
            let request = connection.read_request()?;
            assert_eq!(
                (request.parameter("wait"), request.parameter("index")),
                (Some("1600ms"), Some("5"))
            );
            connection.pause(Duration::from_millis(1700))?;
            connection.reply(&key("1", 5))?;
        }
    });
    // A time-out below the wait, which is what a busy machine may take besides.
    let options =
        Options::new().wait(Duration::from_millis(1600)).timeout(Duration::from_millis(1500));
    let watch = client_at(server.address()).watch(WatchSpec::key("a").options(&options)).unwrap();
    server.wait_for_requests(3);
    let stats = watch.stats();
    assert_eq!((stats.consecutive_failures, stats.last_error.is_none()), (0, true));
    assert_eq!(server.connections(), 1);
}

#[test]
fn an_absent_key_without_an_index_is_asked_for_rarely() {
    let server = Server::answering(|_| Reply::bytes(404, "").header("X-Consul-Knownleader", true));
    let watch = client_at(server.address()).watch(WatchSpec::key("a")).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    assert_eq!(watch.freshness(), Freshness::Empty);
    let requests = server.wait_for_requests(3);
    let pauses = requests.windows(2).map(|two| two[1].at - two[0].at);
    // But for what two clocks differ in.
    let due = [1000, 2000].map(|ms| Duration::from_millis(ms - 50));
    assert!(pauses.zip(due).all(|(pause, due)| pause >= due), "{requests:?}");
    assert_eq!(requests[1].parameter("index"), Some("1"));
}

#[test]
fn a_stop_closes_the_connection_at_once() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reply(&key("1", 5))?;
        connection.read_request()?;
        connection.wait_for_close()
    });
    let watch = client_at(server.address()).watch(WatchSpec::key("a")).unwrap();
    server.wait_for_requests(2);
    let ((), timing) = timed(|| {
        watch.stop();
        server.wait_for_open_connections(0);
    });
    assert!(timing.fair() < GRACE, "{timing:?}");
}

#[test]
fn a_connection_that_dies_costs_one_quick_read() {
    let served = AtomicUsize::new(0);
    let server = Server::start(Door::Tcp, move |connection| {
        connection.read_request()?;
        connection.reply(&key(if served.fetch_add(1, SeqCst) == 0 { "1" } else { "2" }, 5))?;
        if connection.number() == 0 {
            connection.read_request()?;
            return connection.reset();
        }
        connection.read_request()?;
        connection.wait_for_release()
    });
    let watch = client_at(server.address()).watch(WatchSpec::key("a")).unwrap();
    wait_value(&watch, "a", Some("2"));
    let indexes: Vec<_> = server
        .wait_for_requests(4)
        .iter()
        .map(|request| request.parameter("index").map(str::to_string))
        .collect();
    // After the failure nothing is taken for known.
    assert_eq!(indexes, [None, Some("5".into()), None, Some("5".into())]);
    assert_eq!(watch.freshness(), Freshness::Fresh);
}

#[test]
fn a_consul_that_is_gone_leaves_the_last_state_to_be_read() {
    let Some(consul) = Consul::start() else { return };
    let address = consul.address();
    consul.put("/v1/kv/a", "1");
    let watch = client_with(&address, &[]).watch(WatchSpec::key("a")).unwrap();
    wait_value(&watch, "a", Some("1"));
    consul.kill();
    while watch.stats().consecutive_failures < 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(watch.freshness(), Freshness::Stale(_)));
    assert_eq!(watch.state().content().map(|content| content.len()), Some(1));
}

#[test]
fn opening_and_closing_leaves_nothing_behind() {
    let Some(consul) = Consul::start() else { return };
    let client = client_at(&consul.address());
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let cycle = || {
        let watch = client.watch(WatchSpec::key("a")).unwrap();
        watch.wait_ready(PATIENCE).unwrap();
    };
    (0..20).for_each(|_| cycle());
    let before = descriptors();
    (0..300).for_each(|_| cycle());
    // Other tests run beside this one; three hundred leaks would show all the same.
    assert!(descriptors() < before + 250, "{before} before, {} after", descriptors());
    // The agent has connections left for others.
    assert_eq!(consul.get("/v1/status/leader").status, 200);
    let stats = client.watch(WatchSpec::key("a")).unwrap();
    stats.wait_ready(PATIENCE).unwrap();
}
