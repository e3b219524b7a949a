//! Sessions on a real Consul.

use crate::clients::{client_at, client_with, shared_client};
use crate::quick::PATIENCE;
use crate::support::fault::{Door, Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::session::{Behavior, ServiceCheck, Session, SessionSpec};
use consul_ffi::{Client, Options, Status};
use std::time::{Duration, Instant};

const UNKNOWN: &str = "11111111-2222-3333-4444-555555555555";

fn none() -> Options {
    Options::new()
}

fn create(client: &Client, spec: SessionSpec) -> String {
    client.session().create(&spec, &none()).unwrap().value
}

fn info(client: &Client, id: &str) -> Option<Session> {
    client.session().info(id, &none()).unwrap().value
}

fn destroy(client: &Client, id: &str) {
    assert!(client.session().destroy(id, &none()).unwrap().value);
}

fn acquire(client: &Client, key: &str, id: &str) -> bool {
    client.kv().acquire(key, b"", 0, id, &none()).unwrap().value
}

/// A session that only its end ends.
fn unchecked() -> SessionSpec {
    let nothing: [&str; 0] = [];
    SessionSpec::new().node_checks(nothing)
}

#[test]
fn a_session_has_consuls_defaults_and_ends_when_it_is_destroyed() {
    let Some(client) = shared_client() else { return };
    let id = create(&client, SessionSpec::new());
    let answer = client.session().info(&id, &none()).unwrap();
    assert!(answer.meta.index > 0 && answer.meta.known_leader);
    let session = answer.value.unwrap();
    assert_eq!((&session.id, session.node.as_str()), (&id, consul().unwrap().node()));
    assert_eq!((session.name.as_str(), session.ttl), ("", Duration::ZERO));
    assert_eq!(session.node_checks, ["serfHealth"]);
    assert!(session.service_checks.is_empty());
    assert_eq!(session.lock_delay, Duration::from_secs(15));
    assert_eq!(session.behavior, Behavior::Release);
    assert!(session.create_index > 0 && session.modify_index >= session.create_index);

    destroy(&client, &id);
    assert_eq!(info(&client, &id), None);
    destroy(&client, &id);
}

#[test]
fn every_field_arrives_at_consul() {
    let Some(client) = shared_client() else { return };
    let spec = unchecked()
        .name("every field")
        .ttl(Duration::from_millis(10_500))
        .lock_delay(Duration::from_millis(1_500))
        .behavior(Behavior::Delete);
    let id = create(&client, spec);
    let session = info(&client, &id).unwrap();
    assert_eq!((session.name.as_str(), session.behavior), ("every field", Behavior::Delete));
    assert_eq!(session.ttl, Duration::from_millis(10_500));
    assert_eq!(session.lock_delay, Duration::from_millis(1_500));
    destroy(&client, &id);
}

#[test]
fn a_session_is_renewed_while_it_lives_and_told_from_one_that_is_gone() {
    let Some(client) = shared_client() else { return };
    let id = create(&client, unchecked().ttl(Duration::from_secs(10)));
    let renewed = client.session().renew(&id, &none()).unwrap().value;
    assert_eq!((renewed.id.as_str(), renewed.ttl), (&*id, Duration::from_secs(10)));
    destroy(&client, &id);
    let gone = client.session().renew(&id, &none()).unwrap_err();
    assert_eq!((gone.status(), gone.http_status()), (Status::SessionInvalid, 404));
    assert!(!gone.is_retryable() && !gone.is_outcome_unknown());
    assert!(gone.message().contains(&id), "{gone}");
}

#[test]
fn a_session_without_checks_has_none() {
    let Some(client) = shared_client() else { return };
    let id = create(&client, unchecked());
    assert!(info(&client, &id).unwrap().node_checks.is_empty());
    destroy(&client, &id);
}

#[test]
fn sessions_are_listed_by_node_and_altogether() {
    let Some(client) = shared_client() else { return };
    let node = unique("node");
    let registration = format!(r#"{{"Node":"{node}","Address":"10.0.0.1"}}"#);
    assert_eq!(consul().unwrap().put("/v1/catalog/register", registration).status, 200);
    let id = create(&client, unchecked().node(&node).name("of a node"));
    let own = client.session().node(&node, &none()).unwrap();
    assert!(own.meta.index > 0);
    assert_eq!(own.value.iter().map(|session| &session.id).collect::<Vec<_>>(), [&id]);
    let all = client.session().list(&none()).unwrap().value;
    assert!(all.iter().any(|session| session.id == id && session.node == node));
    destroy(&client, &id);
}

#[test]
fn what_does_not_exist_is_none_or_empty() {
    let Some(client) = shared_client() else { return };
    let answer = client.session().info(UNKNOWN, &none()).unwrap();
    assert!(answer.value.is_none() && answer.meta.index > 0);
    assert!(client.session().node(&unique("node"), &none()).unwrap().value.is_empty());
    destroy(&client, UNKNOWN);
}

#[test]
fn a_malformed_or_empty_id_is_an_error() {
    let Some(client) = shared_client() else { return };
    let session = client.session();
    for error in [
        session.info("no-uuid", &none()).unwrap_err(),
        session.renew("no-uuid", &none()).unwrap_err(),
        session.destroy("no-uuid", &none()).unwrap_err(),
        client.kv().acquire(&unique("key"), b"", 0, "no-uuid", &none()).unwrap_err(),
    ] {
        let is = (error.status(), error.http_status());
        assert_eq!(is, (Status::SessionInvalid, 500), "{error}");
        assert!(!error.is_retryable());
    }
    for error in [
        session.info("", &none()).unwrap_err(),
        session.renew("", &none()).unwrap_err(),
        session.destroy("", &none()).unwrap_err(),
        session.node("", &none()).unwrap_err(),
    ] {
        assert_eq!(error.status(), Status::Argument, "{error}");
    }
}

#[test]
fn checks_that_do_not_exist_cannot_be_depended_on() {
    let Some(client) = shared_client() else { return };
    let service_check = ServiceCheck { id: "absent".into(), namespace: String::new() };
    for spec in [
        SessionSpec::new().node_checks(["serfHealth", "absent"]),
        SessionSpec::new().service_check(service_check),
    ] {
        let error = client.session().create(&spec, &none()).unwrap_err();
        assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Http, false), "{error}");
        assert!(error.message().contains("absent"), "{error}");
    }
}

