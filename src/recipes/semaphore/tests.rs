//! Semaphores under a clock that the tests turn, with answers that get lost.

use super::*;
use crate::api::session::{Behavior, SessionSpec};
use crate::error::Status;
use crate::recipes::loss::Loss;
use crate::recipes::testing::{Fate, PATIENCE, World, world};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);
const LOCK: &str = "a/.lock";

impl World {
    fn semaphore(&self) -> Semaphore {
        self.client.semaphore(SemaphoreSpec::new("a", 2).value("v")).unwrap()
    }

    fn slot(&self) -> Semaphore {
        self.slot_of(SemaphoreSpec::new("a", 2).value("v"))
    }

    fn slot_of(&self, spec: SemaphoreSpec) -> Semaphore {
        let semaphore = self.client.semaphore(spec).unwrap();
        assert!(semaphore.acquire(PATIENCE).unwrap());
        semaphore
    }

    /// A slot of somebody else: in the list, with an entry.
    fn others(&self, holders: &[&str]) {
        let list: Vec<_> = holders.iter().map(|id| format!("\"{id}\":true")).collect();
        self.write_list(&format!("{{\"Limit\":2,\"Holders\":{{{}}}}}", list.join(",")));
        holders.iter().for_each(|id| self.consul.grant(&format!("a/{id}"), id));
    }

    fn write_list(&self, list: &str) {
        self.consul.put(LOCK, list, SEMAPHORE_FLAG);
    }

    fn list(&self) -> String {
        self.consul.value(LOCK).unwrap()
    }
}

fn status_of<T>(result: Result<T>) -> Status {
    result.err().unwrap().status()
}

#[test]
fn a_slot_is_taken_and_given_back_in_one_transaction_each() {
    let w = world();
    let semaphore = w.slot();
    let id = semaphore.session_id().unwrap();
    assert_eq!(w.list(), format!("{{\"Limit\":2,\"Holders\":{{\"{id}\":true}}}}"));
    let entry = format!("a/{id}");
    assert_eq!(w.consul.keys("a/"), [LOCK, &entry]);
    assert_eq!((w.consul.holder(&entry), w.consul.value(&entry)), (Some(id), Some("v".into())));
    assert_eq!(status_of(semaphore.acquire(PATIENCE)), Status::AlreadyHeld);
    assert_eq!(status_of(semaphore.destroy()), Status::AlreadyHeld);
    semaphore.release().unwrap();
    assert_eq!(w.list(), "{\"Limit\":2,\"Holders\":{}}");
    assert_eq!((w.consul.keys("a/"), w.consul.sessions()), (vec![LOCK.to_string()], vec![]));
    assert_eq!(status_of(semaphore.release()), Status::NotHeld);
    // No more than these: the entry is never there without the list.
    let sent = w.wire.seen("PUT /v1/txn");
    let changes = sent.iter().filter(|seen| seen.body.contains("\"cas\"")).count();
    assert_eq!(changes, 2, "{sent:?}");
    assert!(w.wire.seen("PUT /v1/kv").is_empty());
    assert!(semaphore.destroy().unwrap() && w.consul.keys("a/").is_empty());
}

/// As the entry of a session of the behavior release, whose holder has died.
#[test]
fn the_entries_of_the_dead_go_with_the_next_acquisition() {
    let w = world();
    let dead: Vec<_> = (0..2).map(|_| w.consul.add_session()).collect();
    w.others(&[&dead[0], &dead[1]]);
    for id in &dead {
        w.consul.put(&format!("a/{id}"), "v", SEMAPHORE_FLAG);
        w.consul.end_session(id);
    }
    w.consul.put("a/notes", "of somebody else", 0);
    let semaphore = w.slot();
    let id = semaphore.session_id().unwrap();
    assert_eq!(w.consul.keys("a/"), [LOCK, &format!("a/{id}"), "a/notes"]);
    assert_eq!(w.list(), format!("{{\"Limit\":2,\"Holders\":{{\"{id}\":true}}}}"));
}

