//! Sessions that the library keeps alive, on a real Consul.

use crate::proxy::{Fate, Proxy};
use crate::quick::{
    PATIENCE, TTL, eventually, lock_spec, none, quick, quick_client, session, session_exists,
    status_of,
};
use crate::support::control::{Control, GRACE, timed};
use crate::support::fault::Reply;
use crate::support::{Consul, unique};
use consul_ffi::Status;
use consul_ffi::api::session::SessionSpec;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_kept_session_outlives_its_ttl_and_ends_as_it_is_told() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let kept = || client.keep_session(&session().ttl(SECOND), &none()).unwrap();
    let control = Control::start();
    let (renewed, stopped, dropped) = (kept(), kept(), kept());
    let ids = [renewed.id(), stopped.id(), dropped.id()];
    stopped.stop();
    drop(dropped);
    eventually("the dropped one is gone", || !session_exists(consul, &ids[2]));
    assert!(session_exists(consul, &ids[1]));
    // Consul ends a session after twice its TTL.
    eventually("the stopped one is gone", || !session_exists(consul, &ids[1]));
    assert!(!stopped.is_valid());
    let lives = session_exists(consul, &ids[0]) && renewed.is_valid();
    let timing = control.stop();
    assert!(lives || !timing.is_punctual(SECOND / 2), "{timing:?}");
    assert_eq!((renewed.id(), renewed.generation()), (ids[0].clone(), 1));
    renewed.destroy().unwrap();
    assert!(!session_exists(consul, &ids[0]) && !renewed.is_valid());
    renewed.destroy().unwrap();
}

#[test]
fn what_is_destroyed_elsewhere_is_found_at_the_next_renewal() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let kept = client.keep_session(&session().ttl(TTL), &none()).unwrap();
    let again = client.keep_session_recreated(&session().ttl(TTL), &none()).unwrap();
    let old = again.id();
    for id in [kept.id(), again.id()] {
        consul.put(&format!("/v1/session/destroy/{id}"), "");
    }
    let ((), timing) = timed(|| eventually("it is found", || !kept.is_valid()));
    assert!(timing.fair() < TTL / 2 + GRACE, "{timing:?}");
    eventually("another is made", || {
        again.generation() > 1 && again.is_valid() && session_exists(consul, &again.id())
    });
    assert!(again.id() != old);
    let error = client.session().renew(&old, &none()).unwrap_err();
    assert_eq!(error.status(), Status::SessionInvalid);
    again.destroy().unwrap();
}

#[test]
fn what_this_client_destroys_by_its_id_is_not_renewed_any_more() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    let kept = client.keep_session_recreated(&session().ttl(SECOND), &none()).unwrap();
    client.session().destroy(&kept.id(), &none()).unwrap();
    assert!(!kept.is_valid());
    let before = proxy.requests().len();
    std::thread::sleep(SECOND);
    assert_eq!(proxy.requests().len(), before);
}

#[test]
fn renewals_that_fail_for_less_than_half_of_the_ttl_cost_nothing() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    for (what, fate) in [
        ("500s", (|| Fate::Answer(Reply::text(500, "No cluster leader"))) as fn() -> Fate),
        ("resets", || Fate::Reset),
        ("silence", || Fate::Swallow),
    ] {
        let control = Control::start();
        let kept = client.keep_session(&session().ttl(TTL), &none()).unwrap();
        let renewals = || renewals(&proxy, &kept.id());
        eventually("it is renewed", || renewals() > 0 || !kept.is_valid());
        proxy.judge(move |_| fate());
        let before = renewals();
        eventually("renewals fail", || renewals() > before || !kept.is_valid());
        std::thread::sleep(TTL / 4);
        proxy.open();
        let before = renewals();
        let is_renewed = || renewals() > before && kept.remaining() > TTL / 2;
        eventually("it is renewed again", || is_renewed() || !kept.is_valid());
        let lives = kept.is_valid() && session_exists(consul, &kept.id());
        let timing = control.stop();
        assert!(lives || !timing.is_punctual(TTL / 8), "{what}: {timing:?}");
        assert_eq!(kept.generation(), 1, "{what}");
    }
}

