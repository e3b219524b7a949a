//! What operators do, on real agents.

use crate::clients::{client_at, client_of, client_with, shared_client};
use crate::deferred::wait;
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul};
use consul_ffi::api::agent::MemberStatus;
use consul_ffi::{Client, Options, Status};
use std::time::{Duration, Instant};

fn none() -> Options {
    Options::new()
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until it is as it shall be: what gossip and autopilot find out has no index to wait on.
fn until<T: std::fmt::Debug>(ask: impl Fn() -> T, is_right: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = ask();
        if is_right(&found) {
            return found;
        }
        assert!(Instant::now() < end, "still {found:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_servers_of_raft_are_listed_and_only_known_ones_removed() {
    let Some(client) = shared_client() else { return };
    let peers = client.operator().raft_peers(&none()).unwrap();
    assert_eq!(peers.len(), 1);
    let (me, leader) = (client.agent().info(&none()).unwrap(), client.status().leader(&none()));
    assert_eq!((&peers[0].node, &peers[0].id), (&me.node_name, &me.node_id));
    assert_eq!(Some(&peers[0].address), leader.unwrap().value.as_ref());
    assert!(peers[0].leader && peers[0].voter && !peers[0].protocol_version.is_empty());
    let later = client.deferred();
    assert_eq!(wait(later.operator().raft_peers(&none()).unwrap()).unwrap(), peers);
    let operator = client.operator();
    for error in [
        operator.remove_raft_peer("no-such-id", &none()).unwrap_err(),
        operator.remove_raft_peer_at("127.0.0.1:1", &none()).unwrap_err(),
    ] {
        assert_eq!((error.status(), error.http_status()), (Status::Http, 500), "{error}");
    }
    assert_eq!(operator.remove_raft_peer("", &none()).unwrap_err().status(), Status::Argument);
}

#[test]
fn autopilot_is_configured_by_compare_and_set() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    let operator = client.operator();
    let ready = until(|| operator.autopilot_config(&none()).ok(), Option::is_some);
    let mut config = ready.unwrap().value;
    assert!(config.modify_index > 0 && config.last_contact_threshold == "200ms", "{config:?}");
    config.max_trailing_logs = 300;
    assert!(operator.set_autopilot_config(&config, None, &none()).unwrap().value);
    let changed = operator.autopilot_config(&none()).unwrap().value;
    assert_eq!(changed.max_trailing_logs, 300);
    config.max_trailing_logs = 400;
    let stale = Some(config.modify_index);
    assert!(!operator.set_autopilot_config(&config, stale, &none()).unwrap().value);
    let fresh = Some(changed.modify_index);
    assert!(operator.set_autopilot_config(&config, fresh, &none()).unwrap().value);
    let changed = operator.autopilot_config(&none()).unwrap().value;
    assert_eq!(changed.max_trailing_logs, 400);

    let health = until(
        || operator.autopilot_health(&none()).unwrap().value,
        |health| health.healthy && !health.servers.is_empty(),
    );
    assert_eq!((health.failure_tolerance, health.servers.len()), (0, 1));
    assert!(health.servers[0].leader && health.servers[0].serf_status == "alive");
    match operator.autopilot_state(&none()) {
        Ok(state) => assert!(state.value["Servers"].is_object()),
        Err(error) => {
            assert_eq!(error.status(), Status::Unsupported);
            assert!(error.message().contains("needs Consul 1.9"), "{error}");
        }
    }
}

#[test]
fn a_cluster_that_is_not_healthy_is_an_answer() {
    let server = Server::answering(|_| {
        Reply::json(429, r#"{"Healthy":false,"FailureTolerance":0,"Servers":null}"#)
    });
    let health = client_at(server.address()).operator().autopilot_health(&none()).unwrap();
    assert!(!health.value.healthy && health.value.servers.is_empty());
}

#[test]
fn an_agent_without_autopilot_says_so() {
    let server = Server::answering(|_| Reply::json(404, ""));
    let error = client_at(server.address()).operator().autopilot_health(&none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Unsupported, 404), "{error}");
}

#[test]
fn gossip_keys_are_installed_used_and_removed() {
    const KEYS: [&str; 2] = [
        "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
    ];
    let Some(consul) = Consul::with_hcl(&format!("encrypt = \"{}\"", KEYS[0])) else { return };
    let client = client_of(&consul);
    let operator = client.operator();
    let keys = || -> Vec<String> {
        let pools = operator.keyring(&none()).unwrap();
        assert!(!format!("{pools:?}").contains(KEYS[0]));
        let lan = pools.into_iter().find(|pool| !pool.wan).unwrap();
        lan.keys.into_keys().collect()
    };
    assert_eq!(keys(), KEYS[..1]);
    operator.keyring_install(KEYS[1], &none()).unwrap();
    assert_eq!(keys(), KEYS);
    // The one in use cannot go, and the error does not show it.
    let error = operator.keyring_remove(KEYS[0], &none()).unwrap_err();
    assert!(!error.message().contains(KEYS[0]), "{error}");
    wait(client.deferred().operator().keyring_use(KEYS[1], &none()).unwrap()).unwrap();
    operator.keyring_remove(KEYS[0], &none()).unwrap();
    assert_eq!(keys(), KEYS[1..]);

    let Some(shared) = shared_client() else { return };
    let error = shared.operator().keyring(&none()).unwrap_err();
    assert_eq!(error.status(), Status::Http, "{error}");
}

fn status_of(client: &Client, node: &str) -> Option<MemberStatus> {
    let members = client.agent().members(false, &none()).unwrap();
    members.iter().find(|member| member.name == node).map(|member| member.status)
}

#[test]
fn agents_join_fail_are_put_out_and_leave() {
    // Leaving, a server goes on serving for a while otherwise.
    let quick = "performance { leave_drain_time = \"0s\" }";
    let (Some(one), Some(two)) = (Consul::with_hcl(quick), Consul::start()) else { return };
    let client = client_of(&one);
    let self_of = two.get("/v1/agent/self").json();
    let address = format!("127.0.0.1:{}", self_of["DebugConfig"]["SerfPortLAN"]);
    client.agent().join(&address, false, &none()).unwrap();
    let seen = |wanted: Option<MemberStatus>| {
        until(|| status_of(&client, two.node()), |status| *status == wanted)
    };
    seen(Some(MemberStatus::Alive));
    two.kill();
    // Failed at first, left when the servers have given it up.
    until(|| status_of(&client, two.node()), |status| *status != Some(MemberStatus::Alive));
    client.agent().force_leave(two.node(), false, &none()).unwrap();
    seen(Some(MemberStatus::Left));
    client.agent().force_leave(two.node(), true, &none()).unwrap();
    seen(None);
    let error = client.agent().join("127.0.0.1:1", false, &none()).unwrap_err();
    assert_eq!(error.status(), Status::Http, "{error}");
    // What it answers may not get through any more.
    let _ = client.agent().leave(&none());
    until(|| client.status().leader(&none()).is_err(), |is_gone| *is_gone);
}

#[test]
fn a_report_tells_what_can_be_had() {
    let Some(consul) = consul() else { return };
    let client = client_of(consul);
    let report = until(
        || client.operator().cluster_report(&none()).unwrap(),
        |report| report.healthy == Some(true),
    );
    assert_eq!(report.missing, []);
    assert_eq!((report.peers.len(), report.servers.len()), (1, 1));
    assert_eq!(report.leader.as_deref(), Some(report.servers[0].address.as_str()));
    assert_eq!(report.servers[0].gossip.as_deref(), Some("alive"));
    assert!(report.servers[0].leader && report.servers[0].voter);
    assert_eq!(report.endpoints[0].address, client.endpoint());
    assert_eq!(report.endpoints[0].reachable, Some(true));
    assert_eq!((report.endpoints[0].state, &report.endpoints[0].error), ("up", &None));
    let later = client.deferred();
    let again = wait(later.operator().cluster_report(&none()).unwrap()).unwrap();
    assert_eq!(again.servers[0].id, report.servers[0].id);

    // Nobody there: a report all the same.
    let away = client_at(&Server::refused_address());
    let report = away.operator().cluster_report(&none()).unwrap();
    assert_eq!((report.leader, report.healthy), (None, None));
    assert_eq!(report.missing.len(), 1);
    assert_eq!(report.missing[0].part, "leader");
    assert_eq!(report.endpoints[0].reachable, Some(false));
    assert_eq!((report.endpoints[0].state, report.endpoints[0].in_use), ("down", true));
    assert!(report.endpoints[0].error.as_deref().unwrap().contains("refused"));
}

#[test]
fn a_report_tells_how_each_address_of_the_client_is() {
    let Some(consul) = consul() else { return };
    let dead = Server::refused_address();
    let addresses = format!("{dead},{}", consul.address());
    let client = client_with(&addresses, &[("health_check_interval_ms", "86400000")]);
    let report = client.operator().cluster_report(&none()).unwrap();
    assert!(report.leader.is_some());
    let [away, here] = &report.endpoints[..] else { panic!("{report:?}") };
    assert_eq!((&away.address, away.state, away.in_use), (&dead, "down", false));
    assert_eq!((away.reachable, away.last_answer_ms, away.failures), (Some(false), None, 1));
    assert!(away.consecutive_failures == 1 && away.error.as_deref().unwrap().contains("refused"));
    assert_eq!((&here.address, here.state, here.in_use), (&consul.address(), "up", true));
    assert_eq!((here.reachable, here.failures, &here.error), (Some(true), 0, &None));
    assert!(here.requests >= 4 && here.last_answer_ms.is_some());
}

#[test]
fn who_may_not_ask_gets_the_rest_of_the_report() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let report = client_of(&consul).operator().cluster_report(&none()).unwrap();
    assert!(report.leader.is_some() && report.peers.len() == 1);
    let missing: Vec<_> = report.missing.iter().map(|missing| missing.part).collect();
    assert_eq!(missing, ["raft", "health"]);
    let client = client_with(&consul.address(), &[("token", consul.token())]);
    let report = client.operator().cluster_report(&none()).unwrap();
    assert!(!report.missing.iter().any(|missing| missing.part == "raft"), "{report:?}");
}
