//! Locks under a clock that the tests turn, with answers that get lost.

use super::*;
use crate::recipes::loss::Loss;
use crate::recipes::session::KeptSession;
use crate::recipes::testing::{Fate, PATIENCE, Seen, World, world};
use crate::transport::Lane;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);

impl World {
    fn lock(&self) -> Lock {
        self.client.lock(LockSpec::new("a").value("v")).unwrap()
    }

    fn held(&self) -> Lock {
        self.held_by(LockSpec::new("a").value("v"))
    }

    fn held_by(&self, spec: LockSpec) -> Lock {
        let lock = self.client.lock(spec).unwrap();
        assert!(lock.acquire(PATIENCE).unwrap());
        lock
    }

    /// Acquires it as the clock goes on: a session has ended that held it, and left a lock-delay.
    fn acquire_after_a_delay(&self, lock: &Lock) {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.acquire(PATIENCE));
            self.eventually("it is acquired", || waiting.is_finished());
            assert!(waiting.join().unwrap().unwrap());
        });
    }
}

/// A look of the monitor at a key that is held.
fn is_look(seen: &Seen) -> bool {
    seen.lane == Lane::Upkeep && seen.line.starts_with("GET /v1/kv/")
}

fn status_of<T>(result: Result<T>) -> Status {
    result.err().unwrap().status()
}

#[test]
fn it_is_lost_at_its_deadline_though_everything_hangs() {
    let w = world();
    let lock = w.held();
    w.wire.judge(|_| Fate::HoldAnswer);
    w.clock.advance(TTL - Duration::from_millis(1));
    assert!(lock.is_held());
    assert_eq!(lock.remaining(), Duration::from_millis(1));
    w.clock.advance(Duration::from_millis(1));
    assert!(!lock.is_held());
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    // What succeeded too late is not taken back.
    w.wire.heal();
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
    assert!(!lock.is_held());
    w.acquire_after_a_delay(&lock);
}

/// As when the machine stands still while it is being acquired: nobody has believed to hold it, and
/// the end of its session would keep everybody waiting for the lock-delay.
#[test]
fn what_is_won_too_late_is_given_back_before_its_session_ends() {
    let w = world();
    w.wire.fate("PUT /v1/txn", Fate::HoldAnswer);
    let lock = w.lock();
    std::thread::scope(|scope| {
        let acquiring = scope.spawn(|| lock.acquire(PATIENCE));
        w.wire.wait_seen("PUT /v1/txn", 1);
        w.clock.advance(TTL);
        w.pass(SECOND);
        assert!(w.wire.seen("destroy").is_empty());
        w.wire.heal();
        assert!(acquiring.join().unwrap().unwrap());
    });
    let sent = w.wire.seen("PUT");
    let place = |part: &str| {
        sent.iter().position(|seen| seen.line.contains(part) || seen.body.contains(part))
    };
    assert!(place("unlock") < place("destroy") && place("unlock").is_some(), "{sent:?}");
    assert!(lock.is_held());
    w.eventually("one session is left", || w.consul.sessions().len() == 1);
}

#[test]
fn a_session_that_ends_during_a_look_takes_nothing_any_more() {
    let w = world();
    let (consul, looks) = (w.consul.clone(), AtomicUsize::new(0));
    w.wire.judge(move |seen| {
        if seen.line.contains("session/create") {
            // So that the first attempt comes to nothing, and its session is kept for the next.
            consul.put("a", "", LOCK_FLAG);
        }
        let is_second = seen.line.starts_with("GET /v1/kv/a") && looks.fetch_add(1, SeqCst) == 1;
        if is_second { Fate::HoldAnswer } else { Fate::Pass }
    });
    let lock = w.lock();
    std::thread::scope(|scope| {
        let acquiring = scope.spawn(|| lock.acquire(PATIENCE));
        w.wire.wait_seen("GET /v1/kv/a", 2);
        w.clock.advance(TTL);
        w.pass(SECOND);
        w.wire.heal();
        assert!(acquiring.join().unwrap().unwrap());
    });
    let sent = w.wire.seen("PUT /v1/txn");
    let taking: Vec<_> = sent.iter().filter(|seen| seen.body.contains("\"lock\"")).collect();
    assert_eq!(taking.len(), 2, "{sent:?}");
    assert!(taking[1].body.contains(&lock.session_id().unwrap()));
}

