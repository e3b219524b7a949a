//! The agent's own services and checks, with a clock that is turned.

use crate::transport::embedded::desk::{Desk, Told};

const REGISTER: &str = "/v1/agent/service/register";

fn status_of(desk: &mut Desk, list: &str) -> Vec<String> {
    desk.get(list).column("/Status")
}

fn text(told: &Told) -> (u16, &str) {
    (told.status, &told.body)
}

#[test]
fn what_the_agent_is_told_the_catalog_has_at_once() {
    let mut desk = Desk::new();
    desk.done(
        REGISTER,
        r#"{"Name": "web", "Port": 80, "Address": "10.1.1.1", "Checks": [{"TTL": "10s"}, {"TTL": "9s"}]}"#,
    );
    let entries = desk.get("/v1/health/service/web").json();
    let entry = &entries[0];
    assert_eq!(entry["Service"]["TaggedAddresses"]["lan_ipv4"]["Port"], 80);
    let checks: Vec<_> =
        entry["Checks"].as_array().unwrap().iter().map(|c| &c["CheckID"]).collect();
    assert_eq!(checks, ["serfHealth", "service:web:1", "service:web:2"]);
    desk.done("/v1/agent/service/deregister/web", "");
    assert_eq!(desk.get("/v1/health/service/web").body, "[]\n");
    assert_eq!(desk.get("/v1/agent/checks").body, "{}\n");
}

#[test]
fn a_check_that_nobody_tells_of_in_time_is_critical() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"TTL": "10s", "Status": "passing"}}"#);
    let of_web = "/v1/health/checks/web";
    desk.turn(9);
    assert_eq!(status_of(&mut desk, of_web), ["passing"]);
    desk.turn(1);
    assert_eq!(status_of(&mut desk, of_web), ["critical"]);
    assert_eq!(desk.get(of_web).column("/Output"), ["TTL expired"]);
    desk.done("/v1/agent/check/warn/service:web?note=so-so", "");
    assert_eq!(status_of(&mut desk, of_web), ["warning"]);
    desk.turn(10);
    let output = "TTL expired (last output before timeout follows): so-so";
    assert_eq!(desk.get(of_web).column("/Output"), [output]);
    // Once expired it waits to be told of.
    let index = desk.index(of_web);
    desk.turn(3600);
    assert_eq!(desk.index(of_web), index);
}

#[test]
fn a_service_goes_when_its_check_has_been_critical_for_too_long() {
    let mut desk = Desk::new();
    let check = r#"{"TTL": "10s", "Status": "passing", "DeregisterCriticalServiceAfter": "5s"}"#;
    desk.done(REGISTER, &format!(r#"{{"Name": "web", "Check": {check}}}"#));
    // Critical after 10 s, due a minute later, which is the least, and seen at the next look.
    desk.turn(89);
    assert_eq!(desk.get("/v1/agent/services").json()["web"]["ID"], "web");
    desk.turn(1);
    assert_eq!(desk.get("/v1/agent/services").body, "{}\n");
    assert_eq!(desk.get("/v1/health/service/web").body, "[]\n");
}

#[test]
fn a_service_whose_check_recovers_stays() {
    let mut desk = Desk::new();
    let check = r#"{"TTL": "10s", "Status": "passing", "DeregisterCriticalServiceAfter": "1m"}"#;
    desk.done(REGISTER, &format!(r#"{{"Name": "web", "Check": {check}}}"#));
    for _ in 0..3 {
        desk.turn(60);
        desk.done("/v1/agent/check/pass/service:web", "");
    }
    assert_eq!(status_of(&mut desk, "/v1/health/checks/web"), ["passing"]);
    // One that was critical from the start has not become so.
    let check = r#"{"TTL": "10h", "DeregisterCriticalServiceAfter": "1m"}"#;
    desk.done(REGISTER, &format!(r#"{{"Name": "slow", "Check": {check}}}"#));
    desk.turn(3600);
    assert_eq!(status_of(&mut desk, "/v1/health/checks/slow"), ["critical"]);
}

#[test]
fn an_output_that_changes_alone_reaches_the_catalog_later() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"TTL": "10h", "Status": "passing"}}"#);
    desk.done("/v1/agent/check/pass/service:web?note=new", "");
    assert_eq!(desk.get("/v1/agent/checks").json()["service:web"]["Output"], "new");
    assert_eq!(desk.get("/v1/health/checks/web").column("/Output"), [""]);
    desk.turn(450);
    assert_eq!(desk.get("/v1/health/checks/web").column("/Output"), ["new"]);
    desk.done("/v1/agent/check/warn/service:web?note=now", "");
    assert_eq!(desk.get("/v1/health/checks/web").column("/Output"), ["now"]);
}

#[test]
fn a_long_output_is_cut() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"TTL": "10h", "OutputMaxSize": 5}}"#);
    desk.done(
        "/v1/agent/check/update/service:web",
        r#"{"Status": "passing", "Output": "0123456789"}"#,
    );
    let output = desk.get("/v1/health/checks/web").column("/Output");
    assert_eq!(output, ["01234 ... (captured 5 of 10 bytes)"]);
}

