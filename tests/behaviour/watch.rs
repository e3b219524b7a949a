//! Watches on a real Consul.

use crate::clients::{client_at, client_with};
use crate::support::{Consul, consul, unique};
use consul_ffi::Options;
use consul_ffi::api::event::EventFilters;
use consul_ffi::api::health::State as CheckState;
use consul_ffi::watch::{Content, Freshness, Notice, NoticeKind, Policy, Watch, WatchSpec};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a state of which this holds.
pub fn wait_for(watch: &Watch, what: &str, holds: impl Fn(Option<&Content>) -> bool) {
    let started = Instant::now();
    loop {
        let state = watch.state();
        if holds(state.content()) {
            return;
        }
        let rest = PATIENCE.saturating_sub(started.elapsed());
        let newer = watch.wait_newer(state.version(), rest).unwrap();
        assert!(newer.is_some(), "{what}: {:?} {:?}", state.content(), watch.stats());
    }
}

pub fn wait_value(watch: &Watch, key: &str, value: Option<&str>) {
    wait_for(watch, &format!("{key} is {value:?}"), |content| {
        let Some(content) = content else { return false };
        let found = content.pair(key).map(|pair| String::from_utf8_lossy(&pair.value));
        found.as_deref() == value
    });
}

fn names(content: Option<&Content>) -> Vec<String> {
    let entries = content.map(Content::entries).unwrap_or_default();
    entries.iter().map(|entry| entry.service.id.clone()).collect()
}

#[test]
fn a_key_from_absent_to_absent() {
    let Some(consul) = consul() else { return };
    let (client, key) = (client_at(&consul.address()), unique("watch"));
    let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let listener = told.clone();
    let watch = client
        .watch_with(WatchSpec::key(&key), move |notice| listener.lock().unwrap().push(notice))
        .unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    assert_eq!(watch.freshness(), Freshness::Empty);
    consul.put(&format!("/v1/kv/{key}"), "1");
    wait_value(&watch, &key, Some("1"));
    consul.put(&format!("/v1/kv/{key}"), "2");
    wait_value(&watch, &key, Some("2"));
    assert_eq!(watch.freshness(), Freshness::Fresh);
    consul.delete(&format!("/v1/kv/{key}"));
    wait_value(&watch, &key, None);
    assert_eq!(watch.freshness(), Freshness::Empty);
    assert!(watch.state().index() > 0);
    watch.stop();
    let kinds: Vec<_> = told.lock().unwrap().iter().map(|notice| notice.kind).collect();
    use NoticeKind::{Changed, Initial};
    assert_eq!(kinds, [Initial, Changed, Changed, Changed]);
}

#[test]
fn a_prefix_that_is_filled_and_emptied() {
    let Some(consul) = consul() else { return };
    let (client, prefix) = (client_at(&consul.address()), unique("watch") + "/");
    let watch = client.watch(WatchSpec::prefix(&prefix)).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    for name in ["b", "a"] {
        consul.put(&format!("/v1/kv/{prefix}{name}"), name);
    }
    wait_for(&watch, "two pairs", |content| content.is_some_and(|content| content.len() == 2));
    let state = watch.state();
    let pairs = state.content().unwrap().pairs();
    assert_eq!(pairs[0].key, format!("{prefix}a"));
    consul.delete(&format!("/v1/kv/{prefix}?recurse"));
    wait_for(&watch, "none", |content| content.is_some_and(Content::is_empty));
    assert_eq!(watch.freshness(), Freshness::Empty);
}

#[test]
fn instances_come_fail_and_go() {
    let Some(consul) = consul() else { return };
    let (client, name) = (client_at(&consul.address()), unique("watched"));
    let watched = |policy| {
        let watch = client.watch(WatchSpec::service(&name).tag("v1").policy(policy)).unwrap();
        watch.wait_ready(PATIENCE).unwrap();
        watch
    };
    let passing = watched(Policy::Passing);
    let tolerant = watched(Policy::PassingOrWarning);
    let any = watched(Policy::Any);
    assert_eq!(any.freshness(), Freshness::Empty);
    for (id, tag) in [("1", "v1"), ("2", "v1"), ("3", "v2")] {
        let body = format!(
            r#"{{"ID":"{name}-{id}","Name":"{name}","Tags":["{tag}"],"Port":80,
                "Check":{{"CheckID":"{name}-{id}","TTL":"60s","Status":"passing"}}}}"#
        );
        consul.put("/v1/agent/service/register", body);
    }
    let (one, two) = (format!("{name}-1"), format!("{name}-2"));
    let both = vec![one.clone(), two.clone()];
    for watch in [&passing, &tolerant, &any] {
        wait_for(watch, "both instances", |content| names(content) == both);
    }
    consul.put(&format!("/v1/agent/check/warn/{one}"), "");
    wait_for(&passing, "the one that passes", |content| names(content) == [two.as_str()]);
    assert_eq!(names(tolerant.state().content()), both);
    consul.put(&format!("/v1/agent/check/fail/{one}"), "");
    wait_for(&tolerant, "the one that passes", |content| names(content) == [two.as_str()]);
    assert_eq!(names(any.state().content()), both);
    for id in [one, two] {
        consul.put(&format!("/v1/agent/service/deregister/{id}"), "");
    }
    for watch in [&passing, &tolerant, &any] {
        wait_for(watch, "no instance", |content| names(content).is_empty());
        assert_eq!(watch.freshness(), Freshness::Empty);
    }
    consul.put(&format!("/v1/agent/service/deregister/{name}-3"), "");
}