#[test]
fn an_attempt_that_fails_after_its_session_ended_here_leaves_no_session() {
    let w = world();
    w.wire.fate("PUT /v1/txn", Fate::Swallow);
    let lock = w.lock();
    let client = lock.deferred();
    let attempt = client.try_acquire().unwrap();
    let cancel = CancelToken::new();
    let (done, ended) = std::sync::mpsc::channel();
    attempt.start(cancel.clone(), move |arrived| done.send(arrived()).unwrap());
    w.wire.wait_seen("PUT /v1/txn", 1);
    w.clock.advance(TTL);
    w.pass(SECOND);
    cancel.cancel(Status::Cancelled, "enough");
    assert!(ended.recv_timeout(PATIENCE).unwrap().is_err());
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn who_waits_for_a_loss_is_told_once_at_the_deadline() {
    let w = world();
    let lock = w.held();
    w.wire.judge(|_| Fate::Swallow);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.wait_lost(PATIENCE));
        w.clock.advance(TTL);
        assert_eq!(waiting.join().unwrap().unwrap(), Some(LostReason::Deadline));
    });
    assert_eq!(status_of(lock.release()), Status::LockLost);
    assert_eq!(status_of(lock.fence()), Status::LockLost);
}

#[test]
fn who_listens_is_told_once_of_a_deadline_that_nobody_asks_about() {
    let w = world();
    let lock = w.held();
    let (told, hears) = std::sync::mpsc::channel();
    lock.set_listener(Some(Box::new(move |loss| told.send(loss).unwrap()))).unwrap();
    w.wire.judge(|_| Fate::Swallow);
    w.clock.advance(TTL);
    let heard = hears.recv_timeout(PATIENCE).unwrap();
    let Loss::Lost(error) = heard else { panic!("{heard:?}") };
    assert_eq!(error.status(), Status::LockLost);
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    drop(lock);
    assert!(matches!(hears.recv(), Ok(Loss::Ended(_))));
    assert!(hears.recv().is_err());
}