#[test]
fn a_dead_entry_that_somebody_else_deletes_meanwhile_is_in_nobodys_way() {
    let w = world();
    let dead = w.consul.add_session();
    w.others(&[&dead]);
    w.consul.put(&format!("a/{dead}"), "v", SEMAPHORE_FLAG);
    w.consul.end_session(&dead);
    // Found in the look, and gone when the slot is taken.
    let (consul, key) = (w.consul.clone(), format!("a/{dead}"));
    w.wire.judge(move |seen| {
        if seen.line.contains("PUT /v1/session/create") {
            consul.delete_key(&key);
        }
        Fate::Pass
    });
    let semaphore = w.slot();
    assert!(semaphore.is_held() && w.consul.keys("a/").len() == 2);
}

#[test]
fn it_is_lost_at_its_deadline_though_everything_hangs() {
    let w = world();
    let semaphore = w.slot();
    w.wire.judge(|_| Fate::HoldAnswer);
    w.clock.advance(TTL - Duration::from_millis(1));
    assert!(semaphore.is_held());
    w.clock.advance(Duration::from_millis(1));
    assert!(!semaphore.is_held());
    assert_eq!(semaphore.lost_reason(), Some(LostReason::Deadline));
    let error = semaphore.release().unwrap_err();
    assert_eq!(error.message(), "the semaphore was lost: Consul could not be asked in time");
    w.wire.heal();
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
    // Its place in the list is pruned by who comes next.
    assert!(semaphore.acquire(PATIENCE).unwrap());
    let id = semaphore.session_id().unwrap();
    assert_eq!(w.list(), format!("{{\"Limit\":2,\"Holders\":{{\"{id}\":true}}}}"));
}

#[test]
fn who_listens_is_told_once_of_a_loss() {
    let w = world();
    let semaphore = w.slot();
    let (told, hears) = std::sync::mpsc::channel();
    semaphore.set_listener(Some(Box::new(move |loss| told.send(loss).unwrap()))).unwrap();
    w.consul.end_session(&semaphore.session_id().unwrap());
    w.eventually("it is lost", || !semaphore.is_held());
    let Ok(Loss::Lost(error)) = hears.recv_timeout(PATIENCE) else { panic!("not told") };
    assert_eq!(error.status(), Status::LockLost);
    assert_eq!(semaphore.lost_reason(), Some(LostReason::SessionInvalid));
    drop(semaphore);
    assert!(matches!(hears.recv(), Ok(Loss::Ended(_))));
    assert!(hears.recv().is_err());
}

#[test]
fn reads_that_fail_are_not_a_loss_until_nobody_knows_for_too_long() {
    for swept in [false, true] {
        let w = world();
        let _polled = swept.then(|| w.slot_of(SemaphoreSpec::new("b", 1)));
        let window = SECOND * 10;
        let semaphore = w.slot_of(SemaphoreSpec::new("a", 2).monitor_retry(window));
        // Renewals pass, so only the monitor's window counts.
        let fails = |line: &str| line.contains("/v1/kv/a/") || line.contains("/v1/txn?consistent");
        w.wire.judge(move |seen| if fails(&seen.line) { Fate::Fail } else { Fate::Pass });
        w.pass(SECOND * 7);
        assert!(semaphore.is_held());
        w.wire.heal();
        w.eventually("it is seen again", || semaphore.remaining() > SECOND * 9);
        w.wire.judge(move |seen| if fails(&seen.line) { Fate::Fail } else { Fate::Pass });
        w.eventually("it is lost", || !semaphore.is_held());
        assert_eq!(semaphore.lost_reason(), Some(LostReason::Deadline));
        w.wire.heal();
        let others = usize::from(swept);
        w.eventually("its session is destroyed", || w.consul.sessions().len() == others);
    }
}

