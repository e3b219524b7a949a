//! Where services run, and how they are.

use crate::clients::{client_at, client_of, until};
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::agent::{CheckDefinition, ServiceDefinition};
use consul_ffi::api::catalog::Registration;
use consul_ffi::api::health::State;
use consul_ffi::api::{AggregatedStatus, Check, CheckStatus, Service};
use consul_ffi::{Client, Options, Status};
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn none() -> Options {
    Options::new()
}

/// A service with a TTL check that is in this state.
fn with_ttl(name: &str, status: CheckStatus) -> ServiceDefinition {
    ServiceDefinition::new(name).check(CheckDefinition::new("").ttl(MINUTE).status(status))
}

/// Registers it and waits until the catalog knows it and its check.
fn register(client: &Client, service: &str, definition: &ServiceDefinition) {
    client.agent().register_service(definition, &none()).unwrap();
    until(
        |options| client.health().service(service, false, &[], options),
        |entries| entries.iter().any(|entry| entry.checks.iter().any(|c| !c.service_id.is_empty())),
    );
}

#[test]
fn the_node_of_the_agent_has_its_gossip_check() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let checks = until(
        |options| client.health().node(consul.node(), options),
        |checks| checks.iter().any(|check| check.id == "serfHealth"),
    );
    assert!(checks.meta.index > 0 && checks.meta.known_leader);
    let gossip = checks.value.iter().find(|check| check.id == "serfHealth").unwrap();
    assert_eq!((gossip.status.as_str(), gossip.node.as_str()), ("passing", consul.node()));
    assert!(gossip.service_id.is_empty() && !gossip.output.is_empty());
    assert!(client.health().node(&unique("none"), &none()).unwrap().value.is_empty());
}

#[test]
fn checks_of_a_node_are_filtered_by_their_service() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (redis, web) = (unique("redis"), unique("web"));
    for service in [&redis, &web] {
        register(&client, service, &with_ttl(service, CheckStatus::Passing));
    }
    let filtered = |expression: String| {
        client.health().node(consul.node(), &none().filter(expression)).unwrap().value
    };
    let of_redis = filtered(format!("ServiceName == \"{redis}\""));
    assert_eq!(of_redis.len(), 1);
    assert_eq!(of_redis[0].service_name, redis);
    let of_the_node = filtered("ServiceID == \"\"".to_string());
    assert!(!of_the_node.is_empty());
    assert!(of_the_node.iter().all(|check| check.service_id.is_empty()));
}

#[test]
fn a_filter_that_is_none_is_an_error_that_says_so() {
    let Some(consul) = consul() else { return };
    let options = none().filter("ServiceName ==");
    let error = client_of(consul).health().node(consul.node(), &options).unwrap_err();
    assert_eq!(error.status(), Status::Http);
    assert!(error.message().contains("boolean expression"), "{error}");
}

#[test]
fn a_ttl_check_of_a_service_has_its_id_and_tags_and_begins_critical() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    let definition = ServiceDefinition::new(&foo)
        .tag("bar")
        .tag("baz")
        .check(CheckDefinition::new("").ttl(MINUTE));
    register(&client, &foo, &definition);
    let checks = client.health().checks(&foo, &none()).unwrap();
    assert!(checks.meta.index > 0);
    let [check] = &checks.value[..] else { panic!("{checks:?}") };
    assert_eq!(check.id, format!("service:{foo}"));
    assert_eq!((check.status.as_str(), check.kind.as_str()), ("critical", "ttl"));
    assert_eq!((&check.service_name, &check.service_id), (&foo, &foo));
    assert_eq!(check.service_tags, ["bar", "baz"]);
}

/// A node from outside with a service and a check on it.
fn outside(client: &Client, node: &str, service: &str, meta: (&str, &str)) {
    let of_node = Service { name: service.into(), port: 1, ..Service::default() };
    let of_node = Service { meta: [("tier".into(), meta.1.into())].into(), ..of_node };
    let check = Check {
        name: unique("check"),
        status: "passing".into(),
        service_id: service.into(),
        ..Check::default()
    };
    let registration = Registration::new(node, "10.9.8.7")
        .node_meta(meta.0, meta.1)
        .node_meta("fast", "yes")
        .service(of_node)
        .check(check);
    client.catalog().register(&registration, &none()).unwrap();
}