fn renewals(proxy: &Proxy, id: &str) -> usize {
    let renewal = format!("/renew/{id}");
    proxy.requests().iter().filter(|request| request.target.contains(&renewal)).count()
}

#[test]
fn an_agent_that_hangs_ends_a_session_by_its_deadline() {
    let Some(_) = quick() else { return };
    let Some(consul) = Consul::with_hcl("session_ttl_min = \"1s\"") else { return };
    let client = quick_client(&consul.address());
    let keep = || client.keep_session(&session().ttl(TTL), &none()).unwrap();
    // Shorter than half of the TTL: nothing happens.
    let kept = keep();
    let control = Control::start();
    consul.stop_signal();
    std::thread::sleep(TTL * 2 / 5);
    consul.cont();
    eventually("it is renewed", || kept.remaining() > TTL * 3 / 4 || !kept.is_valid());
    let (lives, timing) = (kept.is_valid(), control.stop());
    assert!(lives || !timing.is_punctual(TTL / 8), "{timing:?}");
    let kept = keep();
    consul.stop_signal();
    let left = kept.remaining();
    let ((), timing) = timed(|| eventually("it ends", || !kept.is_valid()));
    assert!(timing.elapsed >= left.saturating_sub(SECOND / 20), "{timing:?} {left:?}");
    // At the last answer that was on its way it began anew.
    assert!(timing.fair() < TTL + GRACE, "{timing:?} {left:?}");
    consul.cont();
    let id = kept.id();
    eventually("it is destroyed", || !session_exists(&consul, &id));
    assert!(!kept.is_valid());
}

#[test]
fn a_destruction_that_fails_is_told_and_goes_on() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    let kept = client.keep_session(&session().ttl(SECOND * 60), &none()).unwrap();
    let id = kept.id();
    proxy.judge(|_| Fate::Answer(Reply::text(500, "rpc error making call: EOF")));
    let error = kept.destroy().unwrap_err();
    assert!(error.is_outcome_unknown() && !kept.is_valid());
    assert!(session_exists(consul, &id));
    proxy.open();
    eventually("it is destroyed", || !session_exists(consul, &id));
}

#[test]
fn an_explicit_empty_list_of_checks_and_the_default_ttl_are_on_the_wire() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    let nothing: [&str; 0] = [];
    let unchecked = SessionSpec::new().node_checks(nothing);
    let kept = client.keep_session(&unchecked, &none()).unwrap();
    let endless = unchecked.ttl(Duration::ZERO);
    let other = client.keep_session(&endless, &none()).unwrap();
    assert_eq!(other.remaining(), Duration::MAX);
    let bodies: Vec<_> =
        proxy.requests().iter().map(|request| request.text().to_string()).collect();
    assert_eq!(bodies, [r#"{"TTL":"15s","NodeChecks":[]}"#, r#"{"NodeChecks":[]}"#]);
    kept.destroy().unwrap();
    other.destroy().unwrap();
}

#[test]
fn a_closed_client_keeps_no_session() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let kept = client.keep_session(&session(), &none()).unwrap();
    let stopped = client.keep_session(&session(), &none()).unwrap();
    stopped.stop();
    client.close(PATIENCE).unwrap();
    assert!(!kept.is_valid() && !session_exists(consul, &kept.id()));
    assert!(session_exists(consul, &stopped.id()));
    assert_eq!(status_of(client.keep_session(&session(), &none())), Status::Closed);
    consul.put(&format!("/v1/session/destroy/{}", stopped.id()), "");
}

#[test]
fn whoever_only_reads_writes_nothing() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    let key = unique("read");
    client.kv().get(&key, &none()).unwrap();
    client.kv().list(&key, &none()).unwrap();
    client.session().list(&none()).unwrap();
    let lock = client.lock(lock_spec(&key)).unwrap();
    assert!(!lock.is_held() && lock.destroy().unwrap());
    drop(lock);
    client.close(PATIENCE).unwrap();
    assert!(proxy.requests().iter().all(|request| request.method == "GET"));
}