#[test]
fn a_suspended_machine_wakes_to_a_lost_lock() {
    let w = world();
    let lock = w.held();
    // Consul has not ended the session yet: that it may do after twice the TTL.
    w.clock.advance(TTL * 3 / 2);
    assert!(!lock.is_held());
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn reads_that_fail_are_not_a_loss_until_nobody_knows_for_too_long() {
    let w = world();
    let window = SECOND * 10;
    let lock = w.held_by(LockSpec::new("a").monitor_retry(window));
    // Renewals pass, so only the monitor's window counts.
    w.wire.fate("/v1/kv/a", Fate::Fail);
    w.pass(SECOND * 7);
    assert!(lock.is_held() && w.wire.seen("/v1/kv/a").len() > 4);
    w.wire.heal();
    w.eventually("it is seen again", || lock.remaining() > SECOND * 9);
    // The failures before do not count any more.
    w.wire.fate("/v1/kv/a", Fate::Fail);
    w.pass(SECOND * 8);
    assert!(lock.is_held());
    w.eventually("it is lost", || !lock.is_held());
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    w.wire.heal();
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn where_nobody_ever_minds_only_the_session_ends_it() {
    let w = world();
    let lock = w.held_by(LockSpec::new("a").monitor_retry(Duration::MAX));
    assert_eq!(lock.remaining(), TTL);
    w.wire.fate("/v1/kv/a", Fate::Fail);
    w.pass(TTL * 2);
    assert!(lock.is_held());
}

#[test]
fn a_session_that_is_gone_is_a_loss_in_one_round_trip() {
    let w = world();
    // The monitor sees nothing; the renewal tells.
    w.wire.judge(|seen| if is_look(seen) { Fate::Swallow } else { Fate::Pass });
    let lock = w.held();
    w.consul.end_session(&lock.session_id().unwrap());
    assert!(lock.is_held());
    w.eventually("it is lost", || !lock.is_held());
    assert_eq!(lock.lost_reason(), Some(LostReason::SessionInvalid));
    assert_eq!(w.wire.seen("renew").len(), 1);
}

#[test]
fn all_locks_of_a_session_are_lost_with_it() {
    let w = world();
    let session = w.session();
    let locks: Vec<_> =
        (0..5).map(|i| w.held_by(LockSpec::new(format!("a{i}")).session(&session))).collect();
    w.consul.end_session(&session.id());
    w.eventually("all are lost", || locks.iter().all(|lock| !lock.is_held()));
    assert!(locks.iter().all(|lock| lock.lost_reason() == Some(LostReason::SessionInvalid)));
    assert!(!session.is_valid());
    assert_eq!(status_of(locks[0].acquire(PATIENCE)), Status::SessionInvalid);
}

#[test]
fn many_locks_share_their_requests() {
    let w = world();
    let session = w.session();
    let locks: Vec<_> =
        (0..130).map(|i| w.held_by(LockSpec::new(format!("a{i}")).session(&session))).collect();
    let before = w.wire.seen("PUT /v1/txn?consistent").len();
    w.wire.wait_seen("PUT /v1/txn", 1);
    w.eventually("three sweeps", || w.wire.seen("PUT /v1/txn?consistent").len() >= before + 9);
    let sweeps = w.wire.seen("PUT /v1/txn?consistent");
    let sizes: Vec<_> = sweeps[before..before + 9]
        .iter()
        .map(|seen| seen.body.matches("check-session").count())
        .collect();
    // One has a query of its own.
    assert!(sizes.iter().all(|&size| size <= 64), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 3 * 129, "{sizes:?}");
    assert!(sweeps.iter().all(|seen| seen.lane == Lane::Upkeep));

    let (lost, kept) = locks.split_at(3);
    w.consul.delete_key("a0");
    w.consul.delete_key("a1");
    let other = w.consul.add_session();
    w.consul.grant("a2", &other);
    w.eventually("three are lost", || lost.iter().all(|lock| !lock.is_held()));
    let reasons: Vec<_> = lost.iter().filter_map(Lock::lost_reason).collect();
    assert_eq!(reasons, [LostReason::KeyDeleted, LostReason::KeyDeleted, LostReason::KeyTaken]);
    w.pass(TTL * 2);
    assert!(kept.iter().all(Lock::is_held));
}

#[test]
fn an_acquire_without_an_answer_never_leaves_an_own_session() {
    let w = world();
    let lost = AtomicUsize::new(0);
    let own_txn = move |line: &str| line == "PUT /v1/txn" && lost.fetch_add(1, SeqCst) == 0;
    w.wire.judge(move |seen| if own_txn(&seen.line) { Fate::LoseAnswer } else { Fate::Pass });
    let lock = w.lock();
    w.acquire_after_a_delay(&lock);
    // The first was granted and destroyed with its session, the second is the lock.
    assert_eq!(w.wire.seen("create").len(), 2);
    w.eventually("one session is left", || w.consul.sessions().len() == 1);
    assert_eq!(w.consul.holder("a"), lock.session_id());
    lock.release().unwrap();
    assert!(w.consul.sessions().is_empty());
}

#[test]
fn a_try_without_an_answer_leaves_nothing() {
    let w = world();
    w.wire.fate("PUT /v1/txn", Fate::LoseAnswer);
    let error = w.lock().try_acquire().unwrap_err();
    assert!(error.is_outcome_unknown());
    w.wire.heal();
    w.eventually("no session is left", || w.consul.sessions().is_empty());
    assert_eq!(w.consul.holder("a"), None);
}

#[test]
fn a_session_whose_making_nobody_waits_for_is_destroyed() {
    let w = world();
    w.wire.fate("create", Fate::HoldAnswer);
    let lock = w.lock();
    std::thread::scope(|scope| {
        let acquiring = scope.spawn(|| lock.acquire(Duration::MAX));
        w.eventually("it is made", || w.consul.sessions().len() == 1);
        lock.stop();
        assert_eq!(status_of(acquiring.join().unwrap()), Status::Cancelled);
    });
    // Of this one it depends on the machine whether it comes to be made.
    assert_eq!(status_of(w.lock().acquire(Duration::from_millis(50))), Status::Timeout);
    w.wire.heal();
    w.eventually("no session is left", || w.consul.sessions().is_empty());
    assert_eq!(w.wire.seen("destroy").len(), w.wire.seen("create").len());
}

#[test]
fn a_borrowed_session_without_an_answer_is_decided_by_a_read() {
    let w = world();
    let session = w.session();
    w.wire.fate("PUT /v1/txn", Fate::LoseAnswer);
    let lock = w.held_by(LockSpec::new("a").session(&session));
    assert_eq!(w.wire.seen("PUT /v1/txn").len(), 1);
    let read = w.wire.seen("GET /v1/kv/a");
    assert!(read.iter().all(|seen| seen.line.contains("consistent")), "{read:?}");
    assert_eq!(
        (lock.session_id(), lock.fencing_token()),
        (Some(session.id()), w.consul.modify_index("a"))
    );
}

#[test]
fn what_is_granted_late_to_a_borrowed_session_is_given_back() {
    let w = world();
    let session = w.session();
    w.wire.fate("PUT /v1/txn", Fate::Fail);
    let lock = w.client.lock(LockSpec::new("a").session(&session)).unwrap();
    assert!(lock.try_acquire().unwrap_err().is_outcome_unknown());
    w.wire.heal();
    w.pass(SECOND * 30);
    w.consul.grant("a", &session.id());
    w.eventually("it is given back", || w.consul.holder("a").is_none());
    assert!(session.is_valid());
    // Until it is wanted.
    assert!(lock.acquire(PATIENCE).unwrap());
    w.pass(SECOND * 30);
    assert!(lock.is_held());
}

#[test]
fn a_release_comes_before_the_end_of_its_session() {
    let w = world();
    let lock = w.held();
    let before = w.wire.seen("").len();
    lock.release().unwrap();
    let order: Vec<_> = w.wire.seen("")[before..]
        .iter()
        .filter(|seen| seen.line.starts_with("PUT"))
        .map(|seen| {
            (seen.line.split('/').nth(2).unwrap().to_string(), seen.body.contains("unlock"))
        })
        .collect();
    assert_eq!(order, [("txn".to_string(), true), ("session".to_string(), false)]);
}

#[test]
fn a_release_without_an_answer_is_unknown_and_goes_on() {
    for (fate, session) in [
        (Fate::Fail, false),
        (Fate::LoseAnswer, false),
        (Fate::Fail, true),
        (Fate::LoseAnswer, true),
    ] {
        let w = world();
        let session = session.then(|| w.session());
        let spec = LockSpec::new("a");
        let spec = session.as_ref().map_or(spec.clone(), |session| spec.session(session));
        let lock = w.held_by(spec);
        w.wire.fate("PUT /v1/txn", fate);
        let error = lock.release().unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        assert!(!lock.is_held());
        assert_eq!(lock.lost_reason(), None);
        w.pass(SECOND * 2);
        w.wire.heal();
        w.eventually("it is free", || w.consul.holder("a").is_none());
        let left = session.iter().map(KeptSession::id).collect::<Vec<_>>();
        w.eventually("only the borrowed session is left", || w.consul.sessions() == left);
        assert!(lock.acquire(PATIENCE).unwrap());
    }
}

#[test]
fn what_is_being_given_back_can_be_acquired_with_the_same_session() {
    let w = world();
    let session = w.session();
    let lock = w.held_by(LockSpec::new("a").session(&session));
    w.wire.fate("PUT /v1/txn", Fate::Fail);
    assert!(lock.release().is_err());
    w.wire.heal();
    assert!(lock.acquire(PATIENCE).unwrap());
    w.pass(TTL * 2);
    assert!(lock.is_held());
    assert_eq!(w.consul.holder("a"), Some(session.id()));
}

#[test]
fn a_borrowed_session_does_not_keep_a_lost_key() {
    let w = world();
    let id = w.consul.add_session();
    w.wire.judge(|seen| if is_look(seen) { Fate::Fail } else { Fate::Pass });
    let lock = w.held_by(LockSpec::new("a").session_id(&id));
    w.wire.judge(|_| Fate::Fail);
    w.pass(SECOND * 14);
    assert!(lock.is_held());
    w.pass(SECOND * 2);
    assert_eq!(lock.lost_reason(), Some(LostReason::Deadline));
    assert_eq!(w.consul.holder("a"), Some(id.clone()));
    w.wire.heal();
    w.eventually("it is given back", || w.consul.holder("a").is_none());
    assert_eq!(w.consul.sessions(), [id]);
}

#[test]
fn an_own_session_that_consul_forgot_is_made_anew() {
    let w = world();
    let other = w.consul.add_session();
    w.consul.grant("a", &other);
    let lock = w.lock();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.acquire(PATIENCE));
        w.eventually("it waits", || lock.holder().is_some());
        // Held back between the making of the session and the transaction.
        w.wire.fate("create", Fate::HoldAnswer);
        w.consul.end_session(&other);
        w.wire.wait_seen("create", 1);
        w.eventually("it is made", || !w.consul.sessions().is_empty());
        w.consul.end_session(&w.consul.sessions()[0]);
        w.wire.heal();
        assert!(waiting.join().unwrap().unwrap());
    });
    assert_eq!(w.consul.sessions(), [lock.session_id().unwrap()]);
}

