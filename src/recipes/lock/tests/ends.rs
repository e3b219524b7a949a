//! How a lock ends with its client, its handle or its process.

use super::*;

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
fn what_was_dropped_is_released_before_its_session_ends_with_the_client() {
    let w = world();
    let lock = w.held();
    let acquired = w.wire.seen("/v1/txn").len();
    w.wire.fate("/v1/txn", Fate::HoldAnswer);
    drop(lock);
    w.wire.wait_seen("/v1/txn", acquired + 1);
    std::thread::scope(|scope| {
        let (closed, closes) = crossbeam_channel::bounded(1);
        let client = &w.client;
        scope.spawn(move || closed.send(client.close(PATIENCE)).unwrap());
        // A session that ended now would leave a lock-delay.
        assert!(closes.recv_timeout(Duration::from_millis(30)).is_err());
        assert_eq!(w.wire.seen("destroy").len(), 0);
        w.wire.heal();
        closes.recv_timeout(PATIENCE).unwrap().unwrap();
    });
    assert!(w.consul.sessions().is_empty());
}

#[test]
fn what_was_dropped_is_released_before_a_borrowed_session_ends() {
    let w = world();
    let session = w.session();
    let lock = w.client.lock(LockSpec::new("a").session(&session)).unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
    let acquired = w.wire.seen("/v1/txn").len();
    w.wire.fate("/v1/txn", Fate::HoldAnswer);
    drop(lock);
    w.wire.wait_seen("/v1/txn", acquired + 1);
    drop(session);
    // Whoever sent it at once would have by now.
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(w.wire.seen("destroy").len(), 0);
    w.wire.heal();
    w.eventually("its session is destroyed", || w.consul.sessions().is_empty());
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