#[test]
fn each_loss_has_its_reason_for_one_that_is_polled_and_one_that_is_swept() {
    for swept in [false, true] {
        let w = world();
        // Who comes first has the query of its own.
        let _polled = swept.then(|| w.slot_of(SemaphoreSpec::new("b", 1)));
        let lost = |reason, change: &dyn Fn(&str)| {
            let semaphore = w.slot();
            change(&semaphore.session_id().unwrap());
            w.eventually("it is lost", || !semaphore.is_held());
            assert_eq!(semaphore.lost_reason(), Some(reason));
        };
        lost(LostReason::SessionInvalid, &|id| w.consul.end_session(id));
        lost(LostReason::KeyDeleted, &|id| w.consul.delete_key(&format!("a/{id}")));
        lost(LostReason::KeyDeleted, &|_| w.consul.delete_key(LOCK));
        lost(LostReason::KeyTaken, &|id| {
            let other = w.consul.add_session();
            w.consul.grant(&format!("a/{id}"), &other);
        });
        lost(LostReason::KeyReleased, &|_| {
            w.write_list("{\"Limit\":2,\"Holders\":{}}");
        });
    }
}

#[test]
fn many_slots_share_their_requests() {
    let w = world();
    let session = w.session();
    let slots: Vec<_> = (0..70)
        .map(|i| w.slot_of(SemaphoreSpec::new(format!("s{i}"), 1).session(&session)))
        .collect();
    let before = w.wire.seen("PUT /v1/txn?consistent").len();
    w.eventually("three sweeps", || w.wire.seen("PUT /v1/txn?consistent").len() >= before + 9);
    let sweeps = w.wire.seen("PUT /v1/txn?consistent");
    let sizes = sweeps[before..].iter().map(|seen| seen.body.matches("Verb").count());
    assert!(sizes.max().unwrap() <= 64);
    w.consul.delete_key("s7/.lock");
    w.eventually("it is lost", || !slots[7].is_held());
    w.pass(TTL * 2);
    assert_eq!(slots.iter().filter(|slot| slot.is_held()).count(), 69);
}

#[test]
fn dead_holders_are_pruned_and_unknown_live_ones_stay() {
    let w = world();
    let (alive, dead) = (w.consul.add_session(), w.consul.add_session());
    w.others(&[&alive, &dead]);
    assert!(!w.semaphore().try_acquire().unwrap());
    // Its entry stays there without a session, as with the behavior release.
    w.consul.end_session(&dead);
    assert!(w.consul.keys("a/").contains(&format!("a/{dead}")));
    let semaphore = w.slot();
    let id = semaphore.session_id().unwrap();
    let list = w.list();
    assert!(list.contains(&alive) && list.contains(&id) && !list.contains(&dead), "{list}");
}

#[test]
fn who_waits_is_woken_by_a_slot_that_gets_free_and_sees_the_holders() {
    let w = world();
    let (one, two) = (w.slot(), w.slot());
    let waits = w.semaphore();
    assert!(!waits.try_acquire().unwrap());
    let mut holders = [one.session_id().unwrap(), two.session_id().unwrap()];
    holders.sort();
    assert_eq!(waits.holders(), holders);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waits.acquire(PATIENCE));
        w.wire.wait_seen("index=", 1);
        one.release().unwrap();
        assert!(waiting.join().unwrap().unwrap());
    });
    assert!(waits.holders().is_empty() && two.is_held());
}

#[test]
fn who_waits_has_no_session_and_writes_nothing() {
    let w = world();
    let (one, two) = (w.consul.add_session(), w.consul.add_session());
    w.others(&[&one, &two]);
    for _ in 0..20 {
        // An error where not even the first answer came in time.
        let acquired = w.semaphore().acquire(Duration::from_millis(5));
        assert!(!acquired.unwrap_or(false));
    }
    let waits = w.semaphore();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waits.acquire(PATIENCE));
        w.wire.wait_seen("index=", 1);
        waits.stop();
        assert_eq!(status_of(waiting.join().unwrap()), Status::Cancelled);
    });
    assert_eq!(w.consul.sessions(), [one, two]);
    assert!(w.wire.seen("PUT").is_empty());
}

