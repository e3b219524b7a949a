//! Kept sessions under a clock that the tests turn.

use super::*;
use crate::error::Status;
use crate::recipes::testing::{Fate, World, world};
use crate::runtime::Task;
use crate::transport::Lane;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);

fn start() -> (World, KeptSession) {
    let w = world();
    let session = w.session();
    (w, session)
}

#[test]
fn it_is_renewed_at_about_half_of_its_ttl_past_the_callers_calls() {
    let (w, session) = start();
    assert!(w.wire.seen("create")[0].body.contains(r#""TTL":"15s""#));
    w.clock.pass(TTL * 39 / 100);
    assert_eq!(w.wire.seen("renew").len(), 0);
    w.clock.advance(TTL * 11 / 100);
    w.soon("renewed", || session.remaining() == TTL);
    assert_eq!(w.wire.seen("renew")[0].lane, Lane::Upkeep);
    assert!(session.is_valid());
}

#[test]
fn it_ends_at_its_deadline_though_a_renewal_hangs() {
    let (w, session) = start();
    w.wire.fate("renew", Fate::HoldAnswer);
    w.clock.advance(TTL / 2);
    w.wire.wait_seen("renew", 1);
    w.clock.advance(TTL / 2 - Duration::from_millis(1));
    assert!(session.is_valid());
    w.clock.advance(Duration::from_millis(1));
    assert!(!session.is_valid());
    // The renewal did succeed, too late: what was seen is not taken back.
    w.wire.heal();
    w.soon("destroyed", || w.consul.sessions().is_empty());
    assert!(!session.is_valid() && session.remaining().is_zero());
}

#[test]
fn its_end_is_noticed_though_nobody_asks() {
    let (w, _session) = start();
    w.wire.judge(|seen| if seen.line.contains("renew") { Fate::Fail } else { Fate::Pass });
    w.clock.advance(TTL);
    w.soon("destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn a_suspended_machine_wakes_to_a_lost_session() {
    let (w, session) = start();
    w.clock.advance(SECOND * 3600);
    assert!(!session.is_valid());
    w.wire.wait_seen("destroy", 1);
    assert_eq!(w.wire.seen("renew").len(), 0);
}

/// Its renewal is due at its deadline at the latest, so whether before or after is by chance.
#[test]
fn a_renewal_after_its_deadline_does_not_end_what_is_in_use() {
    let w = world();
    let client = w.client.styled(Either::Blocks);
    let spec = SessionSpec::new().ttl(TTL);
    let keeper = at_once(Keeper::create(&client, &spec, &Options::default())).unwrap();
    let own = OwnSession(keeper.clone());
    let attempt = own.begin_attempt();
    w.clock.advance(TTL);
    assert!(!keeper.is_valid());
    assert!(renewal::Renewal(keeper).step().is_none());
    assert!(w.wire.seen("destroy").is_empty());
    drop(attempt);
    w.wire.wait_seen("destroy", 1);
}

#[test]
fn failures_shorter_than_half_of_the_ttl_cost_nothing() {
    for fate in [Fate::Fail, Fate::LoseAnswer] {
        let (w, session) = start();
        let id = session.id();
        w.wire.fate("renew", fate);
        w.clock.pass(TTL / 2);
        for _ in 0..14 {
            w.clock.pass(Duration::from_millis(500));
        }
        assert!(session.is_valid() && w.wire.seen("renew").len() > 3);
        let stats = session.stats();
        assert!(stats.consecutive_failures > 2 && stats.last_error.is_some(), "{stats:?}");
        assert_eq!((stats.state, stats.last_success), ("kept", Some(TTL / 2 + SECOND * 7)));
        assert!(stats.next_try.is_some());
        w.wire.heal();
        w.clock.advance(Duration::from_millis(400));
        w.soon("renewed", || session.remaining() > TTL / 2);
        assert_eq!(session.stats().consecutive_failures, 0);
        assert_eq!((session.id(), session.generation()), (id, 1));
    }
}

#[test]
fn what_consul_does_not_know_any_more_ends_in_one_round_trip() {
    let (w, session) = start();
    w.consul.end_session(&session.id());
    assert!(session.is_valid());
    w.clock.advance(TTL / 2);
    w.soon("invalid", || !session.is_valid());
    assert_eq!((w.wire.seen("renew").len(), w.wire.seen("destroy").len()), (1, 0));
}

#[test]
fn there_is_never_more_than_one_renewal_in_flight() {
    let (w, session) = start();
    w.wire.fate("renew", Fate::HoldAnswer);
    w.clock.advance(TTL / 2);
    w.wire.wait_seen("renew", 1);
    for _ in 0..10 {
        w.clock.pass(Duration::from_millis(500));
    }
    assert_eq!(w.wire.seen("renew").len(), 1);
    w.wire.heal();
    w.soon("renewed", || session.remaining() > TTL / 2);
    assert_eq!(w.wire.most_in_flight(), 1);
}

#[test]
fn a_late_answer_about_a_lost_session_does_not_touch_the_next_one() {
    let w = world();
    let session = w.client.keep_session_recreated(&SessionSpec::new(), &Options::new()).unwrap();
    let first = session.id();
    w.wire.fate("renew", Fate::HoldAnswer);
    w.clock.advance(TTL / 2);
    w.wire.wait_seen("renew", 1);
    w.clock.advance(TTL);
    w.soon("recreated", || session.generation() == 2);
    assert!(session.is_valid() && session.id() != first);
    w.wire.heal();
    w.soon("the first is destroyed", || w.consul.sessions() == [session.id()]);
    w.clock.advance(TTL / 2);
    w.soon("renewed", || session.remaining() > TTL / 2);
    let renewed = w.wire.seen("renew");
    assert_eq!(renewed.iter().filter(|seen| seen.line.contains(&first)).count(), 1);
    assert_eq!(renewed.len(), 2);
}

#[test]
fn it_is_made_anew_only_where_that_was_asked_for() {
    let (w, session) = start();
    w.consul.end_session(&session.id());
    w.clock.advance(TTL / 2);
    w.soon("invalid", || !session.is_valid());
    w.clock.advance(TTL);
    assert_eq!((w.wire.seen("create").len(), session.generation()), (1, 1));

    let session = w.client.keep_session_recreated(&SessionSpec::new(), &Options::new()).unwrap();
    let first = session.id();
    w.wire.fate("create", Fate::Fail);
    w.consul.end_session(&first);
    w.clock.advance(TTL / 2);
    w.soon("invalid", || !session.is_valid());
    w.wire.wait_seen("create", 3);
    w.eventually("counted", || session.stats().consecutive_failures > 1);
    let stats = session.stats();
    assert_eq!((stats.state, stats.last_error.unwrap().status()), ("recreating", Status::Http));
    w.wire.heal();
    w.eventually("recreated", || session.generation() == 2);
    assert_eq!((session.stats().state, session.stats().consecutive_failures), ("kept", 0));
    assert!(session.is_valid() && session.id() != first);
    session.destroy().unwrap();
    assert!(w.consul.sessions().is_empty() && !session.is_valid());
    w.clock.pass(TTL);
    assert_eq!(session.generation(), 2);
}

#[test]
fn stopped_it_stays_at_consul_and_destroyed_it_does_not() {
    let (w, session) = start();
    session.stop();
    assert!(session.is_valid());
    assert_eq!((session.stats().state, session.stats().next_try), ("stopped", None));
    w.clock.advance(TTL);
    assert!(!session.is_valid());
    assert!(matches!(session.stats().state, "ending" | "ended"));
    drop(session);
    w.clock.pass(Duration::ZERO);
    assert_eq!((w.wire.seen("renew").len(), w.wire.seen("destroy").len()), (0, 0));
    assert_eq!(w.consul.sessions().len(), 1);

    let (w, session) = start();
    session.stop();
    session.destroy().unwrap();
    assert!(w.consul.sessions().is_empty());
}

#[test]
fn destroying_tells_how_it_went_and_goes_on_after_a_failure() {
    let (w, session) = start();
    w.wire.fate("destroy", Fate::Fail);
    assert_eq!(session.destroy().unwrap_err().status(), Status::Http);
    assert!(!session.is_valid());
    assert_eq!(w.consul.sessions().len(), 1);
    w.wire.heal();
    w.eventually("destroyed", || w.consul.sessions().is_empty());
    session.destroy().unwrap();
}

#[test]
fn dropped_it_is_destroyed_in_the_background() {
    let (w, session) = start();
    drop(session);
    w.soon("destroyed", || w.consul.sessions().is_empty());
}

#[test]
fn somebody_who_destroys_it_by_its_id_ends_its_renewal() {
    let w = world();
    let session = w.client.keep_session_recreated(&SessionSpec::new(), &Options::new()).unwrap();
    w.client.session().destroy(&session.id(), &Options::new()).unwrap();
    assert!(!session.is_valid());
    w.clock.pass(TTL);
    assert_eq!((w.wire.seen("renew").len(), w.wire.seen("create").len()), (0, 1));
}

#[test]
fn without_a_ttl_it_is_asked_for_and_has_no_deadline() {
    let w = world();
    let spec = SessionSpec::new().ttl(Duration::ZERO);
    let session = w.client.keep_session(&spec, &Options::new()).unwrap();
    assert!(!w.wire.seen("create")[0].body.contains("TTL"));
    assert_eq!(session.remaining(), Duration::MAX);
    w.clock.advance(SECOND * 8);
    w.wire.wait_seen("renew", 1);
    w.consul.end_session(&session.id());
    w.eventually("invalid", || !session.is_valid());
}

#[test]
fn a_client_that_is_shut_down_keeps_nothing_alive() {
    let w = world();
    let session = w.client.keep_session_recreated(&SessionSpec::new(), &Options::new()).unwrap();
    w.client.shutdown();
    assert!(!session.is_valid());
    assert_eq!(w.wire.seen("destroy").len(), 0);
    let refused = w.client.keep_session(&SessionSpec::new(), &Options::new());
    assert_eq!(refused.err().unwrap().status(), Status::Closed);
}

#[test]
fn in_a_forked_child_it_is_its_parents() {
    let (_w, session) = start();
    let shared = session.shared().clone();
    let session = crate::sync::Mutex::new(Some(session));
    let amid = shared.state.lock();
    let in_child = crate::sys::testing::in_child(|| {
        let inherited = session.lock().take().unwrap();
        assert_eq!(inherited.destroy().unwrap_err().status(), Status::Forked);
        assert_eq!(inherited.set_listener(None).unwrap_err().status(), Status::Forked);
        inherited.stop();
        assert!(!inherited.is_valid() && inherited.remaining().is_zero());
        assert_eq!((inherited.id(), inherited.generation()), (String::new(), 0));
        assert_eq!(inherited.stats().state, "forked");
        drop(inherited);
        // Nobody is there who could send anything.
        i32::from(crate::sys::testing::threads() != 1)
    });
    assert_eq!(in_child, 0);
    drop(amid);
    assert!(session.lock().as_ref().unwrap().is_valid());
}
