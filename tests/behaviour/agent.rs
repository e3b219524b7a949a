//! The agent: who it is, and the services that are registered on it.

use crate::clients::{client_at, client_of, client_with, until};
use crate::quick::PATIENCE;
use crate::support::fault::{Door, Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::agent::{CheckDefinition, MemberStatus, ServiceDefinition};
use consul_ffi::api::{AggregatedStatus, Check, CheckStatus};
use consul_ffi::{Client, Options, Status};
use serde_json::json;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

fn none() -> Options {
    Options::new()
}

fn ttl() -> CheckDefinition {
    CheckDefinition::new("").ttl(MINUTE)
}

fn register(client: &Client, definition: &ServiceDefinition) {
    client.agent().register_service(definition, &none()).unwrap();
}

/// The checks that the agent has for a service, by their ids.
fn checks_of(client: &Client, service_id: &str) -> Vec<Check> {
    let mut checks = client.agent().checks(&none()).unwrap();
    checks.retain(|check| check.service_id == service_id);
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    checks
}

#[test]
fn the_agent_tells_who_it_is() {
    let Some(consul) = consul() else { return };
    let info = client_of(consul).agent().info(&none()).unwrap();
    assert_eq!((info.node_name.as_str(), info.datacenter.as_str()), (consul.node(), "dc1"));
    assert!(info.server && info.version.starts_with("1.") && info.node_id.len() == 36);
    let all: serde_json::Value = serde_json::from_str(&info.json).unwrap();
    assert_eq!(all["Config"]["NodeName"], consul.node());
    assert_eq!(all["Member"]["Name"], consul.node());
}

#[test]
fn the_agent_is_a_member_of_its_own_pool() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let members = client.agent().members(false, &none()).unwrap();
    let [member] = &members[..] else { panic!("{members:?}") };
    assert_eq!((member.name.as_str(), member.address.as_str()), (consul.node(), "127.0.0.1"));
    assert!(member.port > 0 && member.is_server());
    assert_eq!((member.status, member.status.as_str()), (MemberStatus::Alive, "alive"));
    assert_eq!(member.tags["dc"], "dc1");
    // Its pool between the datacenters is turned off.
    assert!(client.agent().members(true, &none()).unwrap().is_empty());
}

#[test]
fn an_agent_that_joined_is_a_member_and_one_that_died_is_not_alive() {
    let (Some(one), Some(two)) = (Consul::start(), Consul::start()) else { return };
    let client = client_of(&one);
    let other = &client_of(&two).agent().members(false, &none()).unwrap()[0];
    let join = format!("/v1/agent/join/{}:{}", other.address, other.port);
    assert_eq!(one.put(&join, "").status, 200);
    let status = || {
        let members = client.agent().members(false, &none()).unwrap();
        members.into_iter().find(|member| member.name == two.node()).map(|member| member.status)
    };
    assert_eq!(status(), Some(MemberStatus::Alive));
    two.kill();
    // Members cannot be waited for.
    let end = Instant::now() + PATIENCE;
    while status() == Some(MemberStatus::Alive) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Failed at first, left when the servers have given it up.
    assert!(matches!(status(), Some(MemberStatus::Failed | MemberStatus::Left)));
}

#[test]
fn a_service_with_a_ttl_check_is_known_at_once_and_begins_critical() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo).port(8000).check(ttl()));
    let services = client.agent().services(&none()).unwrap();
    let service = services.iter().find(|service| service.id == foo).unwrap();
    assert_eq!((&service.name, service.port), (&foo, 8000));
    let checks = checks_of(&client, &foo);
    let [check] = &checks[..] else { panic!("{checks:?}") };
    assert_eq!(check.id, format!("service:{foo}"));
    assert_eq!((check.status.as_str(), check.kind.as_str()), ("critical", "ttl"));
    client.agent().deregister_service(&foo, &none()).unwrap();
    assert!(checks_of(&client, &foo).is_empty());
    assert!(client.agent().service(&foo, None, &none()).unwrap().is_none());
}

