//! Services that stay registered, under a clock that the tests turn.

use super::*;
use crate::api::agent::CheckDefinition;
use crate::client::Operation;
use crate::config::Options;
use crate::error::Status;
use crate::recipes::fake::{Fake, Fate, PATIENCE};
use crate::runtime::{Clock, TestClock};
use crate::sync::Mutex;
use crate::transport::{CancelToken, Lane};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);
const CHECK: &str = "service:web:ttl";

fn web() -> ServiceDefinition {
    ServiceDefinition::new("web").port(80)
}

fn keep(spec: KeptServiceSpec) -> (Arc<Fake>, KeptService, Arc<TestClock>) {
    let fake = Fake::new();
    let (client, clock) = fake.client();
    (fake, client.keep_service(spec).unwrap(), clock)
}

fn start(spec: KeptServiceSpec) -> (Arc<Fake>, KeptService, Arc<TestClock>) {
    let kept = keep(spec);
    kept.1.start().unwrap();
    kept
}

fn plain() -> KeptServiceSpec {
    KeptServiceSpec::new(web())
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Turns the clock, as the lane keeps up, until it holds.
fn turning(clock: &TestClock, what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || {
        clock.pass(Duration::from_millis(50));
        holds()
    });
}

/// Turns the clock for this long.
fn turn(clock: &TestClock, time: Duration) {
    let mut left = time.as_millis() / 50;
    turning(clock, "time", || {
        left = left.saturating_sub(1);
        left == 0
    });
}

fn status(fake: &Fake) -> Option<String> {
    fake.agent_check(CHECK).map(|check| check.status)
}

fn is(fake: &Fake, word: &str) -> bool {
    status(fake).as_deref() == Some(word)
}

