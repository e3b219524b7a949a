//! Locks when requests fail, hang, or lose their answer, on a real Consul behind a proxy.

use crate::clients::client_with;
use crate::proxy::{Fate, Proxy};
use crate::quick::{
    LASTING, PATIENCE, TTL, eventually, held, holder_at, in_vain, lock_spec, lost, none, quick,
    quick_client, session, session_exists, sessions_named, start, status_of,
};
use crate::support::control::{Control, GRACE, timed};
use crate::support::fault::{Reply, Request};
use crate::support::{Consul, unique};
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::recipes::lock::{LockSpec, LostReason};
use consul_ffi::recipes::registration::KeptServiceSpec;
use consul_ffi::{Client, Status};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn world() -> Option<(&'static Consul, Proxy, Client)> {
    let consul = quick()?;
    let proxy = Proxy::before(consul);
    let client = quick_client(proxy.address());
    Some((consul, proxy, client))
}

fn unavailable() -> Fate {
    Fate::Answer(Reply::text(500, "rpc error making call: No cluster leader"))
}

fn is_read(target: &str, key: &str) -> bool {
    target.starts_with(&format!("/v1/kv/{key}"))
}

#[test]
fn reads_that_fail_for_a_while_are_not_a_loss() {
    let Some((_, proxy, client)) = world() else { return };
    let key = unique("lock");
    let lock = held(&client, lock_spec(&key));
    for round in 0..3 {
        let (key, fails) = (key.clone(), AtomicUsize::new(0));
        proxy.judge(move |request| {
            match is_read(&request.target, &key) && fails.fetch_add(1, SeqCst) < 2 {
                true if round == 1 => Fate::Reset,
                true => unavailable(),
                false => Fate::Pass,
            }
        });
        assert_eq!(lock.wait_lost(TTL).unwrap(), None);
    }
    proxy.open();
    assert!(lock.is_held());
    lock.release().unwrap();
}

#[test]
fn reads_that_fail_for_too_long_are_one_loss() {
    let Some((consul, proxy, client)) = world() else { return };
    let key = unique("lock");
    let lock = held(&client, lock_spec(&key).monitor_retry(TTL));
    let (id, failing) = (lock.session_id().unwrap(), key.clone());
    proxy.judge(
        move |request| {
            if is_read(&request.target, &failing) { unavailable() } else { Fate::Pass }
        },
    );
    let started = Instant::now();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| scope.spawn(|| lock.wait_lost(PATIENCE).unwrap())).collect();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Some(LostReason::Deadline));
        }
    });
    assert!(started.elapsed() > TTL / 2, "{:?}", started.elapsed());
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    // Nobody else is kept waiting by a session that nobody uses.
    eventually("its session is destroyed", || !session_exists(consul, &id));
    assert_eq!(holder_at(consul, &key), None);
    proxy.open();
    assert!(lock.acquire(PATIENCE).unwrap());
}

#[test]
fn a_lock_behind_a_black_hole_is_lost_in_time_and_others_get_it() {
    let Some((consul, proxy, client)) = world() else { return };
    let key = unique("lock");
    let spec = |ttl| LockSpec::new(&key).session_spec(session().ttl(ttl).lock_delay(SECOND));
    let lock = held(&client, spec(TTL));
    let first = lock.fencing_token();
    // On a machine that stands still for as long it is lost without any of this.
    eventually("it is renewed", || {
        let is_renewal = |request: &Request| request.target.contains("/renew/");
        proxy.requests().iter().any(is_renewal) || !lock.is_held()
    });
    proxy.judge(|_| Fate::Swallow);
    let (reason, timing) = timed(|| lock.wait_lost(PATIENCE).unwrap());
    assert_eq!(reason, Some(LostReason::Deadline));
    assert!(timing.fair() < TTL + GRACE, "{timing:?}");
    // The worst case: twice the TTL, and the lock-delay.
    let other = quick_client(&consul.address()).lock(spec(LASTING)).unwrap();
    let (won, timing) = timed(|| other.acquire(PATIENCE).unwrap());
    assert!(won && timing.fair() < TTL * 2 + SECOND + GRACE, "{timing:?}");
    assert!(other.fencing_token() > first);
    // The way to Consul is back, and it does not come back to life.
    proxy.open();
    assert!(!lock.is_held());
    assert!(!lock.try_acquire().unwrap());
    assert_eq!(lock.holder(), other.session_id());
    other.release().unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
}