#[test]
fn registering_again_keeps_what_checks_say_and_replaces_others_on_demand() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"CheckID": "a", "TTL": "10h"}}"#);
    desk.done("/v1/agent/check/pass/a", "");
    desk.done(REGISTER, r#"{"Name": "web", "Checks": [{"CheckID": "a", "TTL": "10h"}, {"CheckID": "b", "TTL": "1h"}]}"#);
    assert_eq!(status_of(&mut desk, "/v1/health/checks/web"), ["passing", "critical"]);
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"CheckID": "b", "TTL": "1h"}}"#);
    assert_eq!(desk.get("/v1/health/checks/web").column("/CheckID"), ["a", "b"]);
    desk.done(
        &format!("{REGISTER}?replace-existing-checks"),
        r#"{"Name": "web", "Check": {"CheckID": "b", "TTL": "1h"}}"#,
    );
    assert_eq!(desk.get("/v1/health/checks/web").column("/CheckID"), ["b"]);
}

#[test]
fn what_others_change_in_the_catalog_is_set_right() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"TTL": "10h"}}"#);
    desk.done(REGISTER, r#"{"Name": "db", "Tags": ["a"], "EnableTagOverride": true}"#);
    desk.done("/v1/catalog/deregister", r#"{"Node": "embedded", "ServiceID": "web"}"#);
    let node = r#""Node": "embedded", "SkipNodeUpdate": true"#;
    let strange = format!(r#"{{{node}, "Service": {{"Service": "strange"}}}}"#);
    desk.done("/v1/catalog/register", &strange);
    let other = r#"{"Service": "db", "Tags": ["b"], "EnableTagOverride": true}"#;
    desk.done("/v1/catalog/register", &format!(r#"{{{node}, "Service": {other}}}"#));
    assert_eq!(desk.get("/v1/catalog/service/web").body, "[]\n");
    desk.turn(60);
    let services = desk.get("/v1/catalog/services").json();
    let names: Vec<_> = services.as_object().unwrap().keys().collect();
    assert_eq!(names, ["consul", "db", "web"]);
    assert_eq!(services["db"][0], "b");
    assert_eq!(desk.get("/v1/health/checks/web").column("/CheckID"), ["service:web"]);
}

#[test]
fn without_a_leader_the_catalog_hears_of_it_later() {
    let mut desk = Desk::new();
    desk.state.has_leader = false;
    desk.done(REGISTER, r#"{"Name": "web"}"#);
    assert_eq!(desk.get("/v1/catalog/service/web").body, "[]\n");
    desk.state.has_leader = true;
    desk.turn(15);
    assert_eq!(desk.get("/v1/catalog/service/web").column("/ServiceID"), ["web"]);
}

#[test]
fn maintenance_is_a_check_that_is_critical() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"TTL": "10h", "Status": "passing"}}"#);
    desk.done("/v1/agent/service/maintenance/web?enable=true&reason=why", "");
    desk.done("/v1/agent/maintenance?enable=true", "");
    let health = "/v1/agent/health/service/id/web?format=text";
    assert_eq!(text(&desk.get(health)), (503, "maintenance"));
    let notes = desk.get("/v1/agent/checks").json();
    assert_eq!(notes["_service_maintenance:web"]["Notes"], "why");
    assert!(notes["_node_maintenance"]["Notes"].as_str().unwrap().starts_with("Maintenance mode"));
    desk.done("/v1/agent/service/maintenance/web?enable=false", "");
    desk.done("/v1/agent/maintenance?enable=false", "");
    assert_eq!(text(&desk.get(health)), (200, "passing"));
    desk.done("/v1/agent/check/warn/service:web", "");
    assert_eq!(text(&desk.get(health)), (429, "warning"));
    assert_eq!(
        desk.get("/v1/agent/health/service/name/web").json()[0]["AggregatedStatus"],
        "warning"
    );
}

#[test]
fn an_alias_says_what_is_so_of_what_it_stands_for() {
    let mut desk = Desk::new();
    desk.done(REGISTER, r#"{"Name": "db", "Check": {"TTL": "10h", "Status": "passing"}}"#);
    desk.done(REGISTER, r#"{"Name": "web", "Check": {"AliasService": "db"}}"#);
    desk.done(REGISTER, r#"{"Name": "all", "Check": {"AliasNode": "embedded"}}"#);
    let says = |desk: &mut Desk, service: &str, status: &str, output: &str| {
        desk.turn(0);
        let own = desk.get("/v1/agent/checks").json()[format!("service:{service}")].clone();
        assert_eq!((&own["Status"], &own["Output"]), (&status.into(), &output.into()), "{service}");
        let list = format!("/v1/health/checks/{service}");
        assert_eq!(desk.get(&list).column("/Status"), [status]);
    };
    says(&mut desk, "web", "passing", "All checks passing.");
    says(&mut desk, "all", "passing", "All checks passing.");
    desk.done("/v1/agent/check/fail/service:db?note=broken", "");
    says(&mut desk, "web", "critical", "Aliased check \"Service 'db' check\" failing: broken");
    desk.done("/v1/agent/check/register", r#"{"Name": "disk", "TTL": "1h"}"#);
    says(&mut desk, "all", "critical", "Aliased check \"disk\" failing: ");
    desk.done("/v1/agent/check/deregister/disk", "");
    says(&mut desk, "all", "passing", "All checks passing.");
    desk.done("/v1/agent/service/deregister/db", "");
    says(&mut desk, "web", "critical", "Service db could not be found on node ");
}

#[test]
fn a_services_hash_changes_with_it() {
    let mut desk = Desk::new();
    let hash = |desk: &mut Desk| desk.get("/v1/agent/service/web").json()["ContentHash"].clone();
    desk.done(REGISTER, r#"{"Name": "web"}"#);
    let first = hash(&mut desk);
    desk.done(REGISTER, r#"{"Name": "web"}"#);
    assert_eq!(hash(&mut desk), first);
    desk.done(REGISTER, r#"{"Name": "web", "Port": 1}"#);
    assert_ne!(hash(&mut desk), first);
    assert_eq!(text(&desk.get("/v1/agent/service/none")), (404, "unknown service ID: none"));
}

/// What a registration is refused for.
const REFUSED: &[(&str, u16, &str)] = &[
    ("{}", 400, "Missing service name"),
    (
        r#"{"Name": 5}"#,
        400,
        "Request decode failed: json: cannot unmarshal number into Go struct field .Name of type string",
    ),
    (
        r#"{"Name": "x", "Port": 1.5}"#,
        400,
        "Request decode failed: json: cannot unmarshal number 1.5 into Go struct field .Port of type int",
    ),
    (
        r#"{"Name": "x", "Check": {"TTL": "10"}}"#,
        400,
        "Request decode failed: time: missing unit in duration \"10\"",
    ),
    (
        r#"{"Name": "x", "Check": {"Foo": 1}}"#,
        400,
        "Request decode failed: json: unknown field \"Foo\"",
    ),
    (
        r#"{"Name": "x", "Check": {"HTTP": "http://x"}}"#,
        400,
        "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks",
    ),
    (r#"{"Name": "x", "Checks": [{}]}"#, 400, "Invalid check: TTL must be > 0 for TTL checks"),
    (
        r#"{"Name": "x", "Check": {"TTL": "1s", "Status": "foo"}}"#,
        400,
        "Status for checks must 'passing', 'warning', 'critical'",
    ),
    (
        r#"{"Name": "x", "Check": {"Args": ["a"], "Interval": "1s"}}"#,
        500,
        "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    ),
    (
        r#"{"Name": "x", "Weights": {"Passing": 0}}"#,
        400,
        "Invalid Weights: Passing must be greater than 0",
    ),
    (r#"{"Name": "x", "Address": "0.0.0.0"}"#, 400, "Invalid service address"),
    (
        r#"{"Name": "x", "Meta": {"": "c"}}"#,
        400,
        "Invalid Service Meta: Couldn't load metadata pair ('', 'c'): Key cannot be blank",
    ),
    (
        r#"{"Name": "x", "TaggedAddresses": {"lan_ipv4": {"Address": "x"}}}"#,
        500,
        "Service tagged address \"lan_ipv4\" must be a valid ipv4 address",
    ),
];

#[test]
fn a_refused_registration_is_told_in_consuls_words() {
    let mut desk = Desk::new();
    for (body, status, why) in REFUSED {
        assert_eq!(text(&desk.put(REGISTER, body)), (*status, *why), "{body}");
    }
    assert_eq!(desk.get("/v1/agent/services").body, "{}\n");
    let checks = [
        (
            "/v1/agent/check/register",
            r#"{"Name": "c", "TTL": "1s", "ServiceID": "no"}"#,
            500,
            "ServiceID \"no\" does not exist",
        ),
        (
            "/v1/agent/check/register",
            r#"{"Name": "c", "CheckID": "c"}"#,
            400,
            "Request decode failed: json: unknown field \"CheckID\"",
        ),
        ("/v1/agent/check/pass/no", "", 500, "CheckID \"no\" does not have associated TTL"),
        ("/v1/agent/check/update/no", r#"{"Status": "pass"}"#, 400, "Invalid check status: 'pass'"),
        ("/v1/agent/check/deregister/", "", 500, "CheckID missing"),
        ("/v1/agent/maintenance?enable=x", "", 400, "Invalid value for enable: \"x\""),
        (
            "/v1/agent/service/maintenance/no?enable=1",
            "",
            404,
            "No service registered with ID \"no\"",
        ),
    ];
    for (target, body, status, why) in checks {
        assert_eq!(text(&desk.put(target, body)), (status, why), "{target} {body}");
    }
}

#[test]
fn events_are_heard_where_they_are_meant_and_their_index_is_the_last_ones() {
    let mut desk = Desk::new();
    assert_eq!((desk.index("/v1/event/list"), &desk.get("/v1/event/list").body[..]), (1, "[]\n"));
    desk.done(REGISTER, r#"{"Name": "web", "Tags": ["a"]}"#);
    let targets = [
        ("one", true),
        ("two?node=^emb", true),
        ("three?node=other", false),
        ("four?service=we.$", true),
        ("five?service=web&tag=b", false),
    ];
    for (target, _) in targets {
        desk.done(&format!("/v1/event/fire/{target}"), "payload");
    }
    let heard = desk.get("/v1/event/list").json();
    let names: Vec<_> = heard.as_array().unwrap().iter().map(|event| &event["Name"]).collect();
    assert_eq!(names, ["one", "two", "four"]);
    assert_eq!((&heard[0]["LTime"], &heard[2]["LTime"]), (&2.into(), &5.into()));
    assert_eq!(desk.index("/v1/event/list?name=one"), desk.index("/v1/event/list?name=one"));
    assert_ne!(desk.index("/v1/event/list?name=one"), desk.index("/v1/event/list"));
    let refused = [
        ("", "", 400, "Missing name"),
        ("e?tag=x", "", 500, "Cannot provide tag filter without service filter"),
        ("e?node=[", "", 500, "Invalid node filter: error parsing regexp: missing closing ]: `[`"),
    ];
    for (target, body, status, why) in refused {
        let told = desk.put(&format!("/v1/event/fire/{target}"), body);
        assert_eq!(text(&told), (status, why), "{target}");
    }
    // As many bytes as a real one takes, and one more.
    assert_eq!(desk.put("/v1/event/fire/ab", &"x".repeat(412)).status, 200);
    let told = desk.put("/v1/event/fire/ab", &"x".repeat(413));
    assert!(told.status == 500 && told.body.contains("512 bytes after encoding"), "{}", told.body);
    let told = desk.put("/v1/event/fire/ab", &"x".repeat(600));
    assert!(told.status == 500 && told.body.contains("512 bytes before encoding"), "{}", told.body);
}

#[test]
fn an_event_that_is_one_too_many_takes_the_oldest_ones_place() {
    let mut desk = Desk::new();
    for number in 0..257 {
        desk.done(&format!("/v1/event/fire/e{number}"), "");
    }
    let heard = desk.get("/v1/event/list").column("/Name");
    assert_eq!((heard.len(), &heard[0][..], &heard[255][..]), (256, "e1", "e256"));
}
