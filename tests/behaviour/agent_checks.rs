//! The checks that an agent runs or keeps.

use crate::clients::{client_at, client_of, until};
use crate::support::fault::{Door, Reply, Server};
use crate::support::{Consul, unique};
use consul_ffi::api::agent::{CheckDefinition, ServiceDefinition};
use consul_ffi::api::{Check, CheckStatus};
use consul_ffi::{Client, Options, Status};
use serde_json::json;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn none() -> Options {
    Options::new()
}

fn register(client: &Client, check: &CheckDefinition) {
    client.agent().register_check(check, &none()).unwrap();
}

/// An agent for these tests: a critical check of its node takes every service out.
fn consul() -> Option<&'static Consul> {
    static OWN: OnceLock<Option<Consul>> = OnceLock::new();
    OWN.get_or_init(|| Consul::with_hcl("enable_script_checks = true")).as_ref()
}

/// A check as its agent has it now.
fn check(client: &Client, id: &str) -> Option<Check> {
    client.agent().checks(&none()).unwrap().into_iter().find(|check| check.id == id)
}

/// Waits until a check of the agent's node has this status in the catalog.
fn until_status(consul: &Consul, id: &str, status: CheckStatus) -> Check {
    let client = client_of(consul);
    let has_it = |check: &Check| check.id == id && check.status == status.as_str();
    let checks = until(
        |options| client.health().node(consul.node(), options),
        |checks| checks.iter().any(has_it),
    );
    checks.value.into_iter().find(has_it).unwrap()
}

#[test]
fn a_ttl_check_is_what_was_last_reported() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let id = unique("ttl");
    register(&client, &CheckDefinition::new(&id).ttl(MINUTE));
    let agent = client.agent();
    let now = || {
        let check = check(&client, &id).unwrap();
        (check.status, check.output)
    };
    let is = |status: &str, output: &str| (status.to_string(), output.to_string());
    assert_eq!(now(), is("critical", ""));
    agent.check_warn(&id, "test", &none()).unwrap();
    assert_eq!(now(), is("warning", "test"));
    agent.check_pass(&id, "all well: ünï & co", &none()).unwrap();
    assert_eq!(now(), is("passing", "all well: ünï & co"));
    agent.check_fail(&id, "", &none()).unwrap();
    assert_eq!(now(), is("critical", ""));
    for word in ["passing", "warning", "critical"] {
        agent.check_update(&id, word.parse().unwrap(), word, &none()).unwrap();
        assert_eq!(now(), is(word, word));
    }
    for (word, status) in [("pass", "passing"), ("warn", "warning"), ("fail", "critical")] {
        agent.check_update(&id, word.parse().unwrap(), "", &none()).unwrap();
        assert_eq!(now().0, status);
    }
}

#[test]
fn of_a_long_output_the_agent_keeps_the_beginning() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let id = unique("ttl");
    register(&client, &CheckDefinition::new(&id).ttl(MINUTE));
    client.agent().check_pass(&id, &"x".repeat(100_000), &none()).unwrap();
    let output = check(&client, &id).unwrap().output;
    assert!(output.starts_with(&"x".repeat(4096)) && output.len() < 5000, "{}", output.len());
}

#[test]
fn a_report_on_a_check_that_is_not_there_is_not_found() {
    let id = unique("none");
    let newer = Server::answering(|_| Reply::text(404, "Unknown check ID \"x\""));
    let mut clients = vec![client_at(newer.address())];
    clients.extend(consul().map(client_of));
    for client in clients {
        let agent = client.agent();
        let errors = [
            agent.check_pass(&id, "", &none()).unwrap_err(),
            agent.check_warn(&id, "", &none()).unwrap_err(),
            agent.check_fail(&id, "", &none()).unwrap_err(),
            agent.check_update(&id, CheckStatus::Passing, "", &none()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.status(), Status::NotFound, "{error}");
            assert!(!error.is_retryable() && !error.is_outcome_unknown());
        }
    }
}

#[test]
fn a_ttl_check_that_nobody_reports_on_turns_critical() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let id = unique("ttl");
    let definition = CheckDefinition::new(&id).ttl(Duration::from_millis(100));
    register(&client, &definition.status(CheckStatus::Passing));
    let expired = until_status(consul, &id, CheckStatus::Critical);
    assert!(expired.output.contains("TTL expired"), "{expired:?}");
}

