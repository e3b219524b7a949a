//! Locks on a real Consul.

use crate::clients::shared_client;
use crate::quick::{
    LASTING, PATIENCE, eventually, held, holder_at, in_vain, lock_spec, lost, none, quick,
    quick_client, session, session_exists, sessions_named, status_of,
};
use crate::support::control::{GRACE, timed};
use crate::support::unique;
use consul_ffi::Status;
use consul_ffi::api::session::{Behavior, SessionSpec};
use consul_ffi::recipes::fence::Fenced;
use consul_ffi::recipes::lock::{LOCK_FLAG, LockSpec, LostReason};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_lock_is_acquired_held_and_released() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let lock = client.lock(lock_spec(&key).value("mine")).unwrap();
    assert_eq!((lock.is_held(), lock.fencing_token(), lock.session_id()), (false, None, None));
    assert_eq!(status_of(lock.release()), Status::NotHeld);

    assert!(lock.acquire(PATIENCE).unwrap());
    assert!(lock.is_held() && lock.remaining() > LASTING / 2);
    assert_eq!(status_of(lock.acquire(PATIENCE)), Status::AlreadyHeld);
    assert_eq!(status_of(lock.try_acquire()), Status::AlreadyHeld);
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"mine"[..], LOCK_FLAG));
    assert_eq!((pair.session, lock.fencing_token()), (lock.session_id(), Some(pair.modify_index)));
    assert_eq!(lock.wait_lost(Duration::from_millis(50)).unwrap(), None);

    let id = lock.session_id().unwrap();
    lock.release().unwrap();
    assert_eq!((lock.is_held(), lock.session_id(), lock.lost_reason()), (false, None, None));
    assert_eq!(status_of(lock.release()), Status::NotHeld);
    assert_eq!(status_of(lock.wait_lost(PATIENCE)), Status::NotHeld);
    assert_eq!(holder_at(consul, &key), None);
    assert!(!session_exists(consul, &id));
}

#[test]
fn who_waits_for_a_loss_learns_of_the_release() {
    let Some(consul) = quick() else { return };
    let lock = held(&quick_client(&consul.address()), lock_spec(&unique("lock")));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.wait_lost(Duration::MAX));
        lock.release().unwrap();
        assert_eq!(status_of(waiting.join().unwrap()), Status::NotHeld);
    });
}

#[test]
fn its_defaults_are_the_official_clients() {
    let Some(client) = shared_client() else { return };
    let lock = held(&client, LockSpec::new(unique("lock")));
    let id = lock.session_id().unwrap();
    let session = client.session().info(&id, &none()).unwrap().value.unwrap();
    assert_eq!((session.name.as_str(), session.ttl), ("Consul API Lock", SECOND * 15));
    assert_eq!((session.behavior, session.lock_delay), (Behavior::Release, SECOND * 15));
    assert_eq!(session.node_checks, ["serfHealth"]);
    lock.release().unwrap();
}

#[test]
fn its_session_is_what_it_is_told_to_be() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let spec = session().name("special").behavior(Behavior::Delete).lock_delay(SECOND * 3);
    let key = unique("lock");
    let lock = held(&client, LockSpec::new(&key).session_spec(spec));
    let id = lock.session_id().unwrap();
    let session = client.session().info(&id, &none()).unwrap().value.unwrap();
    assert_eq!((session.name.as_str(), session.ttl), ("special", LASTING));
    assert_eq!((session.behavior, session.lock_delay), (Behavior::Delete, SECOND * 3));
    assert!(session.node_checks.is_empty());
    lock.release().unwrap();
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let client = quick_client("127.0.0.1:1");
    let refused = |spec: LockSpec| client.lock(spec).err().unwrap();
    assert_eq!(refused(LockSpec::new("")).status(), Status::Argument);
    assert_eq!(refused(LockSpec::new("/a")).status(), Status::Argument);
    let ttl = SessionSpec::new().ttl(Duration::from_millis(999));
    let error = refused(LockSpec::new("a").session_spec(ttl));
    assert!(error.message().contains("1000 ms to 86400000 ms"), "{error}");
    assert_eq!(refused(LockSpec::new("a").session_id("")).status(), Status::Argument);
    let window = LockSpec::new("a").monitor_retry(Duration::from_millis(10));
    assert_eq!(refused(window).status(), Status::Argument);
    let large = LockSpec::new("a").value(vec![0; 524_289]);
    assert_eq!(refused(large).status(), Status::TooLarge);
}