#[test]
fn registering_again_changes_the_service_and_keeps_the_state_of_its_check() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    let definition = ServiceDefinition::new(&foo).port(8000).check(ttl());
    register(&client, &definition);
    client.agent().check_pass(&format!("service:{foo}"), "well", &none()).unwrap();
    register(&client, &definition.clone().port(8001));
    let service = client.agent().service(&foo, None, &none()).unwrap().unwrap().service;
    assert_eq!(service.port, 8001);
    let check = &checks_of(&client, &foo)[0];
    assert_eq!((check.status.as_str(), check.output.as_str()), ("passing", "well"));
}

#[test]
fn checks_that_a_new_definition_does_not_have_go_only_when_asked() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo).port(8000).check(ttl()));
    let bare = ServiceDefinition::new(&foo).port(8001);
    register(&client, &bare);
    assert_eq!(checks_of(&client, &foo).len(), 1);
    register(&client, &bare.replace_existing_checks(true));
    assert_eq!(checks_of(&client, &foo).len(), 0);
    assert_eq!(client.agent().service(&foo, None, &none()).unwrap().unwrap().service.port, 8001);
}

#[test]
fn services_and_checks_are_filtered() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (foo, bar, tag) = (unique("foo"), unique("bar"), unique("tag"));
    register(&client, &ServiceDefinition::new(&foo).tag(&tag).tag("one").check(ttl()));
    register(&client, &ServiceDefinition::new(&bar).tag(&tag));
    let ids = |filter: String| {
        let found = client.agent().services(&none().filter(filter)).unwrap();
        let mut ids: Vec<_> = found.into_iter().map(|service| service.id).collect();
        ids.sort();
        ids
    };
    let mut both = [foo.clone(), bar.clone()];
    both.sort();
    assert_eq!(ids(format!("\"{tag}\" in Tags")), both);
    assert_eq!(ids(format!("\"{tag}\" in Tags and \"one\" in Tags")), [foo.as_str()]);
    let filter = none().filter(format!("ServiceName == \"{foo}\""));
    assert_eq!(client.agent().checks(&filter).unwrap().len(), 1);
}

#[test]
fn a_sidecar_is_registered_with_its_service_and_goes_with_it() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    let definition = ServiceDefinition::new(&foo).port(8000).connect(json!({"SidecarService": {}}));
    register(&client, &definition);
    let sidecar = format!("{foo}-sidecar-proxy");
    let found = client.agent().service(&sidecar, None, &none()).unwrap().unwrap().service;
    assert_eq!(found.kind, "connect-proxy");
    assert_eq!(found.proxy["DestinationServiceName"], foo.as_str());
    client.agent().deregister_service(&foo, &none()).unwrap();
    assert!(client.agent().service(&sidecar, None, &none()).unwrap().is_none());
}

#[test]
fn a_proxy_and_gateways_are_registered_with_their_kind() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let proxy = unique("proxy");
    let expose = json!({"Paths": [{"Path": "/metrics", "LocalPathPort": 8080,
        "ListenerPort": 21500, "Protocol": "http2"}]});
    let setup = json!({"DestinationServiceName": "db", "Expose": expose});
    register(&client, &ServiceDefinition::new(&proxy).kind("connect-proxy").port(9).proxy(setup));
    let found = client.agent().service(&proxy, None, &none()).unwrap().unwrap().service;
    assert_eq!(found.proxy["Expose"]["Paths"][0]["Path"], "/metrics");
    assert_eq!(found.proxy["Expose"]["Paths"][0]["ListenerPort"], 21500);
    for kind in ["mesh-gateway", "terminating-gateway", "ingress-gateway"] {
        let name = unique(kind);
        register(&client, &ServiceDefinition::new(&name).kind(kind).port(8443));
        let found = client.agent().service(&name, None, &none()).unwrap().unwrap().service;
        assert_eq!(found.kind, kind);
    }
}