#[test]
fn checks_and_instances_are_chosen_by_the_metadata_of_their_node() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (service, one, two) = (unique("service"), unique("node"), unique("node"));
    outside(&client, &one, &service, ("rack", "r1"));
    outside(&client, &two, &service, ("rack", "r2"));

    let checks = |options: &Options| client.health().checks(&service, options).unwrap().value;
    assert_eq!(checks(&none()).len(), 2);
    let of_rack = checks(&none().node_meta("rack", "r1"));
    assert_eq!(of_rack.iter().map(|check| &check.node).collect::<Vec<_>>(), [&one]);
    assert!(checks(&none().node_meta("rack", "r3")).is_empty());

    let instances = |options: Options| {
        let entries = client.health().service(&service, false, &[], &options).unwrap().value;
        entries.into_iter().map(|entry| entry.node.name).collect::<Vec<_>>()
    };
    assert_eq!(instances(none().node_meta("rack", "r2")), [two.as_str()]);
    assert_eq!(instances(none().node_meta("rack", "r1").node_meta("fast", "yes")), [one.as_str()]);
    assert!(instances(none().node_meta("rack", "r1").node_meta("fast", "no")).is_empty());
    assert_eq!(instances(none().filter("Node.Meta.rack == r1")), [one.as_str()]);
    assert_eq!(instances(none().filter("Service.Meta.tier == r2")), [two.as_str()]);
    let both = none().filter("Node.Meta.rack == r1 and Service.Meta.tier == r2");
    assert!(instances(both).is_empty());
}

#[test]
fn checks_are_filtered_by_node_and_tag() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &foo, &with_ttl(&foo, CheckStatus::Passing).tag("bar"));
    let count = |expression: String| {
        client.health().checks(&foo, &none().filter(expression)).unwrap().value.len()
    };
    let node = consul.node();
    assert_eq!(count(format!("Node == \"{node}\" and \"bar\" in ServiceTags")), 1);
    assert_eq!(count(format!("Node == \"{node}\" and \"baz\" in ServiceTags")), 0);
    assert_eq!(count("Node == \"other\"".to_string()), 0);
}

#[test]
fn consuls_own_service_tells_its_node_and_datacenter() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let entries = until(
        |options| client.health().service("consul", true, &[], options),
        |entries| !entries.is_empty(),
    );
    let [entry] = &entries.value[..] else { panic!("{entries:?}") };
    assert_eq!((entry.node.name.as_str(), entry.node.datacenter.as_str()), (consul.node(), "dc1"));
    assert_eq!(entry.node.tagged_addresses["wan"], "127.0.0.1");
    assert!(!entry.node.id.is_empty() && entry.node.create_index > 0);
    // It gives no address of its own.
    assert_eq!((entry.service.address.as_str(), entry.address()), ("", "127.0.0.1"));
    assert_eq!(entry.status(), Some(AggregatedStatus::Passing));
}

#[test]
fn an_instance_is_found_by_all_the_tags_it_is_asked_for() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    for (id, tags) in [("one", &["a"][..]), ("both", &["a", "b"])] {
        let definition = ServiceDefinition::new(&web).id(format!("{web}-{id}"));
        let definition = tags.iter().fold(definition, |definition, tag| definition.tag(*tag));
        client.agent().register_service(&definition, &none()).unwrap();
    }
    let find = |tags: &[&str], options: &Options| {
        let mut found = client.health().service(&web, false, tags, options)?;
        found.value.sort_by(|a, b| a.service.id.cmp(&b.service.id));
        Ok(found.map(|entries| entries.into_iter().map(|e| e.service.id).collect::<Vec<_>>()))
    };
    let (one, both) = (format!("{web}-one"), format!("{web}-both"));
    until(|options| find(&[], options), |ids| ids.len() == 2);
    assert_eq!(find(&["a"], &none()).unwrap().value, [both.clone(), one]);
    assert_eq!(find(&["b"], &none()).unwrap().value, [both.as_str()]);
    assert_eq!(find(&["a", "b"], &none()).unwrap().value, [both]);
    assert!(find(&["a", "c"], &none()).unwrap().value.is_empty());
}

#[test]
fn an_instance_tells_all_that_it_was_registered_with() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    let definition = ServiceDefinition::new(&web)
        .id(format!("{web}-1"))
        .tag("ünï code/tag")
        .address("10.0.0.1")
        .port(65535)
        .meta("version", "1 + 1 = 2")
        .tagged_address("wan", "1.2.3.4", 8080)
        .weights(7, 3);
    client.agent().register_service(&definition, &none()).unwrap();
    let entries = until(
        |options| client.health().service(&web, false, &["ünï code/tag"], options),
        |entries| entries.len() == 1,
    );
    let entry = &entries.value[0];
    let service = &entry.service;
    assert_eq!((&service.name, &service.id), (&web, &format!("{web}-1")));
    assert_eq!((entry.address(), service.port), ("10.0.0.1", 65535));
    assert_eq!(service.meta["version"], "1 + 1 = 2");
    assert_eq!(
        (service.tagged_addresses["wan"].address.as_str(), service.tagged_addresses["wan"].port),
        ("1.2.3.4", 8080)
    );
    assert_eq!((service.weights.passing, service.weights.warning), (7, 3));
    assert!(service.create_index > 0 && service.modify_index >= service.create_index);
}