#[test]
fn an_acquire_whose_answer_got_lost_leaves_one_session_at_most() {
    let Some((consul, proxy, client)) = world() else { return };
    let (key, name) = (unique("lock"), unique("lost-answer"));
    let failed = AtomicUsize::new(0);
    proxy.judge(move |request| {
        let first = request.target == "/v1/txn" && failed.fetch_add(1, SeqCst) < 2;
        if first { Fate::LoseAnswer } else { Fate::Pass }
    });
    let lock = held(&client, LockSpec::new(&key).session_spec(session().name(&name)));
    eventually("one session is left", || sessions_named(&name).len() == 1);
    assert_eq!(holder_at(consul, &key), lock.session_id());
    lock.release().unwrap();
    assert!(sessions_named(&name).is_empty());
}

#[test]
fn what_a_borrowed_session_got_without_an_answer_is_found_by_a_read() {
    let Some((consul, proxy, client)) = world() else { return };
    let key = unique("lock");
    let kept = client.keep_session(&session(), &none()).unwrap();
    proxy.judge(|request| if request.target == "/v1/txn" { Fate::LoseAnswer } else { Fate::Pass });
    let lock = client.lock(LockSpec::new(&key).session(&kept)).unwrap();
    assert!(lock.try_acquire().unwrap_err().is_outcome_unknown());
    proxy.open();
    eventually("it is given back", || holder_at(consul, &key).is_none());
    proxy.judge(|request| if request.target == "/v1/txn" { Fate::LoseAnswer } else { Fate::Pass });
    assert!(lock.acquire(PATIENCE).unwrap());
    proxy.open();
    assert_eq!(holder_at(consul, &key), Some(kept.id()));
    lock.release().unwrap();
    assert!(kept.is_valid());
}

#[test]
fn a_release_goes_before_the_end_of_the_session_on_the_wire() {
    let Some((_, proxy, client)) = world() else { return };
    let lock = held(&client, lock_spec(&unique("lock")));
    let before = proxy.requests().len();
    lock.release().unwrap();
    let writes: Vec<_> = proxy.requests()[before..]
        .iter()
        .filter(|request| request.method == "PUT")
        .map(|request| (request.path().to_string(), request.text().contains("\"unlock\"")))
        .collect();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert_eq!(writes[0], ("/v1/txn".to_string(), true));
    assert!(writes[1].0.starts_with("/v1/session/destroy/"), "{writes:?}");
}

#[test]
fn a_release_that_fails_is_unknown_and_goes_on() {
    let Some((consul, proxy, client)) = world() else { return };
    for lose in [false, true] {
        let key = unique("lock");
        let spec = session().lock_delay(SECOND * 60);
        let lock = held(&client, LockSpec::new(&key).session_spec(spec));
        let id = lock.session_id().unwrap();
        proxy.judge(move |request| match request.target == "/v1/txn" {
            true if lose => Fate::LoseAnswer,
            true => Fate::Reset,
            false => Fate::Pass,
        });
        let error = lock.release().unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        assert!(!lock.is_held());
        proxy.open();
        // Released, not only its session ended: there is no lock-delay.
        let next = client.lock(lock_spec(&key)).unwrap();
        assert!(next.acquire(SECOND * 30).unwrap());
        eventually("its session is gone", || !session_exists(consul, &id));
        next.release().unwrap();
    }
}

#[test]
fn a_lock_touches_no_session_but_its_own() {
    let Some((consul, proxy, client)) = world() else { return };
    let key = unique("lock");
    // Of the same name, as a tool beside a leader has it.
    let leader = quick_client(&consul.address());
    let name = unique("leader");
    let spec = || LockSpec::new(&key).session_spec(session().name(&name));
    let held_by_leader = held(&leader, spec());
    let lock = client.lock(spec()).unwrap();
    assert!(in_vain(lock.acquire(Duration::from_millis(100))));
    assert!(!lock.destroy().unwrap());
    client.close(PATIENCE).unwrap();
    assert!(held_by_leader.is_held());
    let touched =
        |request: &&Request| request.target.contains(&held_by_leader.session_id().unwrap());
    assert_eq!(proxy.requests().iter().filter(touched).count(), 0);
    held_by_leader.release().unwrap();
}