#[test]
fn addresses_are_kept_as_they_were_registered() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    let definition = ServiceDefinition::new(&foo)
        .address("192.168.0.42")
        .port(8000)
        .tagged_address("lan", "192.168.0.43", 8000)
        .tagged_address("wan", "198.18.0.1", 80);
    register(&client, &definition);
    let found = client.agent().service(&foo, None, &none()).unwrap().unwrap().service;
    assert_eq!(found.address, "192.168.0.42");
    assert_eq!(found.tagged_addresses["lan"].address, "192.168.0.43");
    assert_eq!(found.tagged_addresses["wan"].port, 80);
}

#[test]
fn a_service_is_waited_for_by_its_hash() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo).port(8000));
    let first = client.agent().service(&foo, None, &none()).unwrap().unwrap();
    assert!(!first.content_hash.is_empty());
    let wire = consul.get(&format!("/v1/agent/service/{foo}"));
    assert_eq!(wire.header("x-consul-contenthash"), Some(first.content_hash.as_str()));

    let wait = |hash: String| {
        let (client, foo) = (client.clone(), foo.clone());
        std::thread::spawn(move || {
            client.agent().service(&foo, Some(&hash), &none().wait(MINUTE)).unwrap()
        })
    };
    let waiting = wait(first.content_hash.clone());
    register(&client, &ServiceDefinition::new(&foo).port(8001));
    let second = waiting.join().unwrap().unwrap();
    assert_eq!(second.service.port, 8001);
    assert_ne!(second.content_hash, first.content_hash);

    let waiting = wait(second.content_hash);
    client.agent().deregister_service(&foo, &none()).unwrap();
    assert_eq!(waiting.join().unwrap(), None);
}

#[test]
fn an_unchanged_service_is_answered_when_the_wait_is_over() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo));
    let first = client.agent().service(&foo, None, &none()).unwrap().unwrap();
    let (wait, started) = (Duration::from_millis(200), Instant::now());
    let options = none().wait(wait);
    let same = client.agent().service(&foo, Some(&first.content_hash), &options).unwrap();
    assert!(started.elapsed() >= wait);
    assert_eq!(same, Some(first));
}

#[test]
fn a_hash_and_its_wait_go_over_the_wire_and_add_to_the_time_out() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.pause(Duration::from_millis(300))?;
        connection.reply(&Reply::json(200, "{\"ID\": \"x\", \"ContentHash\": \"b\"}"))
    });
    let client = client_with(server.address(), &[("timeout_ms", "250")]);
    let options = none().wait(Duration::from_secs(10));
    let found = client.agent().service("x", Some("a"), &options).unwrap().unwrap();
    assert_eq!(found.content_hash, "b");
    let request = server.request();
    assert_eq!(request.target, "/v1/agent/service/x?hash=a&wait=10000ms");
}

#[test]
fn maintenance_of_a_service_makes_it_critical_until_it_ends() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo).check(ttl().status(CheckStatus::Passing)));
    client.agent().service_maintenance(&foo, true, "broken & \"odd\"", &none()).unwrap();
    let checks = checks_of(&client, &foo);
    let check = checks.iter().find(|check| check.is_maintenance()).unwrap();
    assert_eq!(check.id, format!("_service_maintenance:{foo}"));
    assert_eq!((check.status.as_str(), check.notes.as_str()), ("critical", "broken & \"odd\""));
    assert_eq!(AggregatedStatus::of(&checks), Some(AggregatedStatus::Maintenance));
    until(
        |options| client.health().service(&foo, false, &[], options),
        |entries| entries[0].status() == Some(AggregatedStatus::Maintenance),
    );
    // Doing it again is fine.
    client.agent().service_maintenance(&foo, true, "", &none()).unwrap();
    client.agent().service_maintenance(&foo, false, "", &none()).unwrap();
    client.agent().service_maintenance(&foo, false, "", &none()).unwrap();
    assert_eq!(checks_of(&client, &foo).len(), 1);
}