#[test]
fn a_check_of_ones_own_takes_the_place_of_the_nodes_health() {
    let Some(client) = shared_client() else { return };
    let node = unique("node");
    let registration = format!(
        r#"{{"Node":"{node}","Address":"10.0.0.1",
            "Check":{{"CheckID":"mine","Name":"mine","Status":"passing"}}}}"#
    );
    assert_eq!(consul().unwrap().put("/v1/catalog/register", registration).status, 200);
    let id = create(&client, SessionSpec::new().node(&node).node_checks(["mine"]));
    let session = info(&client, &id).unwrap();
    assert_eq!((session.node, session.node_checks), (node, vec!["mine".to_string()]));
    destroy(&client, &id);
}

#[test]
fn the_check_of_a_service_is_depended_on_beside_the_nodes_health() {
    let Some(client) = shared_client() else { return };
    let consul = consul().unwrap();
    let service = unique("service");
    let registration = format!(
        r#"{{"Name":"{service}","Check":{{"CheckID":"{service}-ttl","TTL":"60s","Status":"passing"}}}}"#
    );
    assert_eq!(consul.put("/v1/agent/service/register", registration).status, 200);
    let check = ServiceCheck { id: format!("{service}-ttl"), namespace: String::new() };
    let id = created_when_synced(&client, &SessionSpec::new().service_check(check.clone()));
    let session = info(&client, &id).unwrap();
    assert_eq!(session.node_checks, ["serfHealth"]);
    assert_eq!(session.service_checks, [check]);

    // It is critical now, so the session ends.
    consul.put(&format!("/v1/agent/check/fail/{service}-ttl"), "");
    let mut index = 1;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let answer = client.session().info(&id, &none().index(index)).unwrap();
        if answer.value.is_none() {
            consul.put(&format!("/v1/agent/service/deregister/{service}"), "");
            return;
        }
        index = answer.meta.index;
    }
    panic!("the session outlived its check");
}

