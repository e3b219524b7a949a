//! What an answer leaves behind that is lost, late or a refusal: never a key that nobody knows to be held.

use super::*;

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
fn an_acquire_without_an_answer_never_leaves_an_own_session() {
    let w = world();
    let lost = AtomicUsize::new(0);
    let own_txn = move |line: &str| line == "PUT /v1/txn" && lost.fetch_add(1, SeqCst) == 0;
    w.wire.judge(move |seen| if own_txn(&seen.line) { Fate::LoseAnswer } else { Fate::Pass });
    let lock = w.lock();
    w.acquire_after_a_delay(&lock);
    // The first was granted and given back, the second is the lock.
    assert_eq!(w.wire.seen("create").len(), 2);
    w.eventually("one session is left", || w.consul.sessions().len() == 1);
    assert_eq!(w.consul.holder("a"), lock.session_id());
    lock.release().unwrap();
    assert!(w.consul.sessions().is_empty());
}

/// The mere end of the session that has got it would keep everybody waiting.
#[test]
fn an_acquire_without_an_answer_leaves_no_lock_delay() {
    for is_borrowed in [false, true] {
        let w = world();
        let is_held = |seen: &Seen| seen.line.contains("PUT /v1/txn") || is_look(seen);
        w.wire.judge(move |seen| if is_held(seen) { Fate::HoldAnswer } else { Fate::Pass });
        let session = is_borrowed.then(|| w.session());
        let spec = LockSpec::new("a");
        let spec = session.iter().fold(spec, |spec, session| spec.session(session));
        let (lock, cancel) = (w.client.lock(spec).unwrap(), CancelToken::new());
        let (done, ended) = std::sync::mpsc::channel();
        let attempt = lock.deferred().acquire(PATIENCE).unwrap();
        attempt.start(cancel.clone(), move |arrived| done.send(arrived()).unwrap());
        w.soon("it is granted", || w.consul.holder("a").is_some());
        cancel.cancel(Status::Cancelled, "enough");
        assert_eq!(status_of(ended.recv_timeout(PATIENCE).unwrap()), Status::Cancelled);
        w.eventually("the lane looks", || w.wire.seen("").iter().any(is_look));
        drop((lock, session));
        w.pass(SECOND);
        w.wire.heal();
        w.eventually("no session is left", || w.consul.sessions().is_empty());
        assert!(w.another_client().lock(LockSpec::new("a")).unwrap().try_acquire().unwrap());
    }
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