#[test]
fn maintenance_of_a_service_that_is_not_there_is_not_found() {
    let Some(consul) = consul() else { return };
    let name = unique("none");
    let error =
        client_of(consul).agent().service_maintenance(&name, true, "", &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::NotFound, 404));
    assert!(error.message().contains(&name), "{error}");
}

#[test]
fn maintenance_of_the_node_takes_every_service_out_until_it_ends() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    register(&client, &ServiceDefinition::new("web"));
    let passing = |options: &Options| client.health().service("web", true, &[], options);
    until(passing, |entries| entries.len() == 1);
    client.agent().maintenance(true, "a new disk", &none()).unwrap();
    until(passing, |entries| entries.is_empty());
    let checks = client.agent().checks(&none()).unwrap();
    let [check] = &checks[..] else { panic!("{checks:?}") };
    assert_eq!((check.id.as_str(), check.notes.as_str()), ("_node_maintenance", "a new disk"));
    assert_eq!(check.status, "critical");
    let health = client.agent().service_health("web", &none()).unwrap().unwrap();
    assert_eq!(health.status, Some(AggregatedStatus::Maintenance));
    client.agent().maintenance(false, "", &none()).unwrap();
    until(passing, |entries| entries.len() == 1);
    assert!(client.agent().checks(&none()).unwrap().is_empty());
}

#[test]
fn the_health_of_a_service_follows_its_checks() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    assert_eq!(client.agent().service_health(&foo, &none()).unwrap(), None);
    assert!(client.agent().services_health(&foo, &none()).unwrap().is_empty());
    register(&client, &ServiceDefinition::new(&foo).port(8000).check(ttl()));
    let check = format!("service:{foo}");
    for status in [CheckStatus::Passing, CheckStatus::Warning, CheckStatus::Critical] {
        client.agent().check_update(&check, status, "said", &none()).unwrap();
        let by_id = client.agent().service_health(&foo, &none()).unwrap().unwrap();
        assert_eq!(by_id.status.map(AggregatedStatus::as_str), Some(status.as_str()));
        assert_eq!((by_id.service.id.as_str(), by_id.service.port), (foo.as_str(), 8000));
        let own = by_id.checks.iter().find(|own| own.id == check).unwrap();
        assert_eq!(own.output, "said");
        let by_name = client.agent().services_health(&foo, &none()).unwrap();
        assert_eq!(by_name, [by_id]);
    }
}

#[test]
fn the_health_of_a_name_is_the_worst_of_its_instances() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    for status in [CheckStatus::Passing, CheckStatus::Critical, CheckStatus::Warning] {
        let definition = ServiceDefinition::new(&foo).id(format!("{foo}-{status}"));
        register(&client, &definition.check(ttl().status(status)));
    }
    let all = client.agent().services_health(&foo, &none()).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().map(|one| one.status).max().flatten(), Some(AggregatedStatus::Critical));
}

#[test]
fn a_check_that_speaks_of_a_rate_limit_is_health_and_no_limit() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let foo = unique("foo");
    register(&client, &ServiceDefinition::new(&foo).check(ttl()));
    let check = format!("service:{foo}");
    client.agent().check_fail(&check, "rate limit exceeded", &none()).unwrap();
    let health = client.agent().service_health(&foo, &none()).unwrap().unwrap();
    assert_eq!(health.status, Some(AggregatedStatus::Critical));
}

#[test]
fn a_limit_on_requests_is_no_health() {
    let server = Server::answering(|_| {
        Reply::text(429, "Your IP is issuing too many concurrent connections")
    });
    let error = client_at(server.address()).agent().service_health("x", &none()).unwrap_err();
    assert_eq!((error.status(), error.is_retryable()), (Status::RateLimited, true));
}