#[test]
fn a_check_begins_as_it_was_told_to() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    for status in [CheckStatus::Passing, CheckStatus::Warning, CheckStatus::Critical] {
        let id = unique("status");
        register(&client, &CheckDefinition::new(&id).ttl(MINUTE).status(status).notes("why"));
        let found = check(&client, &id).unwrap();
        assert_eq!((found.status.as_str(), found.notes.as_str()), (status.as_str(), "why"));
        client.agent().deregister_check(&id, &none()).unwrap();
        assert_eq!(check(&client, &id), None);
    }
}

#[test]
fn a_check_has_the_id_and_the_name_that_it_was_given() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (id, name) = (unique("id"), unique("name"));
    register(&client, &CheckDefinition::new(&name).id(&id).ttl(MINUTE));
    assert_eq!(check(&client, &id).unwrap().name, name);
    // Registered again it is changed, not doubled.
    register(&client, &CheckDefinition::new("other").id(&id).ttl(MINUTE));
    assert_eq!(check(&client, &id).unwrap().name, "other");
    client.agent().check_pass(&id, "", &none()).unwrap();
}

#[test]
fn every_field_of_every_kind_is_known_to_consul() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let runs = |check: CheckDefinition| {
        check
            .interval(10 * SECOND)
            .timeout(SECOND)
            .success_before_passing(1)
            .failures_before_critical(2)
    };
    let named = || CheckDefinition::new(unique("kind"));
    for check in [
        named().ttl(MINUTE),
        runs(named().http("https://127.0.0.1:1/"))
            .http_method("POST")
            .http_header("X-Probe", "yes")
            .http_body("ping")
            .tls_skip_verify(true),
        runs(named().tcp("127.0.0.1:1")),
        runs(named().grpc("127.0.0.1:1/service")).grpc_use_tls(true).tls_skip_verify(true),
        runs(named().script(["/bin/true"])),
        runs(named().script(["/bin/true"]).docker("container", "/bin/sh")),
        named().alias_service("some-service").alias_node(consul.node()),
    ] {
        let check = check.notes("a note").status(CheckStatus::Passing);
        let check = check.deregister_critical_service_after(90 * MINUTE);
        // By itself, and within a service.
        let id = unique("alone");
        register(&client, &check.clone().id(&id));
        client.agent().deregister_check(&id, &none()).unwrap();
        let (service, id) = (unique("service"), unique("within"));
        let definition = ServiceDefinition::new(&service).check(check.id(&id));
        client.agent().register_service(&definition, &none()).unwrap();
        assert_eq!(self::check(&client, &id).unwrap().service_id, service);
        client.agent().deregister_service(&service, &none()).unwrap();
    }
}

#[test]
fn a_field_that_this_consul_does_not_know_is_an_error_that_names_it() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    if !client.agent().info(&none()).unwrap().version.starts_with("1.8.") {
        return;
    }
    let check = CheckDefinition::new("c").http("https://127.0.0.1:1/").interval(SECOND);
    let check = check.tls_server_name("x");
    let error = client.agent().register_check(&check, &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 400));
    assert!(error.message().contains("TLSServerName"), "{error}");
}

#[test]
fn checks_of_a_service_are_named_and_numbered() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (foo, own) = (unique("foo"), unique("own"));
    let ttl = || CheckDefinition::new("").ttl(MINUTE);
    let definition = ServiceDefinition::new(&foo)
        .check(ttl())
        .check(ttl().id(&own))
        .check(CheckDefinition::new("named").ttl(MINUTE).status(CheckStatus::Passing));
    client.agent().register_service(&definition, &none()).unwrap();
    assert_eq!(check(&client, &format!("service:{foo}:1")).unwrap().service_id, foo);
    assert_eq!(check(&client, &own).unwrap().service_id, foo);
    let third = check(&client, &format!("service:{foo}:3")).unwrap();
    assert_eq!((third.name.as_str(), third.status.as_str()), ("named", "passing"));
}