#[test]
fn everything_else_that_can_be_watched() {
    let Some(consul) = Consul::start() else { return };
    let client = client_at(&consul.address());
    let ready = |spec| {
        let watch = client.watch(spec).unwrap();
        watch.wait_ready(PATIENCE).unwrap();
        watch
    };
    let services = ready(WatchSpec::services());
    let nodes = ready(WatchSpec::nodes());
    let checks = ready(WatchSpec::service_checks("web"));
    let of_node = ready(WatchSpec::node_checks(consul.node()));
    let critical = ready(WatchSpec::state_checks(CheckState::Critical));
    let by_path = ready(WatchSpec::path("/v1/catalog/service/web?tag=v1"));
    let events = ready(WatchSpec::events(Some("deploy")));
    assert_eq!((events.freshness(), critical.freshness()), (Freshness::Empty, Freshness::Empty));
    let definition = r#"{"Name":"web","Tags":["v1"],
        "Check":{"CheckID":"web","TTL":"60s","Status":"critical"}}"#;
    consul.put("/v1/agent/service/register", definition);
    wait_for(
        &services,
        "web",
        |content| matches!(content, Some(Content::Services(names)) if names.get("web") == Some(&vec!["v1".to_string()])),
    );
    for watch in [&checks, &of_node, &critical] {
        wait_for(
            watch,
            "web's check",
            |content| matches!(content, Some(Content::Checks(checks)) if checks.iter().any(|c| c.id == "web")),
        );
    }
    wait_for(
        &by_path,
        "web by path",
        |content| matches!(content, Some(Content::Raw(answer)) if answer.body.windows(5).any(|w| w == b"\"web\"")),
    );
    let external = r#"{"Node":"printer","Address":"192.0.2.7"}"#;
    consul.put("/v1/catalog/register", external);
    wait_for(
        &nodes,
        "a node",
        |content| matches!(content, Some(Content::Nodes(nodes)) if nodes.len() == 2 && nodes[1].name == "printer"),
    );
    let fire = |name, payload: &[u8]| {
        client.events().fire(name, payload, EventFilters::default(), &Options::new()).unwrap().value
    };
    let id = fire("deploy", b"v\0").id;
    fire("other", b"");
    wait_for(&events, "the event", |content| {
        matches!(content, Some(Content::Events(events))
            if events.len() == 1 && events[0].id == id && events[0].payload == b"v\0")
    });
}

#[test]
fn checks_that_only_say_something_else_wake_nobody_who_does_not_care() {
    // By default an agent tells the servers of such a change only after minutes.
    let now = r#"check_update_interval = "0s""#;
    let Some(consul) = Consul::with_hcl(now) else { return };
    let (client, name) = (client_at(&consul.address()), unique("chatty"));
    let body = format!(r#"{{"Name":"{name}","Check":{{"CheckID":"{name}","TTL":"60s"}}}}"#);
    consul.put("/v1/agent/service/register", body);
    consul.put(&format!("/v1/agent/check/pass/{name}?note=0"), "");
    let deaf = client.watch(WatchSpec::service(&name).ignore_check_output(true)).unwrap();
    let attentive = client.watch(WatchSpec::service(&name)).unwrap();
    for watch in [&deaf, &attentive] {
        wait_for(watch, "one instance", |content| names(content).len() == 1);
    }
    let before = (deaf.version(), attentive.version());
    consul.put(&format!("/v1/agent/check/pass/{name}?note=1"), "");
    assert!(attentive.wait_newer(before.1, PATIENCE).unwrap().is_some());
    assert_eq!(deaf.version(), before.0);
    consul.put(&format!("/v1/agent/service/deregister/{name}"), "");
    wait_for(&deaf, "no instance", |content| names(content).is_empty());
    assert_eq!(deaf.version(), before.0 + 1);
}

#[test]
fn an_agent_that_starts_anew_without_data_is_followed() {
    let Some(consul) = Consul::start() else { return };
    let client = client_with(&consul.address(), &[("wait_ms", "2000")]);
    for n in 0..50 {
        consul.put(&format!("/v1/kv/fill/{n}"), "x");
    }
    consul.put("/v1/kv/a", "old");
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wait_value(&watch, "a", Some("old"));
    consul.restart();
    wait_value(&watch, "a", None);
    consul.put("/v1/kv/a", "new");
    wait_value(&watch, "a", Some("new"));
    assert_eq!(watch.freshness(), Freshness::Fresh);
}

#[test]
fn a_snapshot_that_is_restored_is_followed() {
    let Some(consul) = Consul::start() else { return };
    let client = client_with(&consul.address(), &[("wait_ms", "60000")]);
    consul.put("/v1/kv/a", "saved");
    let snapshot = consul.get("/v1/snapshot").body;
    consul.put("/v1/kv/a", "later");
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wait_value(&watch, "a", Some("later"));
    assert_eq!(consul.put("/v1/snapshot", snapshot).status, 200);
    // Long before the wait is over.
    wait_value(&watch, "a", Some("saved"));
}
