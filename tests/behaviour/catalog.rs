//! What the servers know of nodes and services.

use crate::clients::{client_at, client_of, client_with, until};
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::api::catalog::Registration;
use consul_ffi::api::{Check, Service, Weights};
use consul_ffi::{Client, Options, Status};
use serde_json::{Value, json};

fn none() -> Options {
    Options::new()
}

fn service(name: &str) -> Service {
    Service { name: name.into(), ..Service::default() }
}

fn check(name: &str, service_id: &str) -> Check {
    let (name, service_id) = (name.into(), service_id.into());
    Check { name, status: "passing".into(), service_id, ..Check::default() }
}

fn register(client: &Client, registration: Registration) {
    client.catalog().register(&registration, &none()).unwrap();
}

#[test]
fn there_is_a_datacenter() {
    let Some(consul) = consul() else { return };
    let datacenters = client_of(consul).catalog().datacenters(&none()).unwrap();
    assert_eq!(datacenters.value, ["dc1"]);
}

#[test]
fn the_nodes_have_the_agents_with_its_addresses() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let nodes = until(
        |options| client.catalog().nodes(options),
        |nodes| nodes.iter().any(|node| node.name == consul.node()),
    );
    assert!(nodes.meta.index > 0);
    let node = nodes.value.iter().find(|node| node.name == consul.node()).unwrap();
    for name in ["lan", "wan"] {
        assert_eq!(node.tagged_addresses[name], "127.0.0.1");
    }
    assert_eq!((node.address.as_str(), node.datacenter.as_str()), ("127.0.0.1", "dc1"));
}

#[test]
fn nodes_are_chosen_by_metadata_and_by_a_filter() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (node, rack) = (unique("node"), unique("rack"));
    register(&client, Registration::new(&node, "10.1.2.3").node_meta("rack", &rack));
    let names = |options: Options| {
        let nodes = client.catalog().nodes(&options).unwrap().value;
        nodes.into_iter().map(|node| node.name).collect::<Vec<_>>()
    };
    assert_eq!(names(none().node_meta("rack", &rack)), [node.as_str()]);
    assert!(names(none().node_meta("rack", unique("none"))).is_empty());
    assert_eq!(names(none().filter(format!("Meta.rack == \"{rack}\""))), [node.as_str()]);
    assert_eq!(names(none().filter(format!("Node == \"{node}\""))), [node]);
}

#[test]
fn the_services_have_consuls_own_and_the_tags_of_all_instances() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (web, rack) = (unique("web"), unique("rack"));
    for tags in [&["a"][..], &["a", "b"]] {
        let tags = tags.iter().map(ToString::to_string).collect();
        let registration = Registration::new(unique("node"), "10.1.2.3")
            .node_meta("rack", &rack)
            .service(Service { tags, ..service(&web) });
        register(&client, registration);
    }
    let services = until(
        |options| client.catalog().services(options),
        |services| services.contains_key("consul") && services.contains_key(&web),
    );
    assert!(services.value["consul"].is_empty());
    let mut tags = services.value[&web].clone();
    tags.sort();
    assert_eq!(tags, ["a", "b"]);

    let of_rack = client.catalog().services(&none().node_meta("rack", &rack)).unwrap().value;
    assert_eq!(of_rack.keys().collect::<Vec<_>>(), [&web]);
    let nowhere = none().node_meta("rack", unique("none"));
    assert!(client.catalog().services(&nowhere).unwrap().value.is_empty());
}

#[test]
fn consuls_own_service_has_an_instance_on_the_agents_node() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let found = until(
        |options| client.catalog().service("consul", &[], options),
        |instances| !instances.is_empty(),
    );
    let [instance] = &found.value[..] else { panic!("{found:?}") };
    assert_eq!((instance.node.name.as_str(), instance.address()), (consul.node(), "127.0.0.1"));
    assert_eq!(
        (instance.service.id.as_str(), instance.service.name.as_str()),
        ("consul", "consul")
    );
    assert!(instance.service.port > 0 && instance.service.create_index > 0);
    assert!(client.catalog().service(&unique("none"), &[], &none()).unwrap().value.is_empty());
}