#[test]
fn it_is_registered_passing_with_a_check_that_beats_past_the_callers_calls() {
    let (fake, service, clock) = start(plain().deregister_critical_after(SECOND * 90));
    let register = fake.seen("service/register");
    assert_eq!(register.len(), 1);
    assert!(register[0].line.contains("replace-existing-checks"));
    for part in [
        r#""CheckID":"service:web:ttl""#,
        r#""TTL":"15s""#,
        r#""Status":"passing""#,
        r#""DeregisterCriticalServiceAfter":"90s""#,
    ] {
        assert!(register[0].body.contains(part), "{part}: {}", register[0].body);
    }
    assert!(service.is_registered() && is(&fake, "passing"));
    // Nothing of the program runs meanwhile.
    for beat in 1..=5 {
        let before = fake.seen("check/update").len();
        clock.advance(TTL * 2 / 5);
        fake.wait_seen("check/update", before + 1);
        eventually("settled", || service.stats().last_success == Some(Duration::ZERO));
        assert!(fake.seen("check/update").len() <= before + 2, "{beat}");
    }
    let beats = fake.seen("check/update");
    assert!(beats.iter().all(|beat| beat.lane == Lane::Upkeep));
    // Nothing about it changes, so nobody is woken.
    assert!(beats.iter().all(|beat| beat.body == r#"{"Status":"passing","Output":""}"#));
    assert_eq!((fake.seen("service/register").len(), service.registrations()), (1, 1));
}

#[test]
fn an_agent_that_lost_it_has_it_back_within_one_heartbeat() {
    let (fake, service, clock) = start(plain());
    service.set_status(CheckStatus::Warning, "slow").unwrap();
    eventually("told", || is(&fake, "warning"));
    fake.wipe_agent();
    clock.advance(TTL * 2 / 5);
    eventually("back", || is(&fake, "warning"));
    // It came back as it was, not as it began.
    let body = fake.seen("service/register")[1].body.clone();
    assert!(body.contains(r#""Status":"warning""#), "{body}");
    eventually("settled", || service.is_registered());
    assert_eq!(service.registrations(), 2);
}

#[test]
fn without_a_heartbeat_a_look_at_the_agent_tells() {
    let check = CheckDefinition::new("up").id("up").tcp("127.0.0.1:80").interval(SECOND);
    let spec = KeptServiceSpec::new(web().check(check)).ttl(Duration::ZERO);
    let (fake, service, clock) = start(spec);
    assert!(fake.agent_check("up").is_some() && status(&fake).is_none());
    fake.wipe_agent();
    turning(&clock, "back", || fake.agent_check("up").is_some());
    fake.remove_check("up");
    turning(&clock, "its check is back", || fake.agent_check("up").is_some());
    assert_eq!(fake.seen("check/update").len(), 0);
    let refused = service.set_status(CheckStatus::Passing, "").unwrap_err();
    assert!(refused.message().contains("no TTL"), "{refused}");
}

#[test]
fn what_is_as_it_should_be_is_not_written_again() {
    let (fake, service, clock) = start(plain());
    service.start().unwrap();
    service.update(&web()).unwrap();
    let looks = fake.seen("health/service").len();
    turning(&clock, "looks", || fake.seen("health/service").len() >= looks + 3);
    assert_eq!(fake.seen("service/register").len(), 1);

    service.update(&web().port(81)).unwrap();
    eventually("changed", || fake.service_port("web") == Some(81));
    eventually("settled", || service.is_registered());
    let refused = service.update(&ServiceDefinition::new("other")).unwrap_err();
    assert!(refused.message().contains("it stays \"web\""), "{refused}");
}

#[test]
fn a_second_start_of_the_program_changes_no_status_and_leaves_no_old_check() {
    let fake = Fake::new();
    let (client, _clock) = fake.client();
    let first = client.keep_service(plain().status(CheckStatus::Warning)).unwrap();
    first.start().unwrap();
    fake.add_check("web", "old");
    first.stop();
    drop(first);
    let again = client.keep_service(plain().status(CheckStatus::Warning)).unwrap();
    again.start().unwrap();
    assert!(is(&fake, "warning") && fake.agent_check("old").is_none());
    for update in fake.seen("check/update") {
        assert!(update.body.contains("warning"), "{update:?}");
    }
}

#[test]
fn what_somebody_changed_is_mended() {
    let (fake, _service, clock) = start(plain());
    let (other, _) = fake.client();
    other.agent().register_service(&web().port(99), &Options::new()).unwrap();
    assert_eq!(fake.service_port("web"), Some(99));
    turning(&clock, "mended", || fake.service_port("web") == Some(80));
    fake.add_check("web", "stray");
    turning(&clock, "removed", || fake.agent_check("stray").is_none());
}

#[test]
fn a_status_is_told_until_the_agent_has_it() {
    let (fake, service, clock) = start(plain());
    fake.fate("check/update", Fate::Fail);
    service.set_status(CheckStatus::Critical, "no database").unwrap();
    assert_eq!(service.status(), CheckStatus::Critical);
    fake.wait_seen("check/update", 2);
    eventually("counted", || service.stats().consecutive_failures > 0);
    assert!(is(&fake, "passing"));
    fake.heal();
    turning(&clock, "told", || is(&fake, "critical"));
    assert_eq!(fake.agent_check(CHECK).unwrap().output, "no database");
    turn(&clock, TTL);
    assert!(is(&fake, "critical"));
}

#[test]
fn it_starts_though_consul_is_away_and_says_so() {
    let (fake, service, clock) = keep(plain());
    fake.judge(|_| Fate::Fail);
    assert_eq!(service.start().unwrap_err().status(), Status::Http);
    let stats = service.stats();
    assert_eq!((stats.state, stats.consecutive_failures), ("registering", 1));
    assert!(stats.last_success.is_none() && stats.last_error.is_some());
    assert!(stats.next_try.is_some() && !service.is_registered());
    fake.heal();
    turning(&clock, "registered", || service.stats().consecutive_failures == 0);
    assert_eq!(service.stats().state, "registered");
    assert!(service.stats().last_success.is_some());
    assert!(is(&fake, "passing"));
}

#[test]
fn an_answer_that_never_comes_is_given_up_after_a_quarter_of_the_ttl() {
    let (fake, service, clock) = start(plain().ttl(SECOND));
    fake.fate("check/update", Fate::Swallow);
    let (began, before) = (Instant::now(), clock.now());
    service.set_status(CheckStatus::Warning, "").unwrap();
    turning(&clock, "given up", || service.stats().consecutive_failures > 0);
    // Part of it may have gone by before it was sent.
    assert!(clock.now() - before + began.elapsed() >= SECOND / 4);
    assert_eq!(fake.most_in_flight(), 1);
}

#[test]
fn a_program_that_must_report_and_does_not_is_critical_after_a_ttl() {
    let (fake, service, clock) = start(plain().heartbeat(Heartbeat::Program));
    clock.advance(TTL / 2);
    service.pat();
    let beats = fake.seen("check/update").len();
    clock.advance(TTL - Duration::from_millis(1));
    fake.wait_seen("check/update", beats + 1);
    assert!(is(&fake, "passing"));
    clock.advance(Duration::from_millis(1));
    eventually("silent", || is(&fake, "critical"));
    assert_eq!(service.status(), CheckStatus::Critical);
    assert!(fake.agent_check(CHECK).unwrap().output.contains("not reported"));
    service.pat();
    eventually("heard of again", || is(&fake, "passing"));
    // A pat costs no request.
    clock.pass(Duration::ZERO);
    let before = fake.seen("").len();
    (0..100).for_each(|_| service.pat());
    clock.pass(Duration::ZERO);
    assert_eq!(fake.seen("").len(), before);
}

#[test]
fn maintenance_outlives_a_change_and_a_lost_agent() {
    let (fake, service, clock) = start(plain());
    let maintenance = || fake.agent_check("_service_maintenance:web").is_some();
    service.maintenance(true, "repairs").unwrap();
    assert!(maintenance());
    fake.add_check("web", "old");
    service.update(&web().port(81)).unwrap();
    eventually("changed", || fake.service_port("web") == Some(81));
    eventually("removed", || fake.agent_check("old").is_none());
    assert!(maintenance());

    fake.wipe_agent();
    let asked = fake.seen("service/maintenance").len();
    // Though the first try to restore it fails.
    fake.fate("service/maintenance", Fate::Fail);
    turning(&clock, "tried", || fake.seen("service/maintenance").len() > asked + 1);
    // Nobody comes before it is in maintenance again.
    assert!(is(&fake, "critical"));
    fake.heal();
    turning(&clock, "restored", || maintenance() && is(&fake, "passing"));
    let line = fake.seen("service/maintenance").last().unwrap().line.clone();
    assert!(line.contains("reason=repairs"), "{line}");

    service.maintenance(false, "").unwrap();
    fake.wipe_agent();
    turning(&clock, "back", || is(&fake, "passing"));
    assert!(!maintenance());
}

#[test]
fn maintenance_that_somebody_else_began_is_kept_too() {
    let (fake, _service, clock) = start(plain());
    let (other, _) = fake.client();
    other.agent().service_maintenance("web", true, "upgrade", &Options::new()).unwrap();
    let looks = fake.seen("health/service").len();
    turning(&clock, "seen", || fake.seen("health/service").len() > looks);
    fake.wipe_agent();
    turning(&clock, "restored", || fake.agent_check("_service_maintenance:web").is_some());
}

#[test]
fn closing_deregisters_and_stopping_does_not() {
    let (fake, service, clock) = start(plain());
    service.stop();
    service.stop();
    assert_eq!(service.stats().state, "stopped");
    let before = fake.seen("").len();
    turn(&clock, TTL * 2);
    assert_eq!(fake.seen("").len(), before);
    drop(service);
    assert!(is(&fake, "passing"));

    let (fake, service, _clock) = start(plain());
    service.close().unwrap();
    service.close().unwrap();
    assert!(status(&fake).is_none());
    assert_eq!(fake.seen("service/deregister").len(), 1);
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);
    assert_eq!(service.stats().state, "closed");
}

#[test]
fn one_that_was_never_started_touches_nothing() {
    let (fake, service, _clock) = keep(plain());
    service.set_status(CheckStatus::Warning, "").unwrap();
    service.pat();
    assert_eq!(service.maintenance(true, "").unwrap_err().status(), Status::NotFound);
    service.close().unwrap();
    assert!(fake.seen("").is_empty());
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);
}

#[test]
fn one_that_was_stopped_can_be_started_again() {
    let (fake, service, clock) = start(plain());
    service.stop();
    fake.wipe_agent();
    service.start().unwrap();
    assert!(is(&fake, "passing"));
    let before = fake.seen("check/update").len();
    clock.advance(TTL * 2 / 5);
    fake.wait_seen("check/update", before + 1);
}

#[test]
fn a_deregistration_that_fails_goes_on_in_the_background() {
    let (fake, service, clock) = start(plain());
    fake.fate("deregister", Fate::Fail);
    assert_eq!(service.close().unwrap_err().status(), Status::Http);
    assert_eq!(service.stats().state, "leaving");
    fake.heal();
    turning(&clock, "deregistered", || status(&fake).is_none());
    eventually("closed", || service.stats().state == "closed");
}

#[test]
fn dropped_it_is_deregistered_in_the_background() {
    let (fake, service, _clock) = start(plain());
    drop(service);
    eventually("deregistered", || status(&fake).is_none());
}

#[test]
fn a_closed_client_leaves_nothing_registered_and_one_that_is_shut_down_sends_nothing() {
    let fake = Fake::new();
    let (client, _clock) = fake.client();
    let service = client.keep_service(plain()).unwrap();
    service.start().unwrap();
    client.close(PATIENCE).unwrap();
    assert!(status(&fake).is_none());
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);

    let (fake, service, _clock) = start(plain());
    service.shared().client.shutdown();
    assert_eq!(service.stats().state, "closed");
    assert_eq!(fake.seen("deregister").len(), 0);
}

#[test]
fn a_registration_in_flight_does_not_come_after_the_end() {
    let (fake, service, _clock) = start(plain());
    fake.fate("service/register", Fate::HoldAnswer);
    service.update(&web().port(81)).unwrap();
    fake.wait_seen("service/register", 2);
    let service = Arc::new(service);
    let closing = std::thread::spawn({
        let service = service.clone();
        move || service.close()
    });
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(fake.seen("deregister").len(), 0);
    fake.release();
    closing.join().unwrap().unwrap();
    assert!(status(&fake).is_none());
    assert_eq!(fake.most_in_flight(), 1);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let fake = Fake::new();
    let (client, _clock) = fake.client();
    let cases = [
        (KeptServiceSpec::new(ServiceDefinition::new("")), "name is empty"),
        (plain().ttl(SECOND / 2), "1 s or more"),
        (plain().ttl(Duration::ZERO).heartbeat(Heartbeat::Program), "nothing to report on"),
        (plain().ttl(Duration::ZERO).deregister_critical_after(SECOND), "one of its checks"),
        (plain().deregister_critical_after(Duration::ZERO), "of 0"),
        (KeptServiceSpec::new(web().address("0.0.0.0")), "0.0.0.0"),
    ];
    for (spec, reason) in cases {
        let refused = client.keep_service(spec).err().unwrap();
        assert!(refused.message().contains(reason), "{refused}");
    }
    assert!(fake.seen("").is_empty());
}

/// Begins a call that does not wait. What it comes to is read from the receiver.
fn begin(call: Operation<()>, cancel: &CancelToken) -> Receiver<Result<()>> {
    let (send, ended) = channel();
    call.start(cancel.clone(), move |arrived| send.send(arrived()).unwrap());
    ended
}

fn end(ended: &Receiver<Result<()>>) -> Result<()> {
    ended.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn calls_that_do_not_wait_end_as_those_that_do() {
    let (fake, service, _clock) = keep(plain());
    let (later, cancel) = (service.deferred(), CancelToken::new());
    let start = later.start().unwrap();
    assert!(fake.seen("").is_empty());
    end(&begin(start, &cancel)).unwrap();
    assert!(service.is_registered() && is(&fake, "passing"));
    end(&begin(later.maintenance(true, "repairs").unwrap(), &cancel)).unwrap();
    assert!(fake.agent_check("_service_maintenance:web").is_some());
    end(&begin(later.close().unwrap(), &cancel)).unwrap();
    assert!(status(&fake).is_none());
    let refused = end(&begin(later.start().unwrap(), &cancel)).unwrap_err();
    assert_eq!(refused.status(), Status::Closed);
    // What they send goes past the program's own calls, as what the lane sends does.
    assert!(fake.seen("").iter().all(|seen| seen.lane == Lane::Upkeep));
}

#[test]
fn a_call_that_waits_for_its_turn_keeps_no_thread_and_can_be_cancelled() {
    let (fake, service, _clock) = keep(plain());
    let later = service.deferred();
    let (cancel, give_up) = (CancelToken::new(), CancelToken::new());
    fake.fate("service/register", Fate::HoldAnswer);
    let started = begin(later.start().unwrap(), &cancel);
    fake.wait_seen("service/register", 1);
    let maintained = begin(later.maintenance(true, "").unwrap(), &give_up);
    let closed = begin(later.close().unwrap(), &cancel);
    // The I/O thread does what else there is.
    let (send, ran) = channel();
    crate::runtime::spawn(async { Ok(()) }, move |ran| send.send(ran).unwrap());
    end(&ran).unwrap();
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&maintained).unwrap_err().status(), Status::Cancelled);
    assert!(started.try_recv().is_err() && closed.try_recv().is_err());
    fake.release();
    end(&started).unwrap();
    end(&closed).unwrap();
    assert!(status(&fake).is_none() && fake.seen("service/maintenance").is_empty());
    assert_eq!(fake.most_in_flight(), 1);
}

