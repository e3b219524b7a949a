//! Services that stay registered, on a real Consul.

use crate::clients::{client_at, client_of, client_with};
use crate::proxy::{Fate, Proxy};
use crate::quick::{LASTING, PATIENCE, close, eventually, in_the_end, none, start};
use crate::support::control::{Control, GRACE, timed};
use crate::support::fault::Reply;
use crate::support::{Consul, consul, unique};
use consul_ffi::Options;
use consul_ffi::api::CheckStatus;
use consul_ffi::api::agent::{CheckDefinition, ServiceDefinition};
use consul_ffi::recipes::registration::{Heartbeat, KeptService, KeptServiceSpec};
use serde_json::Value;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(2);

fn web(name: &str) -> KeptServiceSpec {
    KeptServiceSpec::new(ServiceDefinition::new(name).port(80)).ttl(TTL)
}

/// A check as the agent has it.
fn check(consul: &Consul, id: &str) -> Option<Value> {
    consul.get("/v1/agent/checks").json().get(id).cloned()
}

fn status(consul: &Consul, service: &KeptService) -> Option<String> {
    check(consul, &service.check_id()).map(|check| check["Status"].as_str().unwrap().to_string())
}

fn is(consul: &Consul, service: &KeptService, word: &str) -> bool {
    status(consul, service).as_deref() == Some(word)
}

fn exists(consul: &Consul, id: &str) -> bool {
    consul.get(&format!("/v1/agent/service/{id}")).status == 200
}

fn started(consul: &Consul, spec: KeptServiceSpec) -> KeptService {
    let service = client_of(consul).keep_service(spec).unwrap();
    start(&service);
    service
}

/// Writes to the agent about this service.
fn writes(proxy: &Proxy, part: &str) -> usize {
    proxy.requests().iter().filter(|request| request.target.contains(part)).count()
}

#[test]
fn it_passes_while_the_program_sleeps_and_is_gone_when_it_is_closed() {
    let Some(consul) = consul() else { return };
    let name = unique("kept");
    let service = started(consul, web(&name));
    // Twice the TTL and more: whoever forgets a heartbeat is critical by then, and stays so.
    let (control, mut passes) = (Control::start(), true);
    while control.elapsed() < TTL * 5 / 2 {
        passes &= is(consul, &service, "passing");
        std::thread::sleep(SECOND / 10);
    }
    let timing = control.stop();
    assert!(passes || !timing.is_punctual(TTL / 2), "{timing:?}");
    eventually("passing", || is(consul, &service, "passing"));
    let answer = client_of(consul);
    let healthy = answer.health().service(&name, true, &[], &none()).unwrap().value;
    assert_eq!(healthy.len(), 1);
    close(&service);
    assert!(!exists(consul, &name));
    eventually("gone from the catalog", || {
        answer.catalog().service(&name, &[], &none()).unwrap().value.is_empty()
    });
}

#[test]
fn an_agent_that_starts_anew_without_data_has_it_back_within_a_heartbeat() {
    let Some(consul) = Consul::start() else { return };
    let name = unique("lost");
    let up = CheckDefinition::new("up").ttl(SECOND * 60).status(CheckStatus::Warning);
    let definition = ServiceDefinition::new(&name).port(80).check(up.id(format!("{name}-up")));
    let service = started(&consul, KeptServiceSpec::new(definition).ttl(TTL));
    service.set_status(CheckStatus::Warning, "slow").unwrap();
    eventually("told", || is(&consul, &service, "warning"));
    assert_eq!(service.registrations(), 1);
    consul.restart();
    let back = || is(&consul, &service, "warning");
    let ((), timing) = timed(|| eventually("back", back));
    // A heartbeat comes at 0.4 of the TTL at most; after refused connections a little later.
    assert!(timing.fair() < TTL + GRACE, "{timing:?}");
    assert_eq!(check(&consul, &format!("{name}-up")).unwrap()["Status"], "warning");
    let output = || check(&consul, &service.check_id()).unwrap()["Output"].clone();
    eventually("told what it was told before", || output() == "slow");
    eventually("settled", || service.stats().state == "registered");
    assert!(service.registrations() > 1);
    assert_eq!(service.stats().consecutive_failures, 0);
}

#[test]
fn without_a_heartbeat_a_look_finds_that_it_was_lost() {
    let Some(consul) = Consul::start() else { return };
    let name = unique("looked-for");
    let service = started(&consul, web(&name).ttl(Duration::ZERO));
    consul.restart();
    eventually("back", || exists(&consul, &name));
    close(&service);
}