#[test]
fn a_check_is_bound_to_its_service_and_goes_with_it() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let (foo, id) = (unique("foo"), unique("bound"));
    client.agent().register_service(&ServiceDefinition::new(&foo).tag("t"), &none()).unwrap();
    register(&client, &CheckDefinition::new(&id).service_id(&foo).ttl(15 * SECOND));
    let found = check(&client, &id).unwrap();
    assert_eq!((&found.service_id, &found.service_name), (&foo, &foo));
    assert_eq!(found.service_tags, ["t"]);
    client.agent().deregister_service(&foo, &none()).unwrap();
    assert_eq!(check(&client, &id), None);
}

#[test]
fn a_check_of_a_service_that_is_not_there_is_refused() {
    let Some(consul) = consul() else { return };
    let definition = CheckDefinition::new("c").service_id(unique("none")).ttl(MINUTE);
    let error = client_of(consul).agent().register_check(&definition, &none()).unwrap_err();
    assert!(error.message().contains("does not exist"), "{error}");
    assert!(!error.is_outcome_unknown());
}

#[test]
fn an_http_check_asks_as_it_was_told_to() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let server = Server::answering(|_| Reply::text(200, "fine").closing());
    let id = unique("http");
    let definition = CheckDefinition::new(&id)
        .http(format!("{}/health?x=1", server.address()))
        .http_method("PUT")
        .http_header("X-Probe", "yes")
        .http_body("ping")
        .interval(SECOND)
        .timeout(Duration::from_millis(900));
    register(&client, &definition);
    let passing = until_status(consul, &id, CheckStatus::Passing);
    assert!(passing.output.contains("fine") && passing.kind == "http", "{passing:?}");
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/health?x=1"));
    assert_eq!((request.header("x-probe"), request.text()), (Some("yes"), "ping"));
    client.agent().deregister_check(&id, &none()).unwrap();
}

#[test]
fn an_http_check_warns_on_429_and_is_critical_on_other_failures() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    for (code, status) in [(429, CheckStatus::Warning), (500, CheckStatus::Critical)] {
        let server = Server::answering(move |_| Reply::text(code, "no").closing());
        let id = unique("http");
        let definition = CheckDefinition::new(&id).http(server.address()).interval(SECOND);
        register(&client, &definition.status(CheckStatus::Passing));
        until_status(consul, &id, status);
        client.agent().deregister_check(&id, &none()).unwrap();
    }
}

#[test]
fn a_tcp_check_connects() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (open, closed) = (unique("tcp"), unique("tcp"));
    let refused = Server::refused_address();
    for (id, address) in [
        (&open, listener.local_addr().unwrap().to_string()),
        (&closed, refused.trim_start_matches("http://").to_string()),
    ] {
        let definition = CheckDefinition::new(id).tcp(address).interval(SECOND);
        register(&client, &definition.status(CheckStatus::Warning));
    }
    assert_eq!(until_status(consul, &open, CheckStatus::Passing).kind, "tcp");
    until_status(consul, &closed, CheckStatus::Critical);
    for id in [&open, &closed] {
        client.agent().deregister_check(id, &none()).unwrap();
    }
}

#[test]
fn a_grpc_check_that_finds_nobody_is_critical() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let id = unique("grpc");
    let refused = Server::refused_address();
    let address = format!("{}/service", refused.trim_start_matches("http://"));
    let definition = CheckDefinition::new(&id).grpc(address).interval(SECOND).timeout(SECOND);
    register(&client, &definition.status(CheckStatus::Passing));
    let critical = until_status(consul, &id, CheckStatus::Critical);
    assert_eq!(critical.kind, "grpc");
    client.agent().deregister_check(&id, &none()).unwrap();
}

#[test]
fn a_script_check_runs_where_scripts_are_allowed() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    use CheckStatus::{Critical, Passing, Warning};
    for (id, script, before, status) in [
        ("zero", "echo fine; exit 0", Critical, Passing),
        ("one", "exit 1", Passing, Warning),
        ("two", "exit 2", Passing, Critical),
    ] {
        let definition = CheckDefinition::new(id).script(["/bin/sh", "-c", script]);
        register(&client, &definition.interval(SECOND).status(before));
        let found = until_status(consul, id, status);
        assert_eq!(found.kind, "script");
        assert_eq!(found.output.contains("fine"), id == "zero");
    }
}