#[test]
fn a_key_that_is_used_otherwise_is_a_conflict_that_names_its_flags() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    // The flags of a semaphore's `.lock`.
    client.kv().put(&key, b"theirs", 0xe0f6_9a2b_aa41_4de0, &none()).unwrap();
    let lock = client.lock(lock_spec(&key)).unwrap();
    let error = lock.acquire(PATIENCE).unwrap_err();
    assert_eq!(error.status(), Status::LockConflict);
    assert!(error.message().contains("0xe0f69a2baa414de0"), "{error}");
    assert_eq!(status_of(lock.try_acquire()), Status::LockConflict);
    assert_eq!(status_of(lock.destroy()), Status::LockConflict);

    let adopting = held(&client, lock_spec(&key).adopt(true));
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!(pair.flags, LOCK_FLAG);
    adopting.release().unwrap();
    assert!(lock.try_acquire().unwrap());
}

#[test]
fn its_key_is_deleted_only_when_nobody_uses_it() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let (mine, theirs) = (held(&client, lock_spec(&key)), client.lock(lock_spec(&key)).unwrap());
    assert_eq!(status_of(mine.destroy()), Status::AlreadyHeld);
    assert!(!theirs.destroy().unwrap());
    mine.release().unwrap();
    assert!(theirs.destroy().unwrap());
    assert!(mine.destroy().unwrap());
    assert_eq!(client.kv().get(&key, &none()).unwrap().value, None);
}

#[test]
fn a_loss_has_its_reason() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");

    let lock = held(&client, lock_spec(&key));
    consul.put(&format!("/v1/session/destroy/{}", lock.session_id().unwrap()), "");
    assert_eq!(lost(&lock), LostReason::SessionInvalid);
    assert_eq!(status_of(lock.release()), Status::LockLost);

    let lock = held(&client, lock_spec(&key));
    consul.delete(&format!("/v1/kv/{key}"));
    assert_eq!(lost(&lock), LostReason::KeyDeleted);

    let lock = held(&client, lock_spec(&key));
    let id = lock.session_id().unwrap();
    consul.put(&format!("/v1/kv/{key}?release={id}&flags={LOCK_FLAG}"), "");
    assert_eq!(lost(&lock), LostReason::KeyReleased);

    let lock = held(&client, lock_spec(&key));
    let other = client.session().create(&session(), &none()).unwrap().value;
    let steal = format!(
        r#"[{{"KV":{{"Verb":"delete","Key":"{key}"}}}},
           {{"KV":{{"Verb":"lock","Key":"{key}","Session":"{other}"}}}}]"#
    );
    assert_eq!(consul.put("/v1/txn", steal).status, 200);
    assert_eq!(lost(&lock), LostReason::KeyTaken);
    consul.delete(&format!("/v1/kv/{key}"));

    let lock = held(&client, lock_spec(&key));
    client.shutdown();
    assert_eq!(lost(&lock), LostReason::Closed);
}

#[test]
fn a_lost_lock_can_be_acquired_again_and_again() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let lock = client.lock(lock_spec(&key)).unwrap();
    let mut tokens = Vec::new();
    for _ in 0..10 {
        assert!(lock.acquire(PATIENCE).unwrap());
        assert_eq!(lock.lost_reason(), None);
        tokens.extend(lock.fencing_token());
        let id = lock.session_id().unwrap();
        consul.delete(&format!("/v1/kv/{key}"));
        assert_eq!(lost(&lock), LostReason::KeyDeleted);
        eventually("its old session is gone", || !session_exists(consul, &id));
    }
    assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
}

#[test]
fn a_clean_release_is_seen_at_once_by_who_waits() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let first = held(&client, lock_spec(&key));
    let second = client.lock(lock_spec(&key)).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| second.acquire(PATIENCE));
        eventually("it waits", || second.holder() == first.session_id());
        first.release().unwrap();
        let (won, timing) = timed(|| waiting.join().unwrap().unwrap());
        assert!(won && timing.fair() < GRACE, "{timing:?}");
    });
    assert_eq!(second.holder(), None);
    second.release().unwrap();
}

#[test]
fn three_contenders_all_get_their_turn() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let lock = client.lock(lock_spec(&key)).unwrap();
                for _ in 0..5 {
                    assert!(lock.acquire(PATIENCE).unwrap());
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    lock.release().unwrap();
                }
            });
        }
    });
}

