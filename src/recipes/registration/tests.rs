//! Services that stay registered, under a clock that the tests turn.

use super::*;
use crate::api::agent::CheckDefinition;
use crate::client::Operation;
use crate::config::Options;
use crate::error::Status;
use crate::recipes::testing::{Fate, PATIENCE, World, world};
use crate::runtime::Clock;
use crate::sync::Mutex;
use crate::transport::{CancelToken, Lane};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);
const CHECK: &str = "service:web:ttl";

fn web() -> ServiceDefinition {
    ServiceDefinition::new("web").port(80)
}

fn keep(spec: KeptServiceSpec) -> (World, KeptService) {
    let w = world();
    let service = w.client.keep_service(spec).unwrap();
    (w, service)
}

fn start(spec: KeptServiceSpec) -> (World, KeptService) {
    let kept = keep(spec);
    kept.1.start().unwrap();
    kept
}

fn plain() -> KeptServiceSpec {
    KeptServiceSpec::new(web())
}

fn status(w: &World) -> Option<String> {
    w.consul.agent_check(CHECK).map(|check| check.status)
}

fn is(w: &World, word: &str) -> bool {
    status(w).as_deref() == Some(word)
}

#[test]
fn it_is_registered_passing_with_a_check_that_beats_past_the_callers_calls() {
    let (w, service) = start(plain().deregister_critical_after(SECOND * 90));
    let register = w.wire.seen("service/register");
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
    assert!(service.is_registered() && is(&w, "passing"));
    // Nothing of the program runs meanwhile.
    for beat in 1..=5 {
        let before = w.wire.seen("check/update").len();
        w.clock.advance(TTL * 2 / 5);
        w.wire.wait_seen("check/update", before + 1);
        w.soon("settled", || service.stats().last_success == Some(Duration::ZERO));
        assert!(w.wire.seen("check/update").len() <= before + 2, "{beat}");
    }
    let beats = w.wire.seen("check/update");
    assert!(beats.iter().all(|beat| beat.lane == Lane::Upkeep));
    // Nothing about it changes, so nobody is woken.
    assert!(beats.iter().all(|beat| beat.body == r#"{"Status":"passing","Output":""}"#));
    assert_eq!((w.wire.seen("service/register").len(), service.registrations()), (1, 1));
}

#[test]
fn an_agent_that_lost_it_has_it_back_within_one_heartbeat() {
    let (w, service) = start(plain());
    service.set_status(CheckStatus::Warning, "slow").unwrap();
    w.soon("told", || is(&w, "warning"));
    w.consul.wipe_agent();
    w.clock.advance(TTL * 2 / 5);
    w.soon("back", || is(&w, "warning"));
    // It came back as it was, not as it began.
    let body = w.wire.seen("service/register")[1].body.clone();
    assert!(body.contains(r#""Status":"warning""#), "{body}");
    w.soon("settled", || service.is_registered());
    assert_eq!(service.registrations(), 2);
}

#[test]
fn without_a_heartbeat_a_look_at_the_agent_tells() {
    let check = CheckDefinition::new("up").id("up").tcp("127.0.0.1:80").interval(SECOND);
    let spec = KeptServiceSpec::new(web().check(check)).ttl(Duration::ZERO);
    let (w, service) = start(spec);
    assert!(w.consul.agent_check("up").is_some() && status(&w).is_none());
    w.consul.wipe_agent();
    w.eventually("back", || w.consul.agent_check("up").is_some());
    w.consul.remove_check("up");
    w.eventually("its check is back", || w.consul.agent_check("up").is_some());
    assert_eq!(w.wire.seen("check/update").len(), 0);
    let refused = service.set_status(CheckStatus::Passing, "").unwrap_err();
    assert!(refused.message().contains("no TTL"), "{refused}");
}

#[test]
fn what_is_as_it_should_be_is_not_written_again() {
    let (w, service) = start(plain());
    service.start().unwrap();
    service.update(&web()).unwrap();
    let looks = w.wire.seen("health/service").len();
    w.eventually("looks", || w.wire.seen("health/service").len() >= looks + 3);
    assert_eq!(w.wire.seen("service/register").len(), 1);

    service.update(&web().port(81)).unwrap();
    w.soon("changed", || w.consul.service_port("web") == Some(81));
    w.soon("settled", || service.is_registered());
    let refused = service.update(&ServiceDefinition::new("other")).unwrap_err();
    assert!(refused.message().contains("it stays \"web\""), "{refused}");
}

#[test]
fn a_second_start_of_the_program_changes_no_status_and_leaves_no_old_check() {
    let w = world();
    let first = w.client.keep_service(plain().status(CheckStatus::Warning)).unwrap();
    first.start().unwrap();
    w.consul.add_check("web", "old");
    first.stop();
    drop(first);
    let again = w.client.keep_service(plain().status(CheckStatus::Warning)).unwrap();
    again.start().unwrap();
    assert!(is(&w, "warning") && w.consul.agent_check("old").is_none());
    for update in w.wire.seen("check/update") {
        assert!(update.body.contains("warning"), "{update:?}");
    }
}

#[test]
fn what_somebody_changed_is_mended() {
    let (w, _service) = start(plain());
    let other = w.another_client();
    other.agent().register_service(&web().port(99), &Options::new()).unwrap();
    assert_eq!(w.consul.service_port("web"), Some(99));
    w.eventually("mended", || w.consul.service_port("web") == Some(80));
    w.consul.add_check("web", "stray");
    w.eventually("removed", || w.consul.agent_check("stray").is_none());
}

#[test]
fn a_status_is_told_until_the_agent_has_it() {
    let (w, service) = start(plain());
    w.wire.fate("check/update", Fate::Fail);
    service.set_status(CheckStatus::Critical, "no database").unwrap();
    assert_eq!(service.status(), CheckStatus::Critical);
    w.wire.wait_seen("check/update", 2);
    w.soon("counted", || service.stats().consecutive_failures > 0);
    assert!(is(&w, "passing"));
    w.wire.heal();
    w.eventually("told", || is(&w, "critical"));
    assert_eq!(w.consul.agent_check(CHECK).unwrap().output, "no database");
    w.pass(TTL);
    assert!(is(&w, "critical"));
}

#[test]
fn it_starts_though_consul_is_away_and_says_so() {
    let (w, service) = keep(plain());
    w.wire.judge(|_| Fate::Fail);
    assert_eq!(service.start().unwrap_err().status(), Status::Http);
    let stats = service.stats();
    assert_eq!((stats.state, stats.consecutive_failures), ("registering", 1));
    assert!(stats.last_success.is_none() && stats.last_error.is_some());
    assert!(stats.next_try.is_some() && !service.is_registered());
    w.wire.heal();
    w.eventually("registered", || service.stats().consecutive_failures == 0);
    assert_eq!(service.stats().state, "registered");
    assert!(service.stats().last_success.is_some());
    assert!(is(&w, "passing"));
}

#[test]
fn an_answer_that_never_comes_is_given_up_after_a_quarter_of_the_ttl() {
    let (w, service) = start(plain().ttl(SECOND));
    w.wire.fate("check/update", Fate::Swallow);
    let (began, before) = (Instant::now(), w.clock.now());
    service.set_status(CheckStatus::Warning, "").unwrap();
    w.eventually("given up", || service.stats().consecutive_failures > 0);
    // Part of it may have gone by before it was sent.
    assert!(w.clock.now() - before + began.elapsed() >= SECOND / 4);
    assert_eq!(w.wire.most_in_flight(), 1);
}

#[test]
fn a_program_that_must_report_and_does_not_is_critical_after_a_ttl() {
    let (w, service) = start(plain().heartbeat(Heartbeat::Program));
    let settled = || service.stats().last_success == Some(Duration::ZERO);
    w.clock.advance(TTL / 2);
    service.pat();
    w.soon("a heartbeat", settled);
    w.clock.advance(TTL - Duration::from_millis(1));
    w.soon("another one", settled);
    assert!(is(&w, "passing"));
    w.clock.advance(Duration::from_millis(1));
    w.soon("silent", || is(&w, "critical"));
    assert_eq!(service.status(), CheckStatus::Critical);
    assert!(w.consul.agent_check(CHECK).unwrap().output.contains("not reported"));
    service.pat();
    w.soon("heard of again", || is(&w, "passing"));
    // A pat costs no request.
    w.clock.pass(Duration::ZERO);
    let before = w.wire.seen("").len();
    (0..100).for_each(|_| service.pat());
    w.clock.pass(Duration::ZERO);
    assert_eq!(w.wire.seen("").len(), before);
}

#[test]
fn maintenance_outlives_a_change_and_a_lost_agent() {
    let (w, service) = start(plain());
    let maintenance = || w.consul.agent_check("_service_maintenance:web").is_some();
    service.maintenance(true, "repairs").unwrap();
    assert!(maintenance());
    w.consul.add_check("web", "old");
    service.update(&web().port(81)).unwrap();
    w.soon("changed", || w.consul.service_port("web") == Some(81));
    w.soon("removed", || w.consul.agent_check("old").is_none());
    assert!(maintenance());

    w.consul.wipe_agent();
    let asked = w.wire.seen("service/maintenance").len();
    // Though the first try to restore it fails.
    w.wire.fate("service/maintenance", Fate::Fail);
    w.eventually("tried", || w.wire.seen("service/maintenance").len() > asked + 1);
    // Nobody comes before it is in maintenance again.
    assert!(is(&w, "critical"));
    w.wire.heal();
    w.eventually("restored", || maintenance() && is(&w, "passing"));
    let line = w.wire.seen("service/maintenance").last().unwrap().line.clone();
    assert!(line.contains("reason=repairs"), "{line}");

    service.maintenance(false, "").unwrap();
    w.consul.wipe_agent();
    w.eventually("back", || is(&w, "passing"));
    assert!(!maintenance());
}

#[test]
fn maintenance_that_somebody_else_began_is_kept_too() {
    let (w, _service) = start(plain());
    let other = w.another_client();
    other.agent().service_maintenance("web", true, "upgrade", &Options::new()).unwrap();
    let looks = w.wire.seen("health/service").len();
    w.eventually("seen", || w.wire.seen("health/service").len() > looks);
    w.consul.wipe_agent();
    w.eventually("restored", || w.consul.agent_check("_service_maintenance:web").is_some());
}

#[test]
fn closing_deregisters_and_stopping_does_not() {
    let (w, service) = start(plain());
    service.stop();
    service.stop();
    assert_eq!(service.stats().state, "stopped");
    let before = w.wire.seen("").len();
    w.pass(TTL * 2);
    assert_eq!(w.wire.seen("").len(), before);
    drop(service);
    // The agent has it still, and hears of it no more.
    assert!(is(&w, "critical"));

    let (w, service) = start(plain());
    service.close().unwrap();
    service.close().unwrap();
    assert!(status(&w).is_none());
    assert_eq!(w.wire.seen("service/deregister").len(), 1);
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);
    assert_eq!(service.stats().state, "closed");
}

#[test]
fn one_that_was_never_started_touches_nothing() {
    let (w, service) = keep(plain());
    service.set_status(CheckStatus::Warning, "").unwrap();
    service.pat();
    assert_eq!(service.maintenance(true, "").unwrap_err().status(), Status::NotFound);
    service.close().unwrap();
    assert!(w.wire.seen("").is_empty());
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);
}

#[test]
fn one_that_was_stopped_can_be_started_again() {
    let (w, service) = start(plain());
    service.stop();
    w.consul.wipe_agent();
    service.start().unwrap();
    assert!(is(&w, "passing"));
    let before = w.wire.seen("check/update").len();
    w.clock.advance(TTL * 2 / 5);
    w.wire.wait_seen("check/update", before + 1);
}

#[test]
fn a_deregistration_that_fails_goes_on_in_the_background() {
    let (w, service) = start(plain());
    w.wire.fate("deregister", Fate::Fail);
    assert_eq!(service.close().unwrap_err().status(), Status::Http);
    assert_eq!(service.stats().state, "leaving");
    w.wire.heal();
    w.eventually("deregistered", || status(&w).is_none());
    w.soon("closed", || service.stats().state == "closed");
}

#[test]
fn dropped_it_is_deregistered_in_the_background() {
    let (w, service) = start(plain());
    drop(service);
    w.soon("deregistered", || status(&w).is_none());
}

#[test]
fn a_closed_client_leaves_nothing_registered_and_one_that_is_shut_down_sends_nothing() {
    let w = world();
    let service = w.client.keep_service(plain()).unwrap();
    service.start().unwrap();
    w.client.close(PATIENCE).unwrap();
    assert!(status(&w).is_none());
    assert_eq!(service.start().unwrap_err().status(), Status::Closed);

    let (w, service) = start(plain());
    service.0.glance().client.shutdown();
    assert_eq!(service.stats().state, "closed");
    assert_eq!(w.wire.seen("deregister").len(), 0);
}

#[test]
fn a_registration_in_flight_does_not_come_after_the_end() {
    let (w, service) = start(plain());
    w.wire.fate("service/register", Fate::HoldAnswer);
    service.update(&web().port(81)).unwrap();
    w.wire.wait_seen("service/register", 2);
    let service = Arc::new(service);
    let closing = std::thread::spawn({
        let service = service.clone();
        move || service.close()
    });
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(w.wire.seen("deregister").len(), 0);
    w.wire.release();
    closing.join().unwrap().unwrap();
    assert!(status(&w).is_none());
    assert_eq!(w.wire.most_in_flight(), 1);
}

#[test]
fn one_that_is_dropped_while_its_start_ends_does_not_stay_for_a_heartbeat() {
    let (w, service) = keep(plain());
    w.wire.fate("check/update", Fate::HoldAnswer);
    let started = begin(service.deferred().start().unwrap(), &CancelToken::new());
    w.wire.wait_seen("check/update", 1);
    drop(service);
    w.wire.heal();
    end(&started).unwrap();
    w.pass(SECOND);
    w.wire.wait_seen("service/deregister", 1);
    w.soon("it is gone", || w.consul.service_port("web").is_none());
}

#[test]
fn a_registration_that_is_carried_out_after_the_end_is_undone() {
    let (w, service) = keep(plain());
    w.wire.fate("service/register", Fate::Swallow);
    let give_up = CancelToken::new();
    let started = begin(service.deferred().start().unwrap(), &give_up);
    w.wire.wait_seen("service/register", 1);
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&started).unwrap_err().status(), Status::Cancelled);
    service.close().unwrap();
    assert_eq!(w.wire.seen("service/deregister").len(), 1);
    // The agent comes to it only now.
    w.consul.add_service("web");
    drop(service);
    w.client.retire();
    w.eventually("it is deregistered again", || w.consul.service_port("web").is_none());
    assert_eq!(w.wire.seen("service/deregister").len(), 2);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let w = world();
    let cases = [
        (KeptServiceSpec::new(ServiceDefinition::new("")), "name is empty"),
        (plain().ttl(SECOND / 2), "1 s or more"),
        (plain().ttl(Duration::ZERO).heartbeat(Heartbeat::Program), "nothing to report on"),
        (plain().ttl(Duration::ZERO).deregister_critical_after(SECOND), "one of its checks"),
        (plain().deregister_critical_after(Duration::ZERO), "of 0"),
        (KeptServiceSpec::new(web().address("0.0.0.0")), "0.0.0.0"),
    ];
    for (spec, reason) in cases {
        let refused = w.client.keep_service(spec).err().unwrap();
        assert!(refused.message().contains(reason), "{refused}");
    }
    assert!(w.wire.seen("").is_empty());
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
    let (w, service) = keep(plain());
    let (later, cancel) = (service.deferred(), CancelToken::new());
    let start = later.start().unwrap();
    assert!(w.wire.seen("").is_empty());
    end(&begin(start, &cancel)).unwrap();
    assert!(service.is_registered() && is(&w, "passing"));
    end(&begin(later.maintenance(true, "repairs").unwrap(), &cancel)).unwrap();
    assert!(w.consul.agent_check("_service_maintenance:web").is_some());
    end(&begin(later.close().unwrap(), &cancel)).unwrap();
    assert!(status(&w).is_none());
    let refused = end(&begin(later.start().unwrap(), &cancel)).unwrap_err();
    assert_eq!(refused.status(), Status::Closed);
    // What they send goes past the program's own calls, as what the lane sends does.
    assert!(w.wire.seen("").iter().all(|seen| seen.lane == Lane::Upkeep));
}

