//! Elections under a clock that the tests turn, with an agent that fails as it is told to.

use super::*;
use crate::error::Status;
use crate::recipes::lock::{LOCK_FLAG, LockSpec};
use crate::recipes::testing::{Fate, PATIENCE, World, world};
use crate::runtime::spawn;
use std::future::poll_fn;
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;

const TTL: Duration = Duration::from_secs(15);

fn spec() -> ElectionSpec {
    ElectionSpec::new("a").value("me")
}

impl World {
    fn election(&self) -> Election {
        self.client.election(spec()).unwrap()
    }

    fn elected(&self) -> Election {
        let election = self.election();
        assert!(election.wait_elected(PATIENCE).unwrap());
        election
    }
}

/// What an election tells.
fn heard(election: &Election) -> Receiver<News> {
    let (told, hears) = channel();
    let told = crate::sync::Mutex::new(told);
    let listener = move |news| {
        let _ = told.lock().send(news);
    };
    election.set_listener(Some(Box::new(listener))).unwrap();
    hears
}

/// The next news but those of who leads.
fn own(hears: &Receiver<News>) -> News {
    loop {
        match hears.recv_timeout(PATIENCE).unwrap() {
            News::Changed => {}
            news => return news,
        }
    }
}

#[test]
fn one_candidate_leads_and_knows_what_it_leads_with() {
    let w = world();
    let election = w.elected();
    let leadership = election.leadership();
    let leader = leadership.leader.unwrap();
    assert!(election.is_leader() && leadership.is_self);
    assert_eq!(Some(&leader.session), election.session_id().as_ref());
    assert_eq!(Some(leader.modify_index), election.fencing_token());
    assert_eq!(leader.value, b"me");
    assert_eq!(election.stats().state, "leading");
    election.resign().unwrap();
    assert!(!election.is_leader() && w.consul.holder("a").is_none());
    assert_eq!(election.stats().state, "observing");
}

#[test]
fn nobody_leads_past_the_deadline_though_everything_hangs() {
    let w = world();
    let election = w.elected();
    let hears = heard(&election);
    assert!(matches!(own(&hears), News::Won));
    w.wire.judge(|_| Fate::HoldAnswer);
    w.clock.advance(TTL - Duration::from_millis(1));
    assert!(election.is_leader());
    w.clock.advance(Duration::from_millis(1));
    assert!(!election.is_leader() && !election.leadership().is_self);
    let News::Lost(error) = own(&hears) else { panic!("it was lost") };
    assert_eq!(error.status(), Status::LockLost);
    let token = election.fencing_token().unwrap();
    // It campaigns on, and wins again with a greater token.
    w.wire.heal();
    w.eventually("it leads again", || election.is_leader());
    assert!(matches!(own(&hears), News::Won));
    assert!(election.fencing_token().unwrap() > token);
}