#[test]
fn an_acquire_ends_when_its_time_is_over() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let holder = held(&client, lock_spec(&key));
    let lock = client.lock(lock_spec(&key)).unwrap();
    let (won, timing) = timed(|| lock.try_acquire().unwrap());
    assert!(!won && timing.fair() < GRACE, "{timing:?}");
    assert_eq!(lock.holder(), holder.session_id());
    for timeout in [250, 1500] {
        let timeout = Duration::from_millis(timeout);
        let (acquired, timing) = timed(|| lock.acquire(timeout));
        assert!(in_vain(acquired) && timing.elapsed >= timeout, "{timing:?}");
        assert!(timing.fair() < timeout + GRACE, "{timing:?}");
    }
    holder.release().unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
    lock.release().unwrap();
}

#[test]
fn sixteen_contenders_give_up_in_time() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let _holder = held(&client, lock_spec(&key));
    let timeout = SECOND * 3;
    let (times, control) = timed(|| {
        std::thread::scope(|scope| {
            let contend = || {
                let lock = client.lock(lock_spec(&key)).unwrap();
                let started = Instant::now();
                assert!(in_vain(lock.acquire(timeout)));
                started.elapsed()
            };
            let contenders: Vec<_> = (0..16).map(|_| scope.spawn(contend)).collect();
            contenders.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
    });
    let late = control.lateness + GRACE;
    assert!(times.iter().all(|&t| t >= timeout && t < timeout + late), "{times:?} {control:?}");
}

#[test]
fn a_waiting_acquire_can_be_stopped() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let _holder = held(&client, lock_spec(&key));
    let name = unique("stopped");
    let lock = client.lock(LockSpec::new(&key).session_spec(session().name(&name))).unwrap();
    lock.stop();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.acquire(Duration::MAX));
        eventually("it waits", || lock.holder().is_some());
        assert_eq!(status_of(lock.acquire(PATIENCE)), Status::Busy);
        let ((), timing) = timed(|| {
            lock.stop();
            assert_eq!(status_of(waiting.join().unwrap()), Status::Cancelled);
        });
        assert!(timing.fair() < GRACE, "{timing:?}");
    });
    eventually("no session is left", || sessions_named(&name).is_empty());
}

#[test]
fn lock_delay_is_told_from_a_holder_and_waited_for() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    // Of a lock whose holder has ended.
    let delayed = |delay: Duration| {
        let key = unique("lock");
        let holder = held(&client, LockSpec::new(&key).session_spec(session().lock_delay(delay)));
        let lock = client.lock(lock_spec(&key)).unwrap();
        assert!(!lock.try_acquire().unwrap());
        assert_eq!(lock.holder(), holder.session_id());
        consul.put(&format!("/v1/session/destroy/{}", holder.session_id().unwrap()), "");
        lock
    };
    let lock = delayed(SECOND * 60);
    assert!(!lock.try_acquire().unwrap());
    assert_eq!(lock.holder(), None);
    let (lock, timing) = timed(|| {
        let lock = delayed(SECOND * 2);
        assert!(lock.acquire(PATIENCE).unwrap());
        lock
    });
    assert!(timing.elapsed >= SECOND * 2 && timing.fair() < SECOND * 2 + GRACE, "{timing:?}");
    lock.release().unwrap();
}

#[test]
fn a_session_may_hold_a_key_for_two_locks() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let session = client.keep_session(&session(), &none()).unwrap();
    let (first, second) = (
        held(&client, LockSpec::new(&key).session(&session)),
        held(&client, LockSpec::new(&key).session(&session)),
    );
    assert_eq!(first.fencing_token(), second.fencing_token());
    second.release().unwrap();
    assert_eq!(lost(&first), LostReason::KeyReleased);
    // What is borrowed is never destroyed by a lock.
    assert!(session.is_valid() && session_exists(consul, &session.id()));
}

#[test]
fn a_borrowed_session_that_does_not_exist_is_invalid() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    for id in ["11111111-2222-3333-4444-555555555555", "no-uuid"] {
        let lock = client.lock(LockSpec::new(unique("lock")).session_id(id)).unwrap();
        assert_eq!(status_of(lock.acquire(PATIENCE)), Status::SessionInvalid, "{id}");
        assert_eq!(status_of(lock.try_acquire()), Status::SessionInvalid, "{id}");
    }
}

