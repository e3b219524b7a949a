//! A thousand locks at a time, on an agent of their own.

use crate::clients::client_at;
use crate::quick::{PATIENCE, eventually, lost, none};
use crate::support::control::{Control, timed};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::recipes::lock::{Lock, LockSpec, LostReason};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_thousand_held_locks_cost_four_connections_at_most() {
    let Some(_) = consul() else { return };
    let Some(consul) = Consul::start() else { return };
    let client = client_at(&consul.address());
    let prefix = unique("many");
    let kept = client.keep_session(&SessionSpec::new(), &none()).unwrap();
    let locks: Vec<Lock> = (0..1000)
        .map(|number| {
            let spec = LockSpec::new(format!("{prefix}/{number}"));
            // Half of them have a session of their own to renew.
            let spec = if number % 2 == 0 { spec.session(&kept) } else { spec };
            let lock = client.lock(spec).unwrap();
            assert!(lock.acquire(PATIENCE).unwrap());
            lock
        })
        .collect();
    // Longer than the TTL, so that all of them are renewed meanwhile.
    let (control, mut most) = (Control::start(), 0);
    while control.elapsed() < SECOND * 16 {
        most = most.max(connections_to(consul.port()));
        std::thread::sleep(Duration::from_millis(20));
    }
    // What comes too late may use a few more.
    let timing = control.stop();
    let allowed = if timing.is_punctual(SECOND) { 4 } else { 16 };
    assert!(most <= allowed, "{most} connections, {timing:?}");
    assert!(locks.iter().all(Lock::is_held));

    // Each of them is told of its own loss.
    consul.delete(&format!("/v1/kv/{prefix}/500"));
    assert_eq!(lost(&locks[500]), LostReason::KeyDeleted);
    consul.put(&format!("/v1/session/destroy/{}", locks[501].session_id().unwrap()), "");
    assert_eq!(lost(&locks[501]), LostReason::SessionInvalid);
    assert_eq!(locks.iter().filter(|lock| lock.is_held()).count(), 998);
    let (closed, timing) = timed(|| client.close(PATIENCE));
    closed.unwrap();
    assert!(timing.fair() < PATIENCE);
    eventually("no session is left", || {
        consul.get("/v1/session/list?consistent").json() == serde_json::json!([])
    });
}

/// Established connections of this machine to a port: only this test knows the agent.
fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let remote = format!(":{port:04X}");
    let established = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[2].ends_with(&remote) && fields[3] == "01"
    };
    table.lines().skip(1).filter(established).count()
}