#[test]
fn another_limit_is_refused_and_the_semaphore_stays_as_it_is() {
    let w = world();
    let slot = w.slot();
    let list = w.list();
    let other = w.client.semaphore(SemaphoreSpec::new("a", 5)).unwrap();
    let error = other.acquire(PATIENCE).unwrap_err();
    assert_eq!(error.status(), Status::LimitConflict);
    assert!(error.message().contains("limit 2 at Consul, not 5"), "{error}");
    assert_eq!((w.list(), other.destroy().unwrap()), (list, false));
    slot.release().unwrap();
    assert_eq!(status_of(other.try_acquire()), Status::LimitConflict);
    assert!(other.destroy().unwrap() && other.try_acquire().unwrap());
}

#[test]
fn an_acquire_without_an_answer_never_leaves_an_own_session() {
    let w = world();
    let lost = AtomicUsize::new(0);
    let own_txn = move |line: &str| line == "PUT /v1/txn" && lost.fetch_add(1, SeqCst) == 0;
    w.wire.judge(move |seen| if own_txn(&seen.line) { Fate::LoseAnswer } else { Fate::Pass });
    let semaphore = w.slot();
    assert_eq!(w.wire.seen("create").len(), 2);
    w.eventually("one session is left", || w.consul.sessions().len() == 1);
    assert_eq!(semaphore.session_id().as_ref(), w.consul.sessions().first());
    semaphore.release().unwrap();
    assert!(w.consul.sessions().is_empty());
}

#[test]
fn what_is_granted_late_to_a_borrowed_session_is_given_back() {
    let w = world();
    let session = w.session();
    w.wire.fate("PUT /v1/txn", Fate::Fail);
    let semaphore = w.client.semaphore(SemaphoreSpec::new("a", 2).session(&session)).unwrap();
    assert!(semaphore.try_acquire().unwrap_err().is_outcome_unknown());
    w.wire.heal();
    w.pass(SECOND * 30);
    w.others(&[&session.id()]);
    w.eventually("it is given back", || w.consul.keys("a/") == [LOCK]);
    assert_eq!(w.list(), "{\"Limit\":2,\"Holders\":{}}");
    assert!(session.is_valid() && semaphore.acquire(PATIENCE).unwrap());
    w.pass(SECOND * 30);
    assert!(semaphore.is_held());
}

#[test]
fn a_borrowed_session_that_is_in_the_list_holds_its_slot_again() {
    let w = world();
    let id = w.consul.add_session();
    w.others(&[&id, &w.consul.add_session()]);
    let spec = SemaphoreSpec::new("a", 2).session_id(&id);
    let semaphore = w.slot_of(spec.clone());
    assert!(w.wire.seen("PUT /v1/txn").iter().all(|seen| !seen.body.contains("\"cas\"")));
    semaphore.release().unwrap();
    assert!(!w.list().contains(&id));
    // In the list, but its entry was deleted: nobody has a better right to the slot.
    w.others(&[&id, &w.consul.add_session()]);
    w.consul.delete_key(&format!("a/{id}"));
    let again = w.slot_of(spec);
    assert_eq!(w.consul.holder(&format!("a/{id}")), Some(id));
    again.release().unwrap();
}

#[test]
fn a_release_without_an_answer_is_unknown_and_goes_on() {
    for fate in [Fate::Fail, Fate::LoseAnswer] {
        let w = world();
        let session = w.session();
        let semaphore = w.slot_of(SemaphoreSpec::new("a", 2).session(&session));
        w.wire.fate("PUT /v1/txn", fate);
        let error = semaphore.release().unwrap_err();
        assert!(error.is_outcome_unknown() && !semaphore.is_held(), "{error}");
        w.pass(SECOND * 2);
        w.wire.heal();
        w.eventually("it is free", || w.consul.keys("a/") == [LOCK]);
        assert!(session.is_valid() && semaphore.acquire(PATIENCE).unwrap());
    }
}