#[test]
fn a_cached_answer_says_that_it_is() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let cached = none().cached(true);
    let of_one = |options: &Options| client.catalog().service("consul", &[], options).unwrap().meta;
    let of_all = |options: &Options| client.catalog().services(options).unwrap().meta;
    assert!(!of_one(&cached).cache_hit && of_one(&cached).cache_hit);
    assert!(!of_all(&cached).cache_hit && of_all(&cached).cache_hit);
    let datacenters = || client.catalog().datacenters(&cached).unwrap().meta.cache_hit;
    assert!(!datacenters() && datacenters());
    assert!(!of_one(&none()).cache_hit);
}

#[test]
fn an_instance_is_found_by_all_the_tags_it_is_asked_for_and_by_a_filter() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (web, one, both) = (unique("web"), unique("node"), unique("node"));
    for (node, tags) in [(&one, &["a"][..]), (&both, &["a", "b"])] {
        let tags = tags.iter().map(ToString::to_string).collect();
        let on_node = Service { tags, ..service(&web) };
        register(&client, Registration::new(node, "10.1.2.3").service(on_node));
    }
    let nodes = |tags: &[&str], options: &Options| {
        let found = client.catalog().service(&web, tags, options).unwrap().value;
        let mut names: Vec<_> = found.into_iter().map(|found| found.node.name).collect();
        names.sort();
        names
    };
    let mut all = [one.clone(), both.clone()];
    all.sort();
    assert_eq!(nodes(&[], &none()), all);
    assert_eq!(nodes(&["a"], &none()), all);
    assert_eq!(nodes(&["a", "b"], &none()), [both.as_str()]);
    assert!(nodes(&["c"], &none()).is_empty());
    let filter = none().filter("\"b\" not in ServiceTags");
    assert_eq!(nodes(&[], &filter), [one.as_str()]);
    assert_eq!(nodes(&["b"], &none().filter(format!("Node == \"{one}\""))), [""; 0]);
}

#[test]
fn the_setup_of_a_proxy_comes_back_as_it_was_registered() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (web, proxy) = (unique("web"), unique("proxy"));
    let setup = json!({"DestinationServiceName": web, "DestinationServiceID": format!("{web}-1"),
        "LocalServiceAddress": "127.0.0.1", "LocalServicePort": 4242,
        "Config": {"foo": "bar", "big": 1_u64 << 53}});
    let definition = ServiceDefinition::new(&proxy).kind("connect-proxy").port(9).proxy(setup);
    client.agent().register_service(&definition, &none()).unwrap();
    let found = until(
        |options| client.catalog().service(&proxy, &[], options),
        |instances| !instances.is_empty(),
    );
    let found = &found.value[0].service;
    assert_eq!(found.kind, "connect-proxy");
    assert_eq!(found.proxy["DestinationServiceName"], web.as_str());
    assert_eq!(found.proxy["LocalServicePort"], 4242);
    assert_eq!(found.proxy["Config"]["foo"], "bar");

    let through = client.catalog().connect(&web, &[], &none()).unwrap().value;
    assert_eq!(through.len(), 1);
    assert_eq!((&through[0].service.name, through[0].service.port), (&proxy, 9));
}

#[test]
fn a_service_that_speaks_the_mesh_itself_is_entered_at_its_own_port() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    let native = Service { port: 8000, connect: json!({"Native": true}), ..service(&web) };
    register(&client, Registration::new(unique("node"), "10.1.2.3").service(native));
    let found = client.catalog().connect(&web, &[], &none()).unwrap().value;
    assert_eq!((&found[0].service.name, found[0].service.port), (&web, 8000));
    assert_eq!(found[0].service.connect["Native"], true);
}

