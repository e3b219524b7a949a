//! Semaphores on a real Consul, beside the official command line tool.

use crate::lock_processes::{Other, tool};
use crate::quick::{
    LASTING, PATIENCE, eventually, in_vain, none, quick, quick_client, session, session_exists,
    status_of,
};
use crate::support::control::{GRACE, timed};
use crate::support::{Consul, unique};
use consul_ffi::api::session::{Behavior, SessionSpec};
use consul_ffi::recipes::loss::Loss;
use consul_ffi::recipes::semaphore::{LostReason, SEMAPHORE_FLAG, Semaphore, SemaphoreSpec};
use consul_ffi::{Client, Status};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn spec(prefix: &str, limit: u64) -> SemaphoreSpec {
    SemaphoreSpec::new(prefix, limit).session_spec(session())
}

fn slot(client: &Client, spec: SemaphoreSpec) -> Semaphore {
    let semaphore = client.semaphore(spec).unwrap();
    assert!(semaphore.acquire(PATIENCE).unwrap());
    semaphore
}

fn lost(semaphore: &Semaphore) -> LostReason {
    let reason = semaphore.wait_lost(PATIENCE).unwrap().unwrap();
    assert!(!semaphore.is_held());
    assert_eq!(semaphore.lost_reason(), Some(reason));
    reason
}

/// What `.lock` holds; `null` where there is none.
fn record(consul: &Consul, prefix: &str) -> Value {
    let answer = consul.get(&format!("/v1/kv/{prefix}/.lock?raw&consistent"));
    if answer.status == 404 { Value::Null } else { answer.json() }
}

fn holders(consul: &Consul, prefix: &str) -> Vec<String> {
    let record = record(consul, prefix);
    record["Holders"].as_object().map_or(Vec::new(), |map| map.keys().cloned().collect())
}

#[test]
fn slots_are_acquired_held_and_released() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    let prefix = unique("semaphore");
    let new = || client.semaphore(spec(&format!("{prefix}/"), 2).value("mine")).unwrap();
    let (one, two, three) = (new(), new(), new());
    assert_eq!(status_of(one.release()), Status::NotHeld);
    assert!(one.acquire(PATIENCE).unwrap() && two.try_acquire().unwrap());
    assert_eq!(status_of(one.try_acquire()), Status::AlreadyHeld);
    assert!(one.is_held() && one.remaining() > LASTING / 2);
    let id = one.session_id().unwrap();
    let entry = client.kv().get(&format!("{prefix}/{id}"), &none()).unwrap().value.unwrap();
    assert_eq!((entry.value.as_slice(), entry.flags), (&b"mine"[..], SEMAPHORE_FLAG));
    assert_eq!(entry.session.as_deref(), Some(id.as_str()));

    assert!(!three.try_acquire().unwrap());
    assert_eq!(three.holders().len(), 2);
    let (acquired, timing) = timed(|| three.acquire(SECOND / 2));
    assert!(in_vain(acquired) && timing.fair() < SECOND / 2 + GRACE, "{timing:?}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| three.acquire(PATIENCE));
        one.release().unwrap();
        assert!(waiting.join().unwrap().unwrap());
    });
    assert!(!session_exists(consul, &id));
    two.release().unwrap();
    three.release().unwrap();
    assert_eq!(record(consul, &prefix), json!({"Limit": 2, "Holders": {}}));
    let keys = client.kv().keys(&format!("{prefix}/"), None, &none()).unwrap().value;
    assert_eq!(keys, [format!("{prefix}/.lock")]);
    assert_eq!(status_of(three.wait_lost(SECOND)), Status::NotHeld);
}