#[test]
fn a_call_that_waits_for_its_turn_keeps_no_thread_and_can_be_cancelled() {
    let (w, service) = keep(plain());
    let later = service.deferred();
    let (cancel, give_up) = (CancelToken::new(), CancelToken::new());
    w.wire.fate("service/register", Fate::HoldAnswer);
    let started = begin(later.start().unwrap(), &cancel);
    w.wire.wait_seen("service/register", 1);
    let maintained = begin(later.maintenance(true, "").unwrap(), &give_up);
    let closed = begin(later.close().unwrap(), &cancel);
    // The I/O thread does what else there is.
    let (send, ran) = channel();
    crate::runtime::spawn(async { Ok(()) }, move |ran| send.send(ran).unwrap());
    end(&ran).unwrap();
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&maintained).unwrap_err().status(), Status::Cancelled);
    assert!(started.try_recv().is_err() && closed.try_recv().is_err());
    w.wire.release();
    end(&started).unwrap();
    end(&closed).unwrap();
    assert!(status(&w).is_none() && w.wire.seen("service/maintenance").is_empty());
    assert_eq!(w.wire.most_in_flight(), 1);
}

#[test]
fn what_a_cancelled_call_has_begun_goes_on_in_the_background() {
    let (w, service) = start(plain());
    let (later, give_up) = (service.deferred(), CancelToken::new());
    let busy = service.0.glance().turn.try_take().unwrap();
    service.stop();
    w.consul.wipe_agent();
    let started = begin(later.start().unwrap(), &give_up);
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&started).unwrap_err().status(), Status::Cancelled);
    drop(busy);
    w.eventually("registered", || is(&w, "passing"));

    let give_up = CancelToken::new();
    w.soon("settled", || service.is_registered());
    let busy = loop {
        if let Some(busy) = service.0.glance().turn.try_take() {
            break busy;
        }
    };
    let closed = begin(later.close().unwrap(), &give_up);
    give_up.cancel(Status::Cancelled, "enough");
    assert_eq!(end(&closed).unwrap_err().status(), Status::Cancelled);
    drop(busy);
    w.eventually("deregistered", || status(&w).is_none());
}

#[test]
fn in_a_forked_child_it_is_its_parents() {
    let (w, service) = start(plain());
    w.soon("settled", || service.stats().next_try.is_some());
    let shared = service.0.shared().unwrap().clone();
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
    assert!(service.is_registered() && is(&w, "passing"));
    w.clock.advance(TTL * 2 / 5);
    w.wire.wait_seen("check/update", 2);
    service.close().unwrap();
    assert!(status(&w).is_none());
}