#[test]
fn what_a_cancelled_call_has_begun_goes_on_in_the_background() {
    let (fake, service, clock) = start(plain());
    let (later, give_up) = (service.deferred(), CancelToken::new());
    let busy = service.shared().turn.try_take().unwrap();
    service.stop();
    fake.wipe_agent();
    let started = begin(later.start().unwrap(), &give_up);
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&started).unwrap_err().status(), Status::Cancelled);
    drop(busy);
    turning(&clock, "registered", || is(&fake, "passing"));

    let give_up = CancelToken::new();
    eventually("settled", || service.is_registered());
    let busy = loop {
        if let Some(busy) = service.shared().turn.try_take() {
            break busy;
        }
    };
    let closed = begin(later.close().unwrap(), &give_up);
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&closed).unwrap_err().status(), Status::Cancelled);
    drop(busy);
    turning(&clock, "deregistered", || status(&fake).is_none());
}

#[test]
fn in_a_forked_child_it_is_its_parents() {
    let (fake, service, clock) = start(plain());
    eventually("settled", || service.stats().next_try.is_some());
    let shared = service.shared().clone();
    let service = Mutex::new(Some(service));
    // As if another thread of the parent were amid a change: nothing in the child may wait for it.
    let amid = (shared.state(), shared.turn.try_take());
    let in_child = crate::sys::testing::in_child(|| {
        let inherited = service.lock().take().unwrap();
        let forked = |result: Result<()>| assert_eq!(result.unwrap_err().status(), Status::Forked);
        forked(inherited.start());
        forked(inherited.close());
        forked(inherited.maintenance(true, ""));
        forked(inherited.set_status(CheckStatus::Warning, ""));
        forked(inherited.update(&web().port(81)));
        assert_eq!(inherited.deferred().start().err().unwrap().status(), Status::Forked);
        inherited.pat();
        inherited.set_token(Some("token"));
        inherited.stop();
        assert!(!inherited.is_registered() && inherited.registrations() == 0);
        assert_eq!((inherited.id(), inherited.status()), ("web", CheckStatus::Critical));
        assert_eq!(inherited.stats().state, "forked");
        drop(inherited);
        // Nobody is there who could send anything.
        i32::from(crate::sys::testing::threads() != 1)
    });
    assert_eq!(in_child, 0);
    drop(amid);
    let service = service.lock().take().unwrap();
    assert!(service.is_registered() && is(&fake, "passing"));
    clock.advance(TTL * 2 / 5);
    fake.wait_seen("check/update", 2);
    service.close().unwrap();
    assert!(status(&fake).is_none());
}