#[test]
fn others_that_come_and_go_do_not_disturb_a_release() {
    let w = world();
    let slots: Vec<_> = (0..6).map(|_| w.slot_of(SemaphoreSpec::new("a", 6))).collect();
    std::thread::scope(|scope| {
        let releases: Vec<_> = slots.iter().map(|slot| scope.spawn(|| slot.release())).collect();
        releases.into_iter().for_each(|release| release.join().unwrap().unwrap());
    });
    assert_eq!((w.list(), w.consul.sessions()), ("{\"Limit\":6,\"Holders\":{}}".into(), vec![]));
}

#[test]
fn closing_the_client_gives_back_and_ends_who_waits() {
    let w = world();
    let (one, two) = (w.slot(), w.slot());
    let waits = w.semaphore();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waits.acquire(Duration::MAX));
        w.eventually("it waits", || !waits.holders().is_empty());
        w.client.close(PATIENCE).unwrap();
        assert_eq!(status_of(waiting.join().unwrap()), Status::Closed);
    });
    assert_eq!((w.list(), w.consul.sessions()), ("{\"Limit\":2,\"Holders\":{}}".into(), vec![]));
    assert_eq!(one.lost_reason(), Some(LostReason::Closed));
    assert_eq!(status_of(two.acquire(PATIENCE)), Status::Closed);
}

#[test]
fn a_session_of_its_own_is_deleted_with_its_keys_unless_told_otherwise() {
    let w = world();
    let left = w.slot_of(
        SemaphoreSpec::new("a", 2).session_spec(SessionSpec::new().behavior(Behavior::Release)),
    );
    let body = |index: usize| w.wire.seen("create")[index].body.clone();
    assert!(body(0).contains("\"Behavior\":\"release\""), "{}", body(0));
    drop(w.slot_of(SemaphoreSpec::new("a", 2).session_spec(SessionSpec::new().ttl(SECOND * 30))));
    assert!(
        body(1).contains("\"Behavior\":\"delete\"") && body(1).contains("Consul API Semaphore")
    );
    left.release().unwrap();
}

#[test]
fn there_are_never_more_holders_than_slots() {
    let w = world();
    let inside = AtomicUsize::new(0);
    let until = Instant::now() + Duration::from_millis(400);
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (inside, w) = (&inside, &w);
            scope.spawn(move || {
                let semaphore = w.semaphore();
                while Instant::now() < until {
                    if semaphore.acquire(Duration::from_millis(20)).is_ok_and(|won| won) {
                        assert!(inside.fetch_add(1, SeqCst) < 2);
                        inside.fetch_sub(1, SeqCst);
                        // Some forget it.
                        if worker > 0 {
                            let _ = semaphore.release();
                        } else {
                            semaphore.abandon();
                        }
                    }
                }
            });
        }
    });
    w.eventually("no session is left", || w.consul.sessions().is_empty());
    // Nobody has a slot, even where an acquire was given up that left its dead session in the list.
    assert!(w.semaphore().destroy().unwrap());
}

#[test]
fn in_a_forked_child_it_is_its_parents() {
    let w = world();
    let semaphore = crate::sync::Mutex::new(Some(w.slot()));
    let in_child = crate::sys::testing::in_child(|| {
        let inherited = semaphore.lock().take().unwrap();
        let forked = |status: Status| assert_eq!(status, Status::Forked);
        forked(inherited.try_acquire().unwrap_err().status());
        forked(inherited.release().unwrap_err().status());
        forked(inherited.destroy().unwrap_err().status());
        forked(inherited.wait_lost(Duration::MAX).unwrap_err().status());
        forked(inherited.set_listener(None).unwrap_err().status());
        inherited.stop();
        assert!(!inherited.is_held() && inherited.session_id().is_none());
        assert!(inherited.holders().is_empty() && inherited.lost_reason().is_none());
        assert_eq!(inherited.stats().state, "forked");
        drop(inherited);
        i32::from(crate::sys::testing::threads() != 1)
    });
    assert_eq!(in_child, 0);
    assert!(semaphore.lock().as_ref().unwrap().is_held());
}
