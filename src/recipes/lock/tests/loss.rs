//! When a lock is lost, and who is told.

use super::*;

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