#[test]
fn deregistering_what_is_not_there_is_fine_with_older_and_newer_consul() {
    let name = unique("none");
    if let Some(consul) = consul() {
        client_of(consul).agent().deregister_service(&name, &none()).unwrap();
        client_of(consul).agent().deregister_check(&name, &none()).unwrap();
    }
    let newer = Server::answering(|_| Reply::text(404, "Unknown service ID \"x\""));
    let client = client_at(newer.address());
    client.agent().deregister_service("x", &none()).unwrap();
    client.agent().deregister_check("x", &none()).unwrap();
}

#[test]
fn deregistering_what_is_not_there_is_fine_with_acls_too() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let client = client_with(&consul.address(), &[("token", consul.token())]);
    client.agent().deregister_service("none", &none()).unwrap();
    client.agent().deregister_check("none", &none()).unwrap();
    let words = Server::answering(|request| match request.path().contains("/service/") {
        true => Reply::text(500, "Unknown service {\"none\" {}}"),
        false => Reply::text(500, "Unknown check {\"none\" {}}"),
    });
    let client = client_at(words.address());
    client.agent().deregister_service("none", &none()).unwrap();
    client.agent().deregister_check("none", &none()).unwrap();
    assert_eq!(words.requests().len(), 2);
}

#[test]
fn what_cannot_be_registered_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::text(200, ""));
    let client = client_at(server.address());
    let agent = client.agent();
    let web = || ServiceDefinition::new("web");
    for definition in [
        ServiceDefinition::new(""),
        web().address("0.0.0.0"),
        web().address("::"),
        web().meta("bad key", "x"),
        web().weights(0, 0),
        web().check(CheckDefinition::new("none")),
        web().check(CheckDefinition::new("").http("http://x")),
    ] {
        let error = agent.register_service(&definition, &none()).unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{error}");
    }
    let errors = [
        agent.register_check(&ttl(), &none()).unwrap_err(),
        agent.deregister_service("", &none()).unwrap_err(),
        agent.deregister_check("", &none()).unwrap_err(),
        agent.check_pass("", "", &none()).unwrap_err(),
        agent.service_maintenance("", true, "", &none()).unwrap_err(),
        agent.service("", None, &none()).unwrap_err(),
        agent.service_health("", &none()).unwrap_err(),
        agent.services_health("", &none()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().ends_with("is empty"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_at_the_limits_is_taken_by_consul_too() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let name = unique("full");
    let full = (0..63).fold(ServiceDefinition::new(&name), |full, number| {
        full.meta(format!("k{number}"), "v".repeat(512))
    });
    register(&client, &full.meta("K_-9".repeat(32), "").weights(65535, 0).port(65535));
    let found = client.agent().service(&name, None, &none()).unwrap().unwrap().service;
    assert_eq!((found.meta.len(), found.weights.passing), (64, 65535));
}

#[test]
fn a_registration_is_sent_again_when_an_idle_connection_was_closed() {
    // Each connection takes one request and is closed after it, without having said so.
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reply(&Reply::text(200, ""))?;
        connection.close()
    });
    let client = client_at(server.address());
    for number in 0..3 {
        register(&client, &ServiceDefinition::new(format!("web-{number}")));
        server.wait_for_open_connections(0);
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn without_the_right_a_registration_is_denied() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let client = client_of(&consul);
    let definition = ServiceDefinition::new("web").check(ttl());
    let error = client.agent().register_service(&definition, &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
    let token = none().token(consul.token());
    client.agent().register_service(&definition, &token).unwrap();
    let error = client.agent().check_pass("service:web", "", &none()).unwrap_err();
    assert_eq!(error.status(), Status::Denied);
    client.agent().check_pass("service:web", "", &token).unwrap();
    assert_eq!(client.agent().services(&token).unwrap().len(), 1);
}