/// The agent tells the servers of a new check a moment after it took it.
fn created_when_synced(client: &Client, spec: &SessionSpec) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        match client.session().create(spec, &none()) {
            Ok(answer) => return answer.value,
            Err(error) if Instant::now() > end => panic!("{error}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[test]
fn a_ttl_out_of_range_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::json(200, r#"{"ID":"x"}"#));
    let client = client_at(server.address());
    let create = |client: &Client, ms| {
        let spec = SessionSpec::new().ttl(Duration::from_millis(ms));
        client.session().create(&spec, &none())
    };
    for ms in [1, 9_999, 86_400_001] {
        let error = create(&client, ms).unwrap_err();
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains("10000 ms to 86400000 ms"), "{error}");
    }
    let spec = SessionSpec::new().lock_delay(Duration::from_millis(60_001));
    let error = client.session().create(&spec, &none()).unwrap_err();
    assert!(error.message().contains("60000 ms"), "{error}");
    assert_eq!(server.requests().len(), 0);

    for ms in [0, 10_000, 86_400_000] {
        create(&client, ms).unwrap();
    }
    let patient = client_with(server.address(), &[("min_session_ttl_ms", "1000")]);
    create(&patient, 1_000).unwrap();
    let requests = server.requests();
    let ttls: Vec<_> = requests.iter().map(|request| request.json()["TTL"].clone()).collect();
    assert_eq!(ttls, [serde_json::Value::Null, "10s".into(), "86400s".into(), "1s".into()]);
}

#[test]
fn a_ttl_that_consul_does_not_take_is_its_error() {
    let Some(consul) = consul() else { return };
    let client = client_with(&consul.address(), &[("min_session_ttl_ms", "1")]);
    let spec = SessionSpec::new().ttl(Duration::from_secs(9));
    let error = client.session().create(&spec, &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 500));
    assert!(error.message().contains("Invalid Session TTL"), "{error}");
    assert!(!error.is_outcome_unknown() && !error.is_retryable());
}

#[test]
fn what_is_set_is_sent_and_an_empty_list_of_checks_is_not_left_out() {
    let server = Server::answering(|_| Reply::json(200, r#"{"ID":"x"}"#));
    let client = client_at(server.address());
    let check = ServiceCheck { id: "c".into(), namespace: "ns".into() };
    let full = SessionSpec::new()
        .name("n")
        .node("web")
        .lock_delay(Duration::ZERO)
        .behavior(Behavior::Release)
        .ttl(Duration::from_secs(15))
        .node_checks(["a", "b"])
        .service_check(check);
    for spec in [SessionSpec::new(), unchecked(), full] {
        assert_eq!(create(&client, spec), "x");
    }
    let requests = server.requests();
    let bodies: Vec<_> = requests.iter().map(|request| request.json()).collect();
    assert_eq!(bodies[0], serde_json::json!({}));
    assert_eq!(bodies[1], serde_json::json!({"NodeChecks": []}));
    assert_eq!(
        bodies[2],
        serde_json::json!({
            "Name": "n", "Node": "web", "LockDelay": "0s", "Behavior": "release", "TTL": "15s",
            "NodeChecks": ["a", "b"], "ServiceChecks": [{"ID": "c", "Namespace": "ns"}],
        })
    );
    for request in &requests {
        assert_eq!(request.header("content-type"), Some("application/json"));
        let length = request.body.len().to_string();
        assert_eq!(request.header("content-length"), Some(length.as_str()));
        assert_eq!(request.header("transfer-encoding"), None);
    }
}

#[test]
fn a_session_is_read_whatever_is_null_or_missing() {
    let server = Server::answering(|request| match request.path() {
        "/v1/session/list" => Reply::json(200, "null"),
        _ => Reply::json(
            200,
            r#"[{"ID":"i","Node":"n","LockDelay":1500000000,"Behavior":"delete","TTL":"1m30s",
                "NodeChecks":null,"ServiceChecks":[{"ID":"c","Namespace":"x"}],
                "Namespace":"x","Partition":"p","CreateIndex":18446744073709551615}]"#,
        ),
    });
    let client = client_at(server.address());
    assert!(client.session().list(&none()).unwrap().value.is_empty());
    let session = info(&client, "i").unwrap();
    assert_eq!(session.lock_delay, Duration::from_millis(1_500));
    assert_eq!((session.ttl, session.behavior), (Duration::from_secs(90), Behavior::Delete));
    assert_eq!((session.namespace.as_str(), session.partition.as_str()), ("x", "p"));
    assert_eq!((session.create_index, session.node_checks.len()), (u64::MAX, 0));
    assert_eq!(session.service_checks[0].id, "c");
}

