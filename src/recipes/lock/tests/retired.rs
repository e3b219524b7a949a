//! A lock whose client is let go of right after it.

use super::*;
use crate::client::Embedded;
use crate::config::Config;
use crate::transport::CancelToken;

#[test]
fn who_retires_ends_calls_at_once_and_gives_back_what_was_let_go_of() {
    let mut config = Config::without_environment();
    config.set("address", "embedded:retires").unwrap();
    let (client, other) = (Client::new(&config).unwrap(), Client::new(&config).unwrap());
    let agent = Embedded::of(&other).unwrap();
    agent.stop_clock();
    let lock = client.lock(LockSpec::new("held")).unwrap();
    lock.acquire(SECOND).unwrap();
    let waiting = agent.waiting();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let options = Options::new().index(1_000_000).wait(60 * SECOND);
            client.kv().get("a", &options)
        });
        while agent.waiting() == waiting {
            std::thread::yield_now();
        }
        agent.set_latency(SECOND);
        drop(lock);
        client.retire();
        assert_eq!(waits.join().unwrap().unwrap_err().status(), Status::Closed);
    });
    agent.reset_faults();
    agent.advance(SECOND);
    let until = Instant::now() + PATIENCE;
    let held = || other.kv().get("held", &Options::new()).unwrap().value.unwrap().session.is_some();
    while held() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
}

/// Lets go of a lock while a request of its acquire has no answer, and of its client right after; gives
/// what came by.
fn let_go_amid(request: &'static str) -> World {
    let w = world();
    w.wire.fate(request, Fate::HoldAnswer);
    let lock = w.lock();
    lock.deferred().acquire(PATIENCE).unwrap().start(CancelToken::new(), |_| ());
    w.wire.wait_seen(request, 1);
    w.soon("the session is made", || !w.consul.sessions().is_empty());
    drop(lock);
    w.client.retire();
    w.wire.heal();
    w.eventually("nobody holds it", || {
        w.consul.sessions().is_empty() && w.consul.holder("a").is_none()
    });
    w
}

#[test]
fn who_retires_while_a_session_is_made_leaves_none() {
    let w = let_go_amid("PUT /v1/session/create");
    assert_eq!(w.wire.seen("PUT /v1/session/destroy").len(), 1);
}

#[test]
fn who_retires_amid_an_acquire_leaves_nothing_held() {
    let w = let_go_amid("PUT /v1/txn");
    assert_eq!(w.wire.seen("PUT /v1/session/destroy").len(), 1);
}

#[test]
fn an_acquire_that_begins_after_its_lock_was_let_go_of_takes_nothing() {
    let w = world();
    let lock = w.lock();
    let acquire = lock.deferred().acquire(PATIENCE).unwrap();
    drop(lock);
    let (done, ended) = std::sync::mpsc::channel();
    let done = crate::sync::Mutex::new(done);
    acquire.start(CancelToken::new(), move |arrived| done.lock().send(arrived()).unwrap());
    assert_eq!(status_of(ended.recv_timeout(PATIENCE).unwrap()), Status::Cancelled);
    assert!(w.consul.holder("a").is_none() && w.consul.sessions().is_empty());
}

#[test]
fn a_borrowed_session_ends_after_an_acquire_in_flight() {
    let w = world();
    w.wire.fate("PUT /v1/txn", Fate::HoldAnswer);
    let session = w.session();
    let lock = w.client.lock(LockSpec::new("a").session(&session)).unwrap();
    lock.deferred().acquire(PATIENCE).unwrap().start(CancelToken::new(), |_| ());
    w.soon("it is granted", || w.consul.holder("a").is_some());
    drop((lock, session));
    w.wire.heal();
    w.eventually("the session is gone", || w.consul.sessions().is_empty());
    // Without a lock-delay.
    assert!(w.another_client().lock(LockSpec::new("a")).unwrap().try_acquire().unwrap());
}

#[test]
fn the_end_of_a_client_waits_for_a_release_in_flight_before_it_ends_the_session() {
    let (own, borrowed) = (world(), world());
    let session = borrowed.session();
    for (w, spec) in [(own, LockSpec::new("a")), (borrowed, LockSpec::new("a").session(&session))] {
        let lock = w.held_by(spec);
        w.wire.fate("PUT /v1/txn", Fate::Swallow);
        std::thread::scope(|scope| {
            scope.spawn(|| lock.release());
            w.wire.wait_seen("PUT /v1/txn", 2);
            let closing = scope.spawn(|| w.client.close(PATIENCE));
            w.wire.heal();
            w.eventually("it is closed", || closing.is_finished());
            closing.join().unwrap().unwrap();
        });
        let seen: Vec<_> = w.wire.seen("PUT ").into_iter().map(|seen| seen.line).collect();
        let destroyed = seen.iter().position(|line| line.contains("/v1/session/destroy")).unwrap();
        let before = seen[..destroyed].iter().filter(|line| line.contains("/v1/txn")).count();
        // It was acquired, and released twice, the second time with an answer.
        assert_eq!(before, 3, "{seen:?}");
    }
}