#[test]
fn a_script_check_is_refused_where_scripts_are_not_allowed() {
    let Some(consul) = crate::support::consul() else { return };
    let client = client_of(consul);
    let definition = CheckDefinition::new(unique("script")).script(["true"]).interval(SECOND);
    let error = client.agent().register_check(&definition, &none()).unwrap_err();
    assert!(error.message().contains("Scripts are disabled"), "{error}");
    assert!(!error.is_retryable() && !error.is_outcome_unknown());
}

#[test]
fn a_docker_check_is_known_by_its_kind() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let definition = CheckDefinition::new("docker")
        .script(["/bin/true"])
        .docker("f972c95ebf0e", "/bin/bash")
        .interval(10 * SECOND);
    register(&client, &definition);
    let found = check(&client, "docker").unwrap();
    assert_eq!((found.kind.as_str(), found.status.as_str()), ("docker", "critical"));
}

#[test]
fn an_alias_check_is_as_healthy_as_what_it_stands_for() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let (db, web) = (unique("db"), unique("web"));
    let ttl = CheckDefinition::new("").ttl(MINUTE).status(CheckStatus::Passing);
    client.agent().register_service(&ServiceDefinition::new(&db).check(ttl), &none()).unwrap();
    let alias = CheckDefinition::new("alias").alias_service(&db);
    client.agent().register_service(&ServiceDefinition::new(&web).check(alias), &none()).unwrap();
    let id = format!("service:{web}");
    assert_eq!(until_status(&consul, &id, CheckStatus::Passing).kind, "alias");
    client.agent().check_fail(&format!("service:{db}"), "", &none()).unwrap();
    until_status(&consul, &id, CheckStatus::Critical);
}

#[test]
fn an_alias_check_of_the_node_follows_the_node() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let alias = CheckDefinition::new("alias").alias_node(consul.node());
    client.agent().register_service(&ServiceDefinition::new("web").check(alias), &none()).unwrap();
    until_status(&consul, "service:web", CheckStatus::Passing);
    let failing = CheckDefinition::new("disk").ttl(MINUTE);
    register(&client, &failing);
    until_status(&consul, "service:web", CheckStatus::Critical);
}

#[test]
fn a_check_turns_at_its_first_result_and_then_only_after_so_many_alike() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    // Fine, broken, and broken once more when the test has seen what that has come to.
    let asked = AtomicUsize::new(0);
    let server = Server::start(Door::Tcp, move |connection| {
        connection.read_request()?;
        let number = asked.fetch_add(1, Relaxed);
        if number == 2 {
            connection.wait_for_release()?;
        }
        let reply = if number == 0 { Reply::text(200, "fine") } else { Reply::text(500, "broken") };
        connection.reply(&reply.closing())
    });
    let id = unique("http");
    let definition = CheckDefinition::new(&id).http(server.address()).interval(SECOND);
    let definition = definition.timeout(MINUTE).failures_before_critical(2);
    register(&client, &definition.success_before_passing(2));
    until_status(consul, &id, CheckStatus::Passing);
    // Who asks a third time has taken in the second answer.
    server.wait_for_requests(3);
    assert_eq!(check(&client, &id).unwrap().status, "passing");
    server.release();
    until_status(consul, &id, CheckStatus::Critical);
    client.agent().deregister_check(&id, &none()).unwrap();
}

#[test]
fn every_field_goes_over_the_wire_by_consuls_name() {
    let server = Server::answering(|_| Reply::text(200, ""));
    let client = client_at(server.address());
    let check = CheckDefinition::new("c")
        .id("i")
        .grpc("127.0.0.1:1/s")
        .grpc_use_tls(true)
        .interval(SECOND)
        .deregister_critical_service_after(90 * MINUTE);
    client.agent().register_check(&check, &none()).unwrap();
    let request = server.request();
    assert_eq!((request.method.as_str(), request.path()), ("PUT", "/v1/agent/check/register"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.json(),
        json!({"ID": "i", "Name": "c", "GRPC": "127.0.0.1:1/s", "GRPCUseTLS": true,
            "Interval": "1s", "DeregisterCriticalServiceAfter": "5400s"})
    );
}