#[test]
fn registering_again_changes_no_status_and_leaves_no_old_check() {
    let Some(consul) = consul() else { return };
    let name = unique("again");
    let plain = ServiceDefinition::new(&name).port(80);
    let extra = CheckDefinition::new("extra").id(format!("{name}-extra")).ttl(SECOND * 60);
    let with_extra = plain.clone().check(extra);
    let start = |definition: &ServiceDefinition| {
        // One that does not run out while nobody keeps it.
        let spec = KeptServiceSpec::new(definition.clone()).ttl(SECOND * 60);
        started(consul, spec.status(CheckStatus::Warning))
    };
    let in_catalog = || consul.get(&format!("/v1/health/checks/{name}?consistent")).json();
    let first = start(&with_extra);
    eventually("in the catalog", || in_catalog().as_array().unwrap().len() == 2);
    first.stop();
    let before = in_catalog();
    // The same program once more: the indexes of its checks say that they were never touched.
    let second = start(&with_extra);
    std::thread::sleep(SECOND);
    assert!(is(consul, &second, "warning"));
    assert_eq!(in_catalog(), before);
    second.stop();
    // A new version of it, without the extra check.
    let third = start(&plain);
    assert!(check(consul, &format!("{name}-extra")).is_none());
    assert!(is(consul, &third, "warning"));
    close(&third);
}

#[test]
fn constant_heartbeats_wake_nobody_who_watches() {
    let Some(_) = consul() else { return };
    // An agent that passes every change of an output on at once.
    let Some(consul) = Consul::with_hcl("check_update_interval = \"0s\"") else { return };
    let name = unique("constant");
    let control = Control::start();
    let service = started(&consul, web(&name).note("alive"));
    let in_catalog = || {
        let answer = consul.get(&format!("/v1/health/checks/{name}?consistent"));
        let output = answer.json()[0]["Output"].as_str().map(String::from);
        (answer.header("x-consul-index").unwrap().to_string(), output)
    };
    eventually("in the catalog", || in_catalog().1.as_deref() == Some("alive"));
    let before = in_catalog();
    let mut last = Duration::MAX;
    for _ in 0..3 {
        eventually("a heartbeat", || {
            let now = service.stats().last_success.unwrap();
            std::mem::replace(&mut last, now) > now
        });
    }
    let (after, timing) = (in_catalog(), control.stop());
    assert!(after == before || !timing.is_punctual(TTL / 2), "{after:?} {before:?} {timing:?}");
    let before = after;
    service.set_status(CheckStatus::Passing, "still alive").unwrap();
    eventually("a change is seen", || in_catalog().0 != before.0);
    close(&service);
}

#[test]
fn what_did_not_change_is_not_written_and_a_new_token_is() {
    let Some(consul) = consul() else { return };
    let proxy = Proxy::before(consul);
    let client = client_at(proxy.address());
    let name = unique("written");
    let spec = web(&name).ttl(LASTING).options(&token("first"));
    let service = client.keep_service(spec).unwrap();
    // Without ACLs an agent takes any token.
    service.start().unwrap();
    service.start().unwrap();
    service.update(&ServiceDefinition::new(&name).port(80)).unwrap();
    assert_eq!(writes(&proxy, "service/register"), 1);
    service.set_token(Some("second"));
    eventually("written anew", || writes(&proxy, "service/register") == 2);
    eventually("settled", || service.registrations() == 2);
    close(&service);
    let tokens: Vec<_> = proxy
        .requests()
        .iter()
        .filter(|request| request.target.contains("service/register"))
        .map(|request| request.header("x-consul-token").unwrap().to_string())
        .collect();
    assert_eq!(tokens, ["first", "second"]);
    let last = proxy.requests();
    let last = last.iter().rfind(|request| request.target.contains("deregister")).unwrap();
    assert_eq!(last.header("x-consul-token"), Some("second"));
}

fn token(token: &str) -> Options {
    Options::new().token(token)
}

#[test]
fn a_refused_token_is_told_and_a_good_one_heals() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let name = unique("token");
    let client = client_at(&consul.address());
    let service = client.keep_service(web(&name).options(&token("00000000"))).unwrap();
    let refused = service.start().unwrap_err();
    assert_eq!(refused.status(), consul_ffi::Status::Denied);
    assert_eq!(service.stats().last_error.unwrap().status(), refused.status());
    service.set_token(Some(consul.token()));
    eventually("registered", || service.is_registered());
    // With ACLs an agent words its loss differently.
    let good = client_with(&consul.address(), &[("token", consul.token())]);
    good.agent().deregister_service(&name, &none()).unwrap();
    eventually("back", || service.registrations() == 2 && service.is_registered());
    assert!(good.agent().service(&name, None, &none()).unwrap().is_some());
    close(&service);
}

/// With ACLs an agent refuses to deregister what it does not have.
#[test]
fn one_that_its_agent_does_not_have_can_be_closed() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let client = client_with(&consul.address(), &[("token", consul.token())]);
    let name = unique("gone");
    let service = client.keep_service(web(&name).ttl(SECOND * 60)).unwrap();
    start(&service);
    client.agent().deregister_service(&name, &none()).unwrap();
    service.close().unwrap();
    assert_eq!(service.stats().state, "closed");
    // Nor has it one that was never allowed.
    let nobody = client_at(&consul.address());
    let refused = nobody.keep_service(web(&unique("refused"))).unwrap();
    assert_eq!(refused.start().unwrap_err().status(), consul_ffi::Status::Denied);
    refused.close().unwrap();
    nobody.close(PATIENCE).unwrap();
}