#[test]
fn its_session_is_the_official_clients_by_default() {
    let Some(client) = crate::clients::shared_client() else { return };
    let semaphore = slot(&client, SemaphoreSpec::new(unique("semaphore"), 1));
    let id = semaphore.session_id().unwrap();
    let session = client.session().info(&id, &none()).unwrap().value.unwrap();
    assert_eq!((session.name.as_str(), session.ttl), ("Consul API Semaphore", SECOND * 15));
    assert_eq!(session.behavior, Behavior::Delete);
    semaphore.release().unwrap();
    assert!(semaphore.destroy().unwrap());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let client = quick_client("127.0.0.1:1");
    let refused = |spec| client.semaphore(spec).err().unwrap();
    assert!(refused(SemaphoreSpec::new("a", 0)).message().contains("1 or more"));
    for prefix in ["", "/", "/a", "a//"] {
        assert_eq!(refused(SemaphoreSpec::new(prefix, 1)).status(), Status::Argument, "{prefix}");
    }
    let ttl = SessionSpec::new().ttl(SECOND / 2);
    assert!(refused(SemaphoreSpec::new("a", 1).session_spec(ttl)).message().contains("1000 ms"));
    assert_eq!(refused(SemaphoreSpec::new("a", 1).session_id("")).status(), Status::Argument);
    let window = SemaphoreSpec::new("a", 1).monitor_retry(SECOND / 100);
    assert_eq!(refused(window).status(), Status::Argument);
    let large = SemaphoreSpec::new("a", 1).value(vec![0; 524_289]);
    assert_eq!(refused(large).status(), Status::TooLarge);
}

#[test]
fn a_slot_that_is_lost_tells_why() {
    let Some(consul) = quick() else { return };
    let client = quick_client(&consul.address());
    // One that was first has the query of its own, the others are swept.
    for swept in [false, true] {
        let _polled = swept.then(|| slot(&client, spec(&unique("polled"), 1)));
        let prefix = unique("semaphore");
        let semaphore = slot(&client, spec(&prefix, 1));
        let (told, hears) = std::sync::mpsc::channel();
        semaphore.set_listener(Some(Box::new(move |loss| told.send(loss).unwrap()))).unwrap();
        consul.put(&format!("/v1/session/destroy/{}", semaphore.session_id().unwrap()), "");
        let Ok(Loss::Lost(error)) = hears.recv_timeout(PATIENCE) else { panic!("not told") };
        assert_eq!(error.message(), "the semaphore was lost: its session ended");
        assert_eq!(status_of(semaphore.release()), Status::LockLost);

        let again = |change: &dyn Fn(&str)| {
            semaphore.set_listener(None).unwrap();
            assert!(semaphore.acquire(PATIENCE).unwrap());
            change(&semaphore.session_id().unwrap());
            lost(&semaphore)
        };
        let recurse = |_: &str| drop(consul.delete(&format!("/v1/kv/{prefix}/?recurse")));
        assert_eq!(again(&recurse), LostReason::KeyDeleted);
        let entry = |id: &str| drop(consul.delete(&format!("/v1/kv/{prefix}/{id}")));
        assert_eq!(again(&entry), LostReason::KeyDeleted);
        let put_out = |_: &str| {
            let key = format!("/v1/kv/{prefix}/.lock?flags={SEMAPHORE_FLAG}");
            consul.put(&key, "{\"Limit\":1,\"Holders\":{}}");
        };
        assert_eq!(again(&put_out), LostReason::KeyReleased);
    }
}

#[test]
fn the_official_tool_and_this_library_share_the_slots() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("cli"), quick_client(&consul.address()));
    let new = || client.semaphore(spec(&prefix, 2)).unwrap();
    let (one, two) = (new(), new());
    assert!(one.acquire(PATIENCE).unwrap());

    // Beside ours, then in its place.
    let mut holding = tool(consul, &["-n=2", "-pass-stdin", &prefix, "cat"]).spawn().unwrap();
    eventually("the tool has a slot", || holders(consul, &prefix).len() == 2);
    assert!(!two.try_acquire().unwrap());
    let mut seen = two.holders();
    seen.sort();
    assert_eq!(seen, holders(consul, &prefix));
    let refused = tool(consul, &["-n=2", "-try=500ms", &prefix, "true"]).output().unwrap();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(one.is_held());

    // Both refuse another limit.
    let other = tool(consul, &["-n=3", "-try=500ms", &prefix, "true"]).output().unwrap();
    assert!(String::from_utf8_lossy(&other.stderr).contains("limit conflict"), "{other:?}");
    let error = client.semaphore(spec(&prefix, 3)).unwrap().acquire(PATIENCE).unwrap_err();
    assert_eq!(error.status(), Status::LimitConflict);

    // It gets what we give back, and we what it gives back.
    one.release().unwrap();
    let took = tool(consul, &["-n=2", "-try=60s", &prefix, "true"]).output().unwrap();
    assert!(took.status.success(), "{took:?}");
    assert!(one.acquire(PATIENCE).unwrap() && in_vain(two.acquire(SECOND / 10)));
    drop(holding.stdin.take());
    assert!(two.acquire(PATIENCE).unwrap());
    holding.wait().unwrap();
    assert!(one.is_held() && two.is_held() && !new().destroy().unwrap());
    one.release().unwrap();
    two.release().unwrap();
    assert_eq!(record(consul, &prefix), json!({"Limit": 2, "Holders": {}}));
}