#[test]
fn a_session_known_by_its_id_is_borrowed() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let id = client.session().create(&session(), &none()).unwrap().value;
    let lock = held(&client, LockSpec::new(&key).session_id(&id));
    assert_eq!(lock.session_id().as_deref(), Some(id.as_str()));
    lock.release().unwrap();
    assert!(session_exists(consul, &id));
    assert!(lock.acquire(PATIENCE).unwrap());
    consul.put(&format!("/v1/session/destroy/{id}"), "");
    assert_eq!(lost(&lock), LostReason::SessionInvalid);
}

#[test]
fn a_stale_leader_cannot_write_behind_the_fence() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let (key, state) = (unique("lock"), unique("state"));
    let lock = held(&client, lock_spec(&key));
    lock.put_fenced(&state, b"one", 7, &none()).unwrap();
    let fence = lock.fence().unwrap();
    consul.delete(&format!("/v1/kv/{key}"));
    let error = lock.put_fenced(&state, b"two", 0, &none()).unwrap_err();
    assert_eq!(error.status(), Status::LockLost);
    assert_eq!(lock.lost_reason(), Some(LostReason::KeyDeleted));
    assert_eq!(status_of(lock.fence()), Status::LockLost);
    assert_eq!(fence.delete(&state, &none()).unwrap(), Fenced::NotHeld);
    let pair = client.kv().get(&state, &none()).unwrap().value.unwrap();
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"one"[..], 7));

    assert!(lock.acquire(PATIENCE).unwrap());
    let fence = client.fence(&key, lock.session_id().unwrap());
    assert_eq!(fence.cas(&state, b"x", 0, 1, &none()).unwrap(), Fenced::Conflict);
    let cas = fence.cas(&state, b"three", 0, pair.modify_index, &none());
    assert_eq!(cas.unwrap(), Fenced::Done);
    // The lock's own key stays a lock's.
    assert_eq!(fence.put(&key, b"news", 0, &none()).unwrap(), Fenced::Done);
    assert!(lock.is_held());
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"news"[..], LOCK_FLAG));
    lock.release().unwrap();
}

#[test]
fn fencing_tokens_grow_where_consuls_own_counter_does_not() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let ephemeral = LockSpec::new(&key).session_spec(session().behavior(Behavior::Delete));
    let mut tokens = Vec::new();
    for round in 0..3 {
        let lock = held(&client, ephemeral.clone());
        tokens.extend(lock.fencing_token());
        if round == 1 {
            // A plain write to a held key starts LockIndex anew.
            let flags = format!("/v1/kv/{key}?flags={LOCK_FLAG}");
            assert_eq!(consul.put(&flags, "x").text(), "true");
        }
        consul.put(&format!("/v1/session/destroy/{}", lock.session_id().unwrap()), "");
        assert_eq!(lost(&lock), LostReason::SessionInvalid);
        assert_eq!(client.kv().get(&key, &none()).unwrap().value, None);
    }
    assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
}

#[test]
fn closing_a_client_releases_its_locks_and_ends_its_sessions() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let keys: Vec<_> = (0..20).map(|_| unique("lock")).collect();
    let locks: Vec<_> = keys.iter().map(|key| held(&client, lock_spec(key))).collect();
    let kept = client.keep_session(&session(), &none()).unwrap();
    let borrowing = held(&client, LockSpec::new(unique("lock")).session(&kept));
    let ids: Vec<_> = locks.iter().map(|lock| lock.session_id().unwrap()).collect();
    client.close(PATIENCE).unwrap();
    assert!(keys.iter().all(|key| holder_at(consul, key).is_none()));
    assert!(ids.iter().all(|id| !session_exists(consul, id)));
    assert!(!session_exists(consul, &kept.id()) && !kept.is_valid());
    for lock in locks.iter().chain([&borrowing]) {
        assert_eq!(lock.lost_reason(), Some(LostReason::Closed));
        assert_eq!(status_of(lock.acquire(PATIENCE)), Status::Closed);
    }
}

#[test]
fn dropping_a_held_lock_releases_it() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let key = unique("lock");
    let lock = held(&client, LockSpec::new(&key).session_spec(session().lock_delay(SECOND * 60)));
    let id = lock.session_id().unwrap();
    drop(lock);
    // Released first: there is no lock-delay.
    let next = client.lock(lock_spec(&key)).unwrap();
    assert!(next.acquire(SECOND * 30).unwrap());
    eventually("its session is gone", || !session_exists(consul, &id));
    next.release().unwrap();
}