#[test]
fn an_acquire_rides_out_failures_and_reports_them_in_the_end() {
    let w = world();
    w.wire.judge(|_| Fate::Fail);
    let lock = w.lock();
    let error = lock.acquire(Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.status(), Status::Http);
    std::thread::scope(|scope| {
        let before = w.wire.seen("/v1/kv/a").len();
        let waiting = scope.spawn(|| lock.acquire(PATIENCE));
        w.wire.wait_seen("/v1/kv/a", before + 3);
        w.wire.heal();
        assert!(waiting.join().unwrap().unwrap());
    });
}

#[test]
fn closing_the_client_ends_a_waiting_acquire() {
    let w = world();
    let other = w.consul.add_session();
    w.consul.grant("a", &other);
    let lock = w.lock();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.acquire(Duration::MAX));
        w.eventually("it waits", || lock.holder().is_some());
        w.client.close(PATIENCE).unwrap();
        assert_eq!(status_of(waiting.join().unwrap()), Status::Closed);
    });
    assert_eq!(w.consul.sessions(), [other]);
}

#[test]
fn closing_ends_in_time_though_consul_is_silent() {
    let w = world();
    let lock = w.held();
    // By a clock that nobody turns: nothing else ends what is sent.
    w.wire.judge(|_| Fate::Swallow);
    assert_eq!(status_of(w.client.close(Duration::from_millis(100))), Status::Timeout);
    assert_eq!(lock.lost_reason(), Some(LostReason::Closed));
}