#[test]
fn a_key_cannot_be_acquired_before_the_lock_delay_is_over() {
    let Some(client) = shared_client() else { return };
    let key = unique("lock");
    let holder = create(&client, unchecked().lock_delay(Duration::from_secs(1)));
    let next = create(&client, unchecked());
    assert!(acquire(&client, &key, &holder));
    let ended = Instant::now();
    destroy(&client, &holder);
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!(pair.session, None);
    // Nothing tells the end of the lock-delay but trying.
    while !acquire(&client, &key, &next) {
        assert!(ended.elapsed() < PATIENCE);
    }
    assert!(ended.elapsed() >= Duration::from_secs(1), "{:?}", ended.elapsed());
    destroy(&client, &next);
}

#[test]
fn the_behavior_decides_what_becomes_of_held_keys() {
    let Some(client) = shared_client() else { return };
    for behavior in [Behavior::Release, Behavior::Delete] {
        let key = unique("lock");
        let id = create(&client, unchecked().behavior(behavior));
        assert!(acquire(&client, &key, &id));
        destroy(&client, &id);
        let left = client.kv().get(&key, &none()).unwrap().value;
        match behavior {
            Behavior::Release => assert_eq!(left.unwrap().session, None),
            Behavior::Delete => assert_eq!(left, None),
        }
    }
}

#[test]
fn a_released_key_stays_when_its_session_ends() {
    let Some(client) = shared_client() else { return };
    let key = unique("lock");
    let (holder, next) = (create(&client, unchecked()), create(&client, unchecked()));
    assert!(acquire(&client, &key, &holder));
    assert!(client.kv().release(&key, b"kept", 0, &holder, &none()).unwrap().value);
    destroy(&client, &holder);
    let pair = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!((pair.value.as_slice(), pair.session), (&b"kept"[..], None));
    assert!(acquire(&client, &key, &next));
    destroy(&client, &next);
}

#[test]
fn a_session_that_nobody_renews_ends_between_its_ttl_and_twice_of_it() {
    let Some(consul) = Consul::with_hcl("session_ttl_min = \"1s\"") else { return };
    let client = client_with(&consul.address(), &[("min_session_ttl_ms", "1000")]);
    let ttl = Duration::from_secs(1);
    let before = Instant::now();
    let id = create(&client, unchecked().ttl(ttl));
    let mut index = client.session().info(&id, &none()).unwrap().meta.index;
    loop {
        let answer = client.session().info(&id, &none().index(index)).unwrap();
        if answer.value.is_none() {
            break;
        }
        index = answer.meta.index;
    }
    let lived = before.elapsed();
    assert!(lived >= ttl && lived < 2 * ttl + PATIENCE, "{lived:?}");
    let gone = client.session().renew(&id, &none()).unwrap_err();
    assert_eq!(gone.status(), Status::SessionInvalid);
}

#[test]
fn renewing_and_destroying_are_sent_again_and_creating_is_not() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reply(&Reply::json(200, r#"[{"ID":"x"}]"#))?;
        connection.read_request()?;
        connection.cut()
    });
    let client = client_at(server.address());
    assert_eq!(info(&client, "x").unwrap().id, "x");
    client.session().renew("x", &none()).unwrap();
    assert_eq!(server.requests().len(), 3);
    let error = client.session().create(&SessionSpec::new(), &none()).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(server.requests().len(), 4);
    info(&client, "x").unwrap();
    // Answered with a list, not with true: but answered, the second time.
    let error = client.session().destroy("x", &none()).unwrap_err();
    assert_eq!(error.status(), Status::Decode);
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn a_404_of_something_else_is_not_taken_for_the_end_of_a_session() {
    let server = Server::answering(|_| Reply::text(404, ""));
    let error = client_at(server.address()).session().renew("x", &none()).unwrap_err();
    assert_eq!(error.status(), Status::Unsupported, "{error}");
}