#[test]
fn a_node_is_listed_with_its_services_and_one_that_does_not_exist_is_none() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let node = unique("node");
    register(&client, Registration::new(&node, "10.1.2.3").service(service("a")));
    register(&client, Registration::on(&node).service(service("b")));
    for found in [
        client.catalog().node(&node, &none()).unwrap(),
        client.catalog().node_services(&node, &none()).unwrap(),
    ] {
        assert!(found.meta.index > 0);
        let found = found.value.unwrap();
        assert_eq!((&found.node.name, found.node.address.as_str()), (&node, "10.1.2.3"));
        let mut ids: Vec<_> = found.services.iter().map(|service| service.id.as_str()).collect();
        ids.sort();
        assert_eq!(ids, ["a", "b"]);
    }
    let filter = none().filter("Service == b");
    let filtered = client.catalog().node(&node, &filter).unwrap().value.unwrap();
    assert_eq!(filtered.services.len(), 1);
    assert_eq!(client.catalog().node(&unique("none"), &none()).unwrap().value, None);
    assert_eq!(client.catalog().node_services(&unique("none"), &none()).unwrap().value, None);
}

#[test]
fn the_agents_node_has_consuls_own_service_by_its_id() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    until(
        |options| client.catalog().node(consul.node(), options),
        |node| node.as_ref().is_some_and(|node| node.services.iter().any(|s| s.id == "consul")),
    );
}

#[test]
fn what_is_registered_is_seen_and_what_is_deregistered_is_gone() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (node, web) = (unique("node"), unique("web"));
    let registration = Registration::new(&node, "192.168.10.10")
        .id(uuid())
        .tagged_address("wan", "1.2.3.4")
        .node_meta("somekey", "somevalue")
        .service(Service {
            id: format!("{web}-1"),
            tags: vec!["master".into()],
            meta: [("v".to_string(), "1".to_string())].into(),
            port: 8000,
            ..service(&web)
        })
        .check(Check {
            id: format!("service:{web}-1"),
            notes: "a note".into(),
            output: "an output".into(),
            ..check("of the service", &format!("{web}-1"))
        })
        .check(check("of the node", ""));
    register(&client, registration.clone());
    // Doing it again changes nothing.
    let before = client.catalog().node(&node, &none()).unwrap();
    register(&client, registration);
    let found = client.catalog().node(&node, &none()).unwrap();
    assert_eq!(found.value, before.value);

    let found = found.value.unwrap();
    assert_eq!(found.node.meta["somekey"], "somevalue");
    assert_eq!(found.node.tagged_addresses["wan"], "1.2.3.4");
    let [on_node] = &found.services[..] else { panic!("{found:?}") };
    assert_eq!((&on_node.id, on_node.port), (&format!("{web}-1"), 8000));
    assert_eq!(
        (on_node.tags.as_slice(), on_node.meta["v"].as_str()),
        (&["master".into()][..], "1")
    );
    let mut checks = client.health().node(&node, &none()).unwrap().value;
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    let [of_node, of_service] = &checks[..] else { panic!("{checks:?}") };
    assert_eq!((of_node.id.as_str(), of_node.service_id.as_str()), ("of the node", ""));
    assert_eq!((of_service.notes.as_str(), of_service.output.as_str()), ("a note", "an output"));
    assert_eq!(&of_service.service_name, &web);
    assert_eq!(of_service.service_tags, ["master"]);

    let catalog = client.catalog();
    catalog.deregister_service(&node, &format!("{web}-1"), &none()).unwrap();
    let found = catalog.node(&node, &none()).unwrap().value.unwrap();
    assert!(found.services.is_empty());
    let left = client.health().node(&node, &none()).unwrap().value;
    assert_eq!(left.iter().map(|check| check.name.as_str()).collect::<Vec<_>>(), ["of the node"]);

    catalog.deregister_check(&node, "of the node", &none()).unwrap();
    assert!(client.health().node(&node, &none()).unwrap().value.is_empty());

    catalog.deregister_node(&node, &none()).unwrap();
    assert_eq!(catalog.node(&node, &none()).unwrap().value, None);
    // What does not exist any more may be deregistered again.
    catalog.deregister_service(&node, "x", &none()).unwrap();
    catalog.deregister_check(&node, "x", &none()).unwrap();
    catalog.deregister_node(&node, &none()).unwrap();
}