#[test]
fn dropping_it_waits_for_no_answer() {
    let w = world();
    let lock = w.held();
    // Whoever waited for an answer from now on would do so for ever.
    w.wire.judge(|_| Fate::HoldAnswer);
    drop(lock);
    w.wire.heal();
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn threads_may_do_anything_with_a_lock_at_the_same_time() {
    let w = world();
    let lock = w.lock();
    let inside = AtomicUsize::new(0);
    let until = Instant::now() + Duration::from_millis(400);
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (lock, inside, w) = (&lock, &inside, &w);
            scope.spawn(move || {
                while Instant::now() < until {
                    match worker {
                        0 | 1 => {
                            if lock.acquire(Duration::from_millis(20)).is_ok_and(|won| won) {
                                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                                inside.fetch_sub(1, SeqCst);
                                let _ = lock.release();
                            }
                        }
                        2 => lock.stop(),
                        3 => drop(lock.wait_lost(Duration::from_millis(5))),
                        4 => {
                            let _ = (lock.is_held(), lock.fencing_token(), lock.holder());
                            // As the lane keeps up: none is lost at its deadline inside.
                            w.clock.pass(Duration::from_millis(100));
                        }
                        _ => drop(lock.try_acquire().map(|won| won && lock.release().is_ok())),
                    }
                    std::thread::yield_now();
                }
            });
        }
    });
    let _ = lock.release();
    w.eventually("no session is left", || w.consul.sessions().is_empty());
}

#[test]
fn in_a_forked_child_it_is_its_parents() {
    let w = world();
    let lock = w.client.lock(LockSpec::new("k")).unwrap();
    assert!(lock.try_acquire().unwrap());
    let shared = lock.shared().unwrap().clone();
    let lock = crate::sync::Mutex::new(Some(lock));
    let amid = shared.state();
    let in_child = crate::sys::testing::in_child(|| {
        let inherited = lock.lock().take().unwrap();
        let forked = |status: Status| assert_eq!(status, Status::Forked);
        forked(inherited.acquire(PATIENCE).unwrap_err().status());
        forked(inherited.release().unwrap_err().status());
        forked(inherited.destroy().unwrap_err().status());
        forked(inherited.wait_lost(PATIENCE).unwrap_err().status());
        forked(inherited.set_listener(None).unwrap_err().status());
        forked(inherited.fence().err().unwrap().status());
        forked(inherited.set_value("v").unwrap_err().status());
        forked(inherited.put_fenced("a", b"", 0, &Options::new()).unwrap_err().status());
        forked(inherited.deferred().release().err().unwrap().status());
        inherited.stop();
        assert!(!inherited.is_held() && inherited.remaining().is_zero());
        assert_eq!((inherited.session_id(), inherited.holder()), (None, None));
        assert_eq!((inherited.lost_reason(), inherited.fencing_token()), (None, None));
        assert_eq!(inherited.stats().state, "forked");
        drop(inherited);
        // Nobody is there who could send anything.
        i32::from(crate::sys::testing::threads() != 1)
    });
    assert_eq!(in_child, 0);
    drop(amid);
    assert!(lock.lock().as_ref().unwrap().is_held());
}