#[test]
fn a_semaphore_of_the_tool_is_taken_up_and_its_unknown_fields_stay() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("cli"), quick_client(&consul.address()));
    let made = tool(consul, &["-n=2", "-try=60s", &prefix, "true"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    // The tool has deleted it again, as the last one does.
    let key = format!("/v1/kv/{prefix}/.lock?flags={SEMAPHORE_FLAG}");
    consul.put(&key, "{\"Limit\":2,\"Holders\":{\"gone\":true},\"Note\":{\"by\":\"other\"}}");
    let semaphore = slot(&client, spec(&prefix, 2));
    let id = semaphore.session_id().unwrap();
    let expected = json!({"Limit": 2, "Holders": {id: true}, "Note": {"by": "other"}});
    assert_eq!(record(consul, &prefix), expected);
    semaphore.release().unwrap();
    assert_eq!(record(consul, &prefix)["Note"]["by"], "other");
    let took = tool(consul, &["-n=2", "-try=60s", &prefix, "true"]).output().unwrap();
    assert!(took.status.success(), "{took:?}");
}

#[test]
fn a_lock_there_and_a_list_that_is_none_are_conflicts() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("semaphore"), quick_client(&consul.address()));
    let key = format!("{prefix}/.lock");
    let lock = crate::quick::held(&client, crate::quick::lock_spec(&key));
    let semaphore = client.semaphore(spec(&prefix, 2)).unwrap();
    let error = semaphore.acquire(PATIENCE).unwrap_err();
    assert_eq!(error.status(), Status::LockConflict);
    assert!(error.message().contains("0x2ddccbc058a50c18"), "{error}");
    assert_eq!(status_of(semaphore.destroy()), Status::LockConflict);
    assert!(lock.is_held());
    lock.release().unwrap();
    // The holders as a list, as an old guide had it.
    client.kv().put(&key, b"{\"Limit\":2,\"Holders\":[]}", SEMAPHORE_FLAG, &none()).unwrap();
    let error = semaphore.try_acquire().unwrap_err();
    assert_eq!(error.status(), Status::LockConflict);
    assert!(error.message().contains("Holders"), "{error}");
}

#[test]
fn its_limit_can_be_changed_when_it_was_destroyed_unused() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("semaphore"), quick_client(&consul.address()));
    let two = slot(&client, spec(&prefix, 2));
    let three = client.semaphore(spec(&prefix, 3)).unwrap();
    let error = three.acquire(PATIENCE).unwrap_err();
    assert_eq!(error.status(), Status::LimitConflict);
    assert!(error.message().contains("limit 2 at Consul, not 3"), "{error}");
    assert_eq!((three.destroy().unwrap(), status_of(two.destroy())), (false, Status::AlreadyHeld));
    two.release().unwrap();
    assert!(three.destroy().unwrap() && three.destroy().unwrap());
    assert!(three.try_acquire().unwrap());
    assert_eq!(record(consul, &prefix)["Limit"], 3);
    three.release().unwrap();
}