#[test]
fn an_acquire_waits_for_a_consul_that_comes_back() {
    let Some((_, proxy, client)) = world() else { return };
    proxy.judge(|_| Fate::Reset);
    let lock = client.lock(lock_spec(&unique("lock"))).unwrap();
    assert!(lock.try_acquire().is_err());
    let error = lock.acquire(SECOND / 2).unwrap_err();
    assert!(error.status() != Status::Held && !lock.is_held(), "{error}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.acquire(PATIENCE));
        let before = proxy.requests().len();
        eventually("it tries", || proxy.requests().len() > before + 2);
        proxy.open();
        assert!(waiting.join().unwrap().unwrap());
    });
    lock.release().unwrap();
}

#[test]
fn a_thousand_acquires_that_fail_leave_no_session() {
    let Some((consul, proxy, client)) = world() else { return };
    let key = unique("lock");
    let name = unique("leak");
    let spec = |key: &str| LockSpec::new(key).session_spec(session().name(&name));
    // One key is held, others are in their lock-delay.
    let _holder = held(&quick_client(&consul.address()), lock_spec(&key));
    let delayed = || {
        let key = unique("delayed");
        let delaying = session().lock_delay(SECOND * 60);
        let gone = held(&client, LockSpec::new(&key).session_spec(delaying));
        consul.put(&format!("/v1/session/destroy/{}", gone.session_id().unwrap()), "");
        assert_eq!(lost(&gone), LostReason::SessionInvalid);
        client.lock(spec(&key)).unwrap()
    };

    let waiting = client.lock(spec(&key)).unwrap();
    for _ in 0..6 {
        let trying = delayed();
        for _ in 0..50 {
            assert!(!waiting.try_acquire().unwrap());
            assert!(!trying.try_acquire().unwrap());
            assert!(!trying.acquire(Duration::from_millis(1)).is_ok_and(|won| won));
        }
    }
    let trying = delayed();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            let acquiring = scope.spawn(|| trying.acquire(Duration::MAX));
            while !acquiring.is_finished() {
                trying.stop();
                std::thread::yield_now();
            }
            assert_eq!(status_of(acquiring.join().unwrap()), Status::Cancelled);
        }
    });
    proxy.judge(|request| if request.target == "/v1/txn" { Fate::LoseAnswer } else { Fate::Pass });
    for _ in 0..50 {
        assert!(trying.try_acquire().is_err());
    }
    proxy.open();
    eventually("no session is left", || sessions_named(&name).is_empty());
}

#[test]
fn a_lock_and_a_service_survive_calls_that_hang_on_every_connection() {
    let Some(consul) = quick() else { return };
    let proxy = Proxy::before(consul);
    let client =
        client_with(proxy.address(), &[("min_session_ttl_ms", "1000"), ("max_connections", "2")]);
    let lock = held(&client, LockSpec::new(unique("lock")).session_spec(session().ttl(TTL)));
    let name = unique("stalled");
    let spec = KeptServiceSpec::new(ServiceDefinition::new(&name).port(80)).ttl(TTL);
    let service = client.keep_service(spec).unwrap();
    start(&service);
    let hang = "/v1/kv/hang";
    proxy.judge(move |request| match request.target.starts_with(hang) {
        true => Fate::Swallow,
        false => Fate::Pass,
    });
    let hanging =
        || proxy.requests().iter().filter(|request| request.target.starts_with(hang)).count();
    let times = |part: &str| {
        proxy.requests().iter().filter(|request| request.target.contains(part)).count()
    };
    let passing =
        || consul.get("/v1/agent/checks").json()[service.check_id()]["Status"] == "passing";
    let patience = none().timeout(PATIENCE * 2);
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..3).map(|_| scope.spawn(|| client.kv().get("hang", &patience).map(drop))).collect();
        eventually("both connections of calls hang", || hanging() == 2);
        let (renewed, beaten) = (times("/v1/session/renew/"), times("/v1/agent/check/"));
        let (started, control) = (Instant::now(), Control::start());
        let mut survives = true;
        while started.elapsed() < TTL * 5 / 2 {
            survives &= lock.is_held() && passing();
            std::thread::sleep(SECOND / 10);
        }
        survives &= times("/v1/session/renew/") > renewed && times("/v1/agent/check/") > beaten;
        let timing = control.stop();
        assert!(survives || !timing.is_punctual(TTL / 2), "{timing:?}");
        // No call has got through meanwhile: the third still waits for a place.
        assert_eq!(hanging(), 2);
        assert!(calls.iter().all(|call| !call.is_finished()));
        client.shutdown();
        for call in calls {
            assert_eq!(status_of(call.join().unwrap()), Status::Closed);
        }
    });
}