#[test]
fn a_program_that_must_report_turns_critical_by_its_silence() {
    let Some(consul) = consul() else { return };
    let service = started(consul, web(&unique("pat")).heartbeat(Heartbeat::Program));
    for _ in 0..6 {
        let control = Control::start();
        std::thread::sleep(TTL / 2);
        service.pat();
        let passes = is(consul, &service, "passing");
        assert!(passes || !control.stop().is_punctual(TTL / 4));
    }
    eventually("silent", || is(consul, &service, "critical"));
    service.pat();
    eventually("heard of", || is(consul, &service, "passing"));
    close(&service);
}

#[test]
fn maintenance_survives_a_change_and_an_empty_agent() {
    let Some(consul) = Consul::start() else { return };
    let name = unique("maintained");
    let service = started(&consul, web(&name));
    let maintained = || check(&consul, &format!("_service_maintenance:{name}"));
    in_the_end(service.maintenance(true, "repairs"), "maintained", || maintained().is_some());
    service.update(&ServiceDefinition::new(&name).port(81)).unwrap();
    eventually("changed", || consul.get(&format!("/v1/agent/service/{name}")).json()["Port"] == 81);
    assert!(maintained().is_some());
    consul.restart();
    eventually("restored", || maintained().is_some() && is(&consul, &service, "passing"));
    assert_eq!(maintained().unwrap()["Notes"], "repairs");
    in_the_end(service.maintenance(false, ""), "in use", || maintained().is_none());
    assert!(maintained().is_none());
    close(&service);
}

#[test]
fn heartbeats_have_connections_of_their_own() {
    let Some(consul) = consul() else { return };
    let proxy = Proxy::before(consul);
    let client = client_with(proxy.address(), &[("max_connections", "1")]);
    let service = client.keep_service(web(&unique("lane")).ttl(SECOND)).unwrap();
    start(&service);
    proxy.judge(|request| match request.target.contains("/v1/kv/") {
        true => Fate::Swallow,
        false => Fate::Pass,
    });
    // The only connection of the program's calls is stuck for three TTLs.
    let (patience, before) = (Options::new().timeout(SECOND * 3), writes(&proxy, "check/update"));
    let (stuck, timing) = timed(|| client.kv().get("stuck", &patience).unwrap_err());
    assert_eq!(stuck.status(), consul_ffi::Status::Timeout);
    assert!(writes(&proxy, "check/update") > before || !timing.is_punctual(SECOND / 2));
    eventually("passing", || is(consul, &service, "passing"));
    eventually("well", || service.stats().consecutive_failures == 0);
    close(&service);
}

#[test]
fn a_short_outage_leaves_it_passing() {
    let Some(consul) = consul() else { return };
    let proxy = Proxy::before(consul);
    let client = client_at(proxy.address());
    let service = client.keep_service(web(&unique("outage")).ttl(TTL * 2)).unwrap();
    start(&service);
    proxy.judge(|_| Fate::Answer(Reply::text(500, "No cluster leader")));
    eventually("it fails", || service.stats().consecutive_failures > 0);
    std::thread::sleep(SECOND / 2);
    proxy.open();
    eventually("well again", || service.stats().consecutive_failures == 0);
    assert!(is(consul, &service, "passing"));
    assert_eq!(service.registrations(), 1);
    close(&service);
}

#[test]
fn a_dropped_one_and_a_closed_client_leave_nothing_and_a_stopped_one_stays() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let names: Vec<_> = (0..3).map(|_| unique("left")).collect();
    let keep = |name: &str| {
        let service = client.keep_service(web(name)).unwrap();
        start(&service);
        service
    };
    drop(keep(&names[0]));
    eventually("the dropped one is gone", || !exists(consul, &names[0]));
    let stopped = keep(&names[1]);
    stopped.stop();
    drop(stopped);
    let kept = keep(&names[2]);
    client.close(PATIENCE).unwrap();
    assert!(!exists(consul, &names[2]) && exists(consul, &names[1]));
    assert_eq!(kept.stats().state, "closed");
    consul.put(&format!("/v1/agent/service/deregister/{}", names[1]), "");
}

/// E6: all of ten instances, and what fails a check only where that is asked for.
#[test]
fn ten_instances_are_ten_and_a_failing_one_is_left_out() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let name = unique("ten");
    let instances: Vec<_> = (0..10)
        .map(|number| {
            let id = format!("{name}-{number}");
            let definition = ServiceDefinition::new(&name).id(id).port(8000 + number);
            let service = client.keep_service(KeptServiceSpec::new(definition)).unwrap();
            start(&service);
            service
        })
        .collect();
    let count =
        |passing: bool| client.health().service(&name, passing, &[], &none()).unwrap().value.len();
    eventually("ten", || count(true) == 10);
    instances[3].set_status(CheckStatus::Critical, "").unwrap();
    instances[4].set_status(CheckStatus::Warning, "").unwrap();
    eventually("eight", || count(true) == 8);
    assert_eq!(count(false), 10);
    for instance in &instances {
        close(instance);
    }
}