/// Two halves of a name that no other test uses, in the shape that Consul wants of a node's id.
fn uuid() -> String {
    let name = unique("");
    let digits: String = name.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{:0>8}-0000-4000-8000-{digits:0>12}", &digits[..8.min(digits.len())])
}

#[test]
fn tags_may_be_overridden_only_where_the_service_lets_others() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (node, web) = (unique("node"), unique("web"));
    for enable_tag_override in [false, true] {
        let on_node = Service { enable_tag_override, ..service(&web) };
        register(&client, Registration::new(&node, "10.1.2.3").service(on_node));
        let found = client.catalog().service(&web, &[], &none()).unwrap().value;
        assert_eq!(found[0].service.enable_tag_override, enable_tag_override);
        let found = client.catalog().node(&node, &none()).unwrap().value.unwrap();
        assert_eq!(found.services[0].enable_tag_override, enable_tag_override);
    }
}

#[test]
fn weights_and_several_addresses_are_kept() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    let address = consul_ffi::api::ServiceAddress { address: "1.2.3.4".into(), port: 8080 };
    let on_node = Service {
        address: "10.0.0.9".into(),
        tagged_addresses: [("wan".to_string(), address.clone())].into(),
        weights: Weights { passing: 5, warning: 2 },
        ..service(&web)
    };
    register(&client, Registration::new(unique("node"), "10.1.2.3").service(on_node));
    let found = client.catalog().service(&web, &[], &none()).unwrap().value;
    assert_eq!((found[0].address(), found[0].node.address.as_str()), ("10.0.0.9", "10.1.2.3"));
    assert_eq!(found[0].service.tagged_addresses["wan"], address);
    assert_eq!(found[0].service.weights, Weights { passing: 5, warning: 2 });
}

#[test]
fn a_port_that_none_can_be_reads_as_none_and_spoils_nothing() {
    let Some(consul) = consul() else { return };
    let web = unique("web");
    for (node, port) in [(unique("node"), 70000), (unique("node"), -1), (unique("node"), 80)] {
        let body = json!({"Node": node, "Address": "10.1.2.3",
            "Service": {"Service": web, "Port": port}});
        assert_eq!(consul.put("/v1/catalog/register", body.to_string()).text(), "true");
    }
    let found = client_of(consul).catalog().service(&web, &[], &none()).unwrap().value;
    let mut ports: Vec<_> = found.iter().map(|found| found.service.port).collect();
    ports.sort();
    assert_eq!(ports, [0, 0, 80]);
}

#[test]
fn a_check_without_a_word_for_its_status_comes_to_none() {
    let Some(consul) = consul() else { return };
    let (node, web) = (unique("node"), unique("web"));
    let body = json!({"Node": node, "Address": "10.1.2.3", "Service": {"Service": web},
        "Checks": [{"Name": "odd", "Status": "sleepy", "ServiceID": web}]});
    assert_eq!(consul.put("/v1/catalog/register", body.to_string()).text(), "true");
    let entries = client_of(consul).health().service(&web, false, &[], &none()).unwrap().value;
    assert_eq!((entries[0].checks[0].status.as_str(), entries[0].status()), ("sleepy", None));
}