#[test]
fn a_borrowed_session_holds_one_slot_and_stays() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("semaphore"), quick_client(&consul.address()));
    let kept = client.keep_session(&session(), &none()).unwrap();
    let one = slot(&client, SemaphoreSpec::new(&prefix, 2).session(&kept));
    let same = slot(&client, SemaphoreSpec::new(&prefix, 2).session_id(kept.id()));
    assert_eq!(holders(consul, &prefix), [kept.id()]);
    same.release().unwrap();
    lost(&one);
    assert!(kept.is_valid() && session_exists(consul, &kept.id()));
    // One that ended with a slot leaves a lock-delay on its entry, which is no reason to wait.
    let id = client.session().create(&session().lock_delay(SECOND * 60), &none()).unwrap().value;
    let ended = slot(&client, SemaphoreSpec::new(&prefix, 2).session_id(&id));
    consul.put(&format!("/v1/session/destroy/{id}"), "");
    assert_eq!(lost(&ended), LostReason::SessionInvalid);
    assert_eq!(status_of(ended.try_acquire()), Status::SessionInvalid);
    for id in ["11111111-2222-3333-4444-555555555555", "no-uuid"] {
        let semaphore = client.semaphore(SemaphoreSpec::new(&prefix, 2).session_id(id)).unwrap();
        assert_eq!(status_of(semaphore.acquire(PATIENCE)), Status::SessionInvalid, "{id}");
    }
}

#[test]
fn the_slot_of_a_process_that_dies_is_used_again() {
    let Some(consul) = quick() else { return };
    let prefix = unique("semaphore");
    let other = Other::holding_slot(consul, &prefix);
    let dead = holders(consul, &prefix);
    other.signal(Signal::KILL);
    let semaphore = slot(&quick_client(&consul.address()), spec(&prefix, 1));
    assert_eq!(holders(consul, &prefix), [semaphore.session_id().unwrap()]);
    assert!(!dead.contains(&semaphore.session_id().unwrap()));
    semaphore.release().unwrap();
}

/// Many contenders of three clients, some of whose sessions are destroyed under them: all get their
/// turns, with one slot as with several.
#[test]
fn there_are_never_more_holders_than_slots() {
    let Some(consul) = quick() else { return };
    for limit in [1, 3] {
        let prefix = &unique("semaphore");
        std::thread::scope(|scope| {
            for client in (0..3).map(|_| quick_client(&consul.address())) {
                for worker in 0..4 {
                    let client = client.clone();
                    scope.spawn(move || {
                        let semaphore = client.semaphore(spec(prefix, limit)).unwrap();
                        for turn in 0..3 {
                            assert!(semaphore.acquire(3 * PATIENCE).unwrap());
                            assert!(holders(consul, prefix).len() as u64 <= limit);
                            let id = semaphore.session_id();
                            if let (0, 0, Some(id)) = (worker, turn, id) {
                                consul.put(&format!("/v1/session/destroy/{id}"), "");
                                assert_eq!(lost(&semaphore), LostReason::SessionInvalid);
                            } else {
                                semaphore.release().unwrap();
                            }
                        }
                    });
                }
            }
        });
        assert!(
            quick_client(&consul.address())
                .semaphore(spec(prefix, limit))
                .unwrap()
                .destroy()
                .unwrap()
        );
    }
}

#[test]
fn acquires_that_fail_leave_no_session_and_no_key() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("semaphore"), quick_client(&consul.address()));
    let name = unique("waits");
    let held = slot(&client, spec(&prefix, 1));
    for _ in 0..50 {
        let waits = spec(&prefix, 1).session_spec(session().name(&name));
        assert!(!client.semaphore(waits).unwrap().try_acquire().unwrap());
    }
    assert!(crate::quick::sessions_named(&name).is_empty());
    let keys = client.kv().keys(&format!("{prefix}/"), None, &none()).unwrap().value;
    assert_eq!(keys.len(), 2, "{keys:?}");
    held.release().unwrap();
}

#[test]
fn closing_a_client_gives_its_slots_back() {
    let Some(consul) = quick() else { return };
    let (prefix, client) = (unique("semaphore"), quick_client(&consul.address()));
    let slots: Vec<_> = (0..5).map(|_| slot(&client, spec(&prefix, 5))).collect();
    let ids: Vec<_> = slots.iter().filter_map(Semaphore::session_id).collect();
    client.close(PATIENCE).unwrap();
    assert_eq!(record(consul, &prefix), json!({"Limit": 5, "Holders": {}}));
    assert!(ids.iter().all(|id| !session_exists(consul, id)));
    assert!(slots.iter().all(|slot| slot.lost_reason() == Some(LostReason::Closed)));
}