#[test]
fn a_term_that_is_over_before_the_campaign_looks_is_told_of_all_the_same() {
    let w = world();
    let other = w.consul.add_session();
    w.consul.grant("a", &other);
    let election = w.election();
    let hears = heard(&election);
    assert!(election.wait_leader(PATIENCE).unwrap().is_some());
    // From the moment on at which it leads, the thread that the campaign goes on in stands still.
    let (leads, ended) = (channel(), channel::<()>());
    let shared = election.0.shared().unwrap().clone();
    let standstill = poll_fn(move |context| {
        if shared.lock.is_held() {
            leads.0.send(()).unwrap();
            ended.1.recv_timeout(PATIENCE).unwrap();
            return Poll::Ready(Ok(()));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    });
    spawn(standstill, |_| ());
    w.consul.end_session(&other);
    leads.1.recv_timeout(PATIENCE).unwrap();
    assert!(election.is_leader());
    w.clock.advance(TTL);
    assert!(!election.is_leader());
    ended.0.send(()).unwrap();
    assert!(matches!(own(&hears), News::Won));
    assert!(matches!(own(&hears), News::Lost(_)));
}

#[test]
fn a_campaign_begun_while_consul_is_away_wins_when_it_appears() {
    let w = world();
    w.wire.judge(|_| Fate::Fail);
    let election = w.election();
    w.wire.wait_seen("/v1/kv/a", 1);
    w.eventually("it tells of the failure", || election.stats().consecutive_failures > 0);
    assert_eq!(election.stats().state, "campaigning");
    assert_eq!(election.leadership(), Leadership::default());
    assert!(!election.wait_elected(Duration::ZERO).unwrap());
    assert!(w.wire.seen("session").is_empty(), "nothing is tried while nothing is known");
    w.wire.heal();
    w.eventually("it leads", || election.is_leader());
    assert_eq!(election.stats().state, "leading");
}

#[test]
fn who_waits_for_its_turn_asks_nothing_but_the_watch() {
    let w = world();
    let other = w.consul.add_session();
    w.consul.grant("a", &other);
    let (one, two) = (w.election(), w.election());
    let seen = one.wait_leader(PATIENCE).unwrap().unwrap();
    assert_eq!(seen.leader.unwrap().session, other);
    assert!(two.wait_leader(PATIENCE).unwrap().is_some());
    assert!(w.wire.seen("PUT").is_empty());
    // They share the query, which waits.
    assert!(w.wire.seen("GET /v1/kv/a").len() <= 2, "{:?}", w.wire.seen("GET /v1/kv/a"));
    w.consul.end_session(&other);
    w.eventually("one of them leads", || one.is_leader() || two.is_leader());
    assert!(one.is_leader() != two.is_leader());
}

#[test]
fn an_observer_sees_nobody_then_each_leader_and_never_campaigns() {
    let w = world();
    let observer = w.client.election(spec().observe_only(true)).unwrap();
    let nobody = observer.wait_change(0, PATIENCE).unwrap().unwrap();
    assert_eq!((nobody.version, nobody.leader), (1, None));
    let mut version = 1;
    for _ in 0..2 {
        let session = w.consul.add_session();
        w.consul.grant("a", &session);
        let news = observer.wait_change(version, PATIENCE).unwrap().unwrap();
        assert_eq!(news.leader.map(|leader| leader.session), Some(session.clone()));
        assert!(!news.is_self);
        w.consul.end_session(&session);
        let news = observer.wait_change(news.version, PATIENCE).unwrap().unwrap();
        assert_eq!(news.leader, None);
        version = news.version;
    }
    assert!(w.wire.seen("PUT").is_empty());
    assert_eq!(observer.stats().state, "observing");
    observer.campaign().unwrap();
    w.eventually("it leads", || observer.is_leader());
}

#[test]
fn a_plain_key_is_taken_over_unless_that_is_not_wanted() {
    let w = world();
    w.consul.put("a", "", 0);
    let refusing = w.client.election(spec().adopt(false)).unwrap();
    let conflict = || refusing.stats().last_error.map(|error| error.status());
    w.eventually("it is refused", || conflict() == Some(Status::LockConflict));
    let election = w.elected();
    assert!(election.is_leader() && !refusing.is_leader());
    assert_eq!(w.consul.flags("a"), LOCK_FLAG);
    // Other flags say that it is used for something else.
    election.resign().unwrap();
    drop(refusing);
    w.consul.put("a", "", 42);
    let election = w.election();
    let conflict = || election.stats().last_error.map(|error| error.status());
    w.eventually("it is refused", || conflict() == Some(Status::LockConflict));
}

#[test]
fn the_value_can_be_changed_before_and_while_it_leads() {
    let w = world();
    let other = w.consul.add_session();
    w.consul.grant("a", &other);
    let election = w.election();
    election.set_value("second").unwrap();
    w.consul.end_session(&other);
    w.eventually("it leads", || election.is_leader());
    let written = || w.consul.value("a").unwrap_or_default();
    w.eventually("the value is there", || written() == "second");
    let token = election.fencing_token();
    election.set_value("third").unwrap();
    assert_eq!(written(), "third");
    assert!(election.is_leader() && election.fencing_token() == token);
    let value = || election.leadership().leader.map(|leader| leader.value);
    w.eventually("observers see it", || value() == Some(b"third".to_vec()));
    election.resign().unwrap();
    assert!(w.consul.holder("a").is_none());
    let large = election.set_value(vec![0; 600_000]).err().unwrap();
    assert_eq!(large.status(), Status::TooLarge);
}

#[test]
fn an_ephemeral_key_goes_with_its_leader() {
    let w = world();
    let election = w.client.election(spec().ephemeral(true)).unwrap();
    assert!(election.wait_elected(PATIENCE).unwrap());
    election.resign().unwrap();
    assert!(!w.consul.has_key("a"));
    election.campaign().unwrap();
    w.eventually("it leads again", || election.is_leader());
    drop(election);
    w.eventually("the key is gone", || !w.consul.has_key("a"));
}

#[test]
fn a_resignation_amid_an_attempt_leaves_nothing_behind() {
    let w = world();
    w.wire.judge(
        |seen| {
            if seen.line.contains("PUT /v1/txn") { Fate::HoldAnswer } else { Fate::Pass }
        },
    );
    let election = w.election();
    w.wire.wait_seen("PUT /v1/txn", 1);
    election.resign().unwrap();
    assert!(!election.is_leader());
    w.wire.heal();
    w.eventually("its session is gone", || w.consul.sessions().is_empty());
    assert!(!election.is_leader() && w.consul.holder("a").is_none());
}

#[test]
fn a_resignation_amid_an_attempt_gives_back_what_it_wins() {
    let w = world();
    w.wire.fate("PUT /v1/txn", Fate::HoldAnswer);
    let election = w.election();
    w.wire.wait_seen("PUT /v1/txn", 1);
    std::thread::scope(|scope| {
        let resigning = scope.spawn(|| election.resign());
        w.eventually("the campaign is called off", || election.stats().state == "observing");
        w.wire.heal();
        resigning.join().unwrap().unwrap();
    });
    // Consul knows a lock-delay after the end of a session, not after a release.
    let written = w.wire.seen("PUT /v1/txn");
    assert!(written.iter().any(|seen| seen.body.contains("unlock")), "{written:?}");
    assert!(w.consul.holder("a").is_none() && w.consul.sessions().is_empty());
}

#[test]
fn who_drops_it_amid_an_attempt_and_its_client_right_after_leaves_nothing_behind() {
    for request in ["PUT /v1/session/create", "PUT /v1/txn"] {
        let w = world();
        w.wire.fate(request, Fate::HoldAnswer);
        let election = w.election();
        w.wire.wait_seen(request, 1);
        w.soon("its session is made", || !w.consul.sessions().is_empty());
        drop(election);
        w.client.retire();
        w.wire.heal();
        let is_free = || w.consul.sessions().is_empty() && w.consul.holder("a").is_none();
        w.eventually("nobody leads", is_free);
        assert_eq!(w.wire.seen("PUT /v1/session/destroy").len(), 1, "{request}");
    }
}

#[test]
fn a_deferred_resignation_ends_the_campaign_as_a_blocking_one() {
    let w = world();
    let election = w.elected();
    let (done, ended) = channel();
    let resigning = election.deferred().resign().unwrap();
    let done = crate::sync::Mutex::new(done);
    resigning.start(crate::transport::CancelToken::new(), move |arrived| {
        done.lock().send(arrived()).unwrap();
    });
    ended.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(!election.is_leader() && w.consul.holder("a").is_none());
}

#[test]
fn closing_the_client_gives_the_key_back_and_tells() {
    let w = world();
    let election = w.elected();
    let hears = heard(&election);
    assert!(matches!(own(&hears), News::Won));
    w.client.close(PATIENCE).unwrap();
    assert!(!election.is_leader());
    assert!(w.consul.holder("a").is_none() && w.consul.sessions().is_empty());
    assert!(matches!(own(&hears), News::Lost(_)));
    assert!(matches!(own(&hears), News::Ended(error) if error.status() == Status::Closed));
    assert_eq!(election.wait_elected(PATIENCE).err().unwrap().status(), Status::Closed);
    assert_eq!(election.campaign().err().unwrap().status(), Status::Closed);
}

#[test]
fn dropping_it_gives_the_key_back_and_ends_the_news() {
    let w = world();
    let election = w.elected();
    let hears = heard(&election);
    assert!(matches!(own(&hears), News::Won));
    drop(election);
    assert!(matches!(own(&hears), News::Ended(error) if error.status() == Status::Cancelled));
    w.eventually("the key is free", || w.consul.holder("a").is_none());
    w.eventually("its session is gone", || w.consul.sessions().is_empty());
}

#[test]
fn what_the_leader_writes_is_fenced() {
    let w = world();
    let election = w.elected();
    assert!(election.fence().is_ok());
    election.resign().unwrap();
    assert_eq!(election.fence().err().unwrap().status(), Status::NotHeld);
}

#[test]
fn a_lock_on_the_same_key_and_an_election_exclude_each_other() {
    let w = world();
    let lock = w.client.lock(LockSpec::new("a")).unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
    let election = w.election();
    assert!(election.wait_leader(PATIENCE).unwrap().is_some());
    assert!(!election.is_leader());
    lock.release().unwrap();
    w.eventually("it leads", || election.is_leader());
    assert!(!lock.try_acquire().unwrap());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let w = world();
    let status = |spec| w.client.election(spec).err().unwrap().status();
    assert_eq!(status(ElectionSpec::new("")), Status::Argument);
    assert_eq!(status(ElectionSpec::new("/a")), Status::Argument);
    assert_eq!(status(spec().session_ttl(Duration::from_millis(1))), Status::Argument);
    assert_eq!(status(spec().value(vec![0; 600_000])), Status::TooLarge);
    assert!(w.wire.seen("").is_empty());
}