#[test]
fn a_name_that_needs_encoding_is_found_again() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let name = format!("{} a/b%2F?c#d", unique("odd"));
    client.agent().register_service(&ServiceDefinition::new(&name), &none()).unwrap();
    let found = until(
        |options| client.health().service(&name, false, &[], options),
        |entries| !entries.is_empty(),
    );
    assert_eq!(found.value[0].service.name, name);
    client.agent().deregister_service(&name, &none()).unwrap();
    until(|options| client.health().service(&name, false, &[], options), |e| e.is_empty());
}

#[test]
fn the_mesh_is_entered_by_the_proxy_of_a_service() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    let proxy = ServiceDefinition::new(format!("{web}-proxy"))
        .kind("connect-proxy")
        .port(8000)
        .proxy(json!({"DestinationServiceName": web}));
    client.agent().register_service(&proxy, &none()).unwrap();
    let entries = until(
        |options| client.health().connect(&web, true, &[], options),
        |entries| !entries.is_empty(),
    );
    let [entry] = &entries.value[..] else { panic!("{entries:?}") };
    assert_eq!((entry.service.port, entry.service.kind.as_str()), (8000, "connect-proxy"));
    assert_eq!(entry.service.proxy["DestinationServiceName"], web.as_str());
    let filtered = |filter: &str| {
        client.health().connect(&web, false, &[], &none().filter(filter)).unwrap().value.len()
    };
    assert_eq!(filtered("Service.Port == 8000"), 1);
    assert_eq!(filtered("Service.Port == 8001"), 0);
}

#[test]
fn a_service_is_let_in_by_its_ingress_gateway() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (web, gateway) = (unique("web"), unique("gateway"));
    let entry = json!({"Kind": "ingress-gateway", "Name": gateway, "Listeners": [
        {"Port": 8080, "Protocol": "tcp", "Services": [{"Name": web}]}]});
    assert_eq!(consul.put("/v1/config", entry.to_string()).text(), "true");
    let definition = ServiceDefinition::new(&gateway).kind("ingress-gateway").port(8443);
    client.agent().register_service(&definition, &none()).unwrap();
    let entries = until(
        |options| client.health().ingress(&web, false, &[], options),
        |entries| !entries.is_empty(),
    );
    assert_eq!(entries.value[0].service.name, gateway);
}

#[test]
fn checks_are_listed_by_their_state() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let name = unique("state");
    for (id, status) in [
        ("p", CheckStatus::Passing),
        ("w", CheckStatus::Warning),
        ("c1", CheckStatus::Critical),
        ("c2", CheckStatus::Critical),
    ] {
        let definition = with_ttl(&name, status).id(format!("{name}-{id}"));
        client.agent().register_service(&definition, &none()).unwrap();
    }
    until(|options| client.health().checks(&name, options), |checks| checks.len() == 4);
    let count = |state| {
        let filter = none().filter(format!("ServiceName == \"{name}\""));
        client.health().state(state, &filter).unwrap().value.len()
    };
    assert_eq!(
        [State::Any, State::Passing, State::Warning, State::Critical].map(count),
        [4, 1, 1, 2]
    );
    assert!(client.health().state(State::Any, &none()).unwrap().value.len() >= 4);
}

#[test]
fn a_service_that_nobody_registered_has_no_instances_and_no_checks() {
    let Some(consul) = consul() else { return };
    let (client, name) = (client_of(consul), unique("none"));
    let entries = client.health().service(&name, true, &[], &none()).unwrap();
    assert!(entries.value.is_empty() && entries.meta.index > 0);
    assert!(client.health().checks(&name, &none()).unwrap().value.is_empty());
    assert!(client.health().connect(&name, false, &[], &none()).unwrap().value.is_empty());
    assert!(client.health().ingress(&name, false, &[], &none()).unwrap().value.is_empty());
}