#[test]
fn what_cannot_be_registered_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::json(200, "true"));
    let client = client_at(server.address());
    let catalog = client.catalog();
    let errors = [
        catalog.register(&Registration::new("n", ""), &none()).unwrap_err(),
        catalog.register(&Registration::new("", "10.0.0.1"), &none()).unwrap_err(),
        catalog.deregister_node("", &none()).unwrap_err(),
        catalog.deregister_service("n", "", &none()).unwrap_err(),
        catalog.deregister_check("n", "", &none()).unwrap_err(),
        catalog.node("", &none()).unwrap_err(),
        catalog.node_services("", &none()).unwrap_err(),
        catalog.service("", &[], &none()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().ends_with("is empty"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_check_of_a_service_that_is_not_there_is_an_error() {
    let Some(consul) = consul() else { return };
    let registration = Registration::new(unique("node"), "10.1.2.3").check(check("c", "nowhere"));
    let error = client_of(consul).catalog().register(&registration, &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 500));
    assert!(error.message().contains("Missing service registration"), "{error}");
}

#[test]
fn a_datacenter_that_is_unknown_is_an_error_and_nothing_is_applied() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let nowhere = none().datacenter("nowhere");
    let registration = Registration::new(unique("node"), "10.1.2.3");
    let changes = [
        client.catalog().register(&registration, &nowhere).unwrap_err(),
        client.catalog().deregister_node("x", &nowhere).unwrap_err(),
    ];
    for error in changes {
        assert!(error.message().contains("No path to datacenter"), "{error}");
        assert!(!error.is_outcome_unknown() && !error.is_retryable());
    }
    assert!(client.catalog().nodes(&nowhere).is_err());
}

#[test]
fn a_change_carries_its_datacenter_in_its_body() {
    let server = Server::answering(|_| Reply::json(200, "true\n"));
    let client = client_with(server.address(), &[("datacenter", "dc-client")]);
    let body = |number: usize| -> Value { server.wait_for_requests(number)[number - 1].json() };
    let registration = Registration::new("n", "10.0.0.1");
    client.catalog().register(&registration, &none()).unwrap();
    assert_eq!(body(1)["Datacenter"], "dc-client");
    client.catalog().register(&registration, &none().datacenter("dc-call")).unwrap();
    assert_eq!(body(2)["Datacenter"], "dc-call");
    let own = registration.datacenter("dc-own");
    client.catalog().register(&own, &none().datacenter("dc-call")).unwrap();
    assert_eq!(body(3)["Datacenter"], "dc-own");
    client.catalog().deregister_service("n", "s", &none()).unwrap();
    let expected = json!({"Datacenter": "dc-client", "Node": "n", "ServiceID": "s"});
    assert_eq!(body(4), expected);
    client.catalog().deregister_check("n", "c", &none().datacenter("dc-call")).unwrap();
    assert_eq!(body(5), json!({"Datacenter": "dc-call", "Node": "n", "CheckID": "c"}));
    client.catalog().deregister_node("n", &none()).unwrap();
    assert_eq!(body(6), json!({"Datacenter": "dc-client", "Node": "n"}));
}

#[test]
fn nulls_are_nothing() {
    let server = Server::answering(|request| match request.path() {
        "/v1/catalog/services" => Reply::json(200, "{\"a\": null, \"b\": [\"x\"]}"),
        "/v1/catalog/node-services/n" => Reply::json(200, "{\"Node\": null, \"Services\": null}"),
        "/v1/catalog/node/m" => {
            Reply::json(200, "{\"Node\": {\"Node\": \"m\"}, \"Services\": null}")
        }
        _ => Reply::json(200, "null"),
    });
    let client = client_at(server.address());
    let catalog = client.catalog();
    let services = catalog.services(&none()).unwrap().value;
    assert_eq!((services["a"].len(), services["b"].len()), (0, 1));
    assert_eq!(catalog.node("n", &none()).unwrap().value, None);
    assert_eq!(catalog.node_services("n", &none()).unwrap().value, None);
    assert!(catalog.node("m", &none()).unwrap().value.unwrap().services.is_empty());
    assert!(catalog.nodes(&none()).unwrap().value.is_empty());
    assert!(catalog.datacenters(&none()).unwrap().value.is_empty());
    assert!(catalog.service("x", &[], &none()).unwrap().value.is_empty());
}

#[test]
fn a_new_instance_wakes_who_waits_for_the_service() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let web = unique("web");
    let absent = client.catalog().service(&web, &[], &none()).unwrap();
    assert!(absent.value.is_empty() && absent.meta.index > 0);
    register(&client, Registration::new(unique("node"), "10.1.2.3").service(service(&web)));
    let found = until(
        |options| client.catalog().service(&web, &[], options),
        |instances| instances.len() == 1,
    );
    assert!(found.meta.index > absent.meta.index);
}