#[test]
fn passing_leaves_out_what_is_not_and_a_change_of_status_wakes_who_waits() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    register(&client, &web, &with_ttl(&web, CheckStatus::Critical));
    let passing = |options: &Options| client.health().service(&web, true, &[], options);
    let before = passing(&none()).unwrap();
    assert!(before.value.is_empty());

    let waiting = {
        let (client, web) = (client.clone(), web.clone());
        let options = none().index(before.meta.index).wait(MINUTE);
        std::thread::spawn(move || client.health().service(&web, true, &[], &options).unwrap())
    };
    let check = format!("service:{web}");
    client.agent().check_pass(&check, "", &none()).unwrap();
    let after = waiting.join().unwrap();
    assert!(after.meta.index > before.meta.index);
    assert_eq!(after.value.len(), 1);
    assert_eq!(after.value[0].status(), Some(AggregatedStatus::Passing));

    client.agent().check_warn(&check, "", &none()).unwrap();
    until(passing, |entries| entries.is_empty());
    let all = client.health().service(&web, false, &[], &none()).unwrap().value;
    assert_eq!(all[0].status(), Some(AggregatedStatus::Warning));
}

#[test]
fn a_blocking_query_without_news_ends_with_its_wait_and_the_same_index() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    register(&client, &web, &with_ttl(&web, CheckStatus::Passing));
    let first = client.health().service(&web, false, &[], &none()).unwrap();
    let options = none().index(first.meta.index).wait(Duration::from_millis(50));
    let second = client.health().service(&web, false, &[], &options).unwrap();
    assert_eq!((second.meta.index, second.value), (first.meta.index, first.value));
}

#[test]
fn a_cached_answer_says_that_it_is_and_how_old() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let cached = none().cached(true);
    let first = client.health().service("consul", false, &[], &cached).unwrap();
    assert!(!first.meta.cache_hit);
    let second = client.health().service("consul", false, &[], &cached).unwrap();
    assert!(second.meta.cache_hit && second.meta.cache_age_s < 60);
    assert!(!client.health().service("consul", false, &[], &none()).unwrap().meta.cache_hit);
}

#[test]
fn near_the_agent_every_instance_is_listed() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let service = unique("service");
    for number in 0..10 {
        outside(&client, &unique("node"), &service, ("number", &number.to_string()));
    }
    let near = none().near("_agent");
    let entries = client.health().service(&service, true, &[], &near).unwrap().value;
    assert_eq!(entries.len(), 10);
}

#[test]
fn what_must_be_named_is_refused_when_empty_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::json(200, "[]"));
    let client = client_at(server.address());
    let errors = [
        client.health().service("", true, &[], &none()).unwrap_err(),
        client.health().checks("", &none()).unwrap_err(),
        client.health().node("", &none()).unwrap_err(),
        client.health().connect("", true, &[], &none()).unwrap_err(),
        client.health().ingress("", true, &[], &none()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains("name is empty"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn parameters_go_over_the_wire_by_consuls_names() {
    let server = Server::answering(|_| Reply::json(200, "[]").index(3));
    let client = client_at(server.address());
    let options = none()
        .near("_agent")
        .filter("Service.Port == 80")
        .node_meta("a", "b:c")
        .datacenter("dc2")
        .index(7)
        .wait(Duration::from_secs(5));
    client.health().service("a b", true, &["x&y", "z"], &options).unwrap();
    let request = server.request();
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.target,
        "/v1/health/service/a%20b?tag=x%26y&tag=z&passing&dc=dc2&index=7&wait=5000ms&near=_agent\
         &filter=Service.Port%20%3D%3D%2080&node-meta=a%3Ab%3Ac"
    );
}

#[test]
fn nothing_at_all_is_an_empty_list() {
    let server = Server::answering(|_| Reply::json(200, "null"));
    let client = client_at(server.address());
    assert!(client.health().service("x", true, &[], &none()).unwrap().value.is_empty());
    assert!(client.health().state(State::Any, &none()).unwrap().value.is_empty());
}

#[test]
fn garbage_is_an_error_that_says_so() {
    let server = Server::answering(|_| Reply::json(200, "[{\"Node\": 5}]"));
    let error = client_at(server.address()).health().service("x", true, &[], &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Decode, 200));
    assert!(!error.is_outcome_unknown());
}

#[test]
fn without_a_token_lists_are_empty_and_with_an_unknown_one_they_are_refused() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let as_nobody = client_of(&consul);
    assert!(as_nobody.health().service("consul", false, &[], &none()).unwrap().value.is_empty());
    let unknown = none().token("00000000-0000-0000-0000-00000000dead");
    let error = as_nobody.health().service("consul", false, &[], &unknown).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
    assert!(error.message().contains("ACL not found"), "{error}");
    let token = none().token(consul.token());
    until(
        |options| {
            let mut options = options.clone();
            options.set("token", consul.token()).unwrap();
            as_nobody.health().service("consul", false, &[], &options)
        },
        |entries| entries.len() == 1,
    );
    assert_eq!(as_nobody.catalog().nodes(&token).unwrap().value.len(), 1);
}
