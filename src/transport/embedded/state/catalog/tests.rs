//! The tables' indexes, as a real 1.8.7 moves them.

use crate::transport::embedded::desk::Desk;

fn register(desk: &mut Desk, node: &str, rest: &str) {
    let body = format!(r#"{{"Node": "{node}", "Address": "10.0.0.1"{rest}}}"#);
    desk.done("/v1/catalog/register", &body);
}

fn with_service(name: &str) -> String {
    format!(r#", "Service": {{"Service": "{name}"}}"#)
}

fn with_check(id: &str, status: &str, service: &str) -> String {
    format!(
        r#", "SkipNodeUpdate": true,
           "Check": {{"CheckID": "{id}", "Status": "{status}", "ServiceID": "{service}"}}"#
    )
}

fn deregister(desk: &mut Desk, rest: &str) {
    desk.done("/v1/catalog/deregister", &format!("{{{rest}}}"));
}

const WEB: &str = "/v1/health/service/web";
const CATALOG_WEB: &str = "/v1/catalog/service/web";

#[test]
fn what_says_nothing_new_changes_no_index() {
    let mut desk = Desk::new();
    register(&mut desk, "n", &with_service("web"));
    register(&mut desk, "n", &with_check("c", "passing", "web"));
    let lists = ["/v1/catalog/nodes", "/v1/catalog/services", CATALOG_WEB, WEB];
    let before = lists.map(|list| desk.index(list));
    let raft = desk.state.index;
    register(&mut desk, "n", &with_service("web"));
    register(&mut desk, "n", &with_check("c", "passing", "web"));
    assert_eq!(lists.map(|list| desk.index(list)), before);
    assert_eq!(desk.state.index, raft + 2);
}

#[test]
fn a_services_index_moves_with_what_is_told_of_it_alone() {
    let mut desk = Desk::new();
    register(&mut desk, "n1", &with_service("web"));
    register(&mut desk, "n2", &with_service("db"));
    let mut before = desk.index(WEB);
    let mut moves = |desk: &mut Desk, expected: bool, what: &str| {
        let now = desk.index(WEB);
        assert_eq!(now > before, expected, "{what}");
        before = now;
    };
    register(&mut desk, "n2", &with_service("other"));
    moves(&mut desk, false, "another service");
    register(&mut desk, "n2", &with_check("c", "passing", "db"));
    moves(&mut desk, false, "another service's check");
    register(&mut desk, "n1", &with_check("c", "passing", "web"));
    moves(&mut desk, true, "its check");
    register(&mut desk, "n1", &with_check("alive", "passing", ""));
    moves(&mut desk, true, "its node's check");
    register(&mut desk, "n1", r#", "NodeMeta": {"a": "b"}"#);
    moves(&mut desk, true, "its node");
    register(&mut desk, "n2", &with_service("web"));
    moves(&mut desk, true, "another instance");
    deregister(&mut desk, r#""Node": "n2", "ServiceID": "web""#);
    moves(&mut desk, true, "an instance that goes");
    deregister(&mut desk, r#""Node": "n1", "CheckID": "c""#);
    moves(&mut desk, true, "a check that goes");
}

#[test]
fn a_service_that_goes_leaves_an_index_that_does_not_go_back() {
    let mut desk = Desk::new();
    let unknown = desk.index("/v1/health/service/none");
    assert_eq!(unknown, desk.index("/v1/catalog/nodes").max(desk.index("/v1/catalog/services")));
    register(&mut desk, "n", &with_service("web"));
    let before = desk.index(WEB);
    deregister(&mut desk, r#""Node": "n", "ServiceID": "web""#);
    let gone = desk.index(WEB);
    assert!(gone > before);
    // It is the index of all that are missing, and stands while none goes.
    register(&mut desk, "n", &with_service("db"));
    assert_eq!((desk.index(WEB), desk.index("/v1/health/service/none")), (gone, gone));
    deregister(&mut desk, r#""Node": "n""#);
    assert!(desk.index(WEB) > gone);
}

#[test]
fn a_node_goes_with_all_that_it_has() {
    let mut desk = Desk::new();
    register(&mut desk, "n", &with_service("web"));
    register(&mut desk, "n", &with_check("c", "critical", "web"));
    register(&mut desk, "n", &with_check("alive", "passing", ""));
    deregister(&mut desk, r#""Node": "N""#);
    for list in ["/v1/health/node/n", WEB, CATALOG_WEB, "/v1/health/checks/web"] {
        assert_eq!(desk.get(list).body, "[]\n", "{list}");
    }
    assert_eq!(desk.get("/v1/catalog/node/n").body, "null\n");
    let missing = desk.get("/v1/catalog/node-services/n").json();
    assert!(missing["Node"].is_null() && missing["Services"].is_null());
}

#[test]
fn a_node_is_renamed_by_its_id() {
    let mut desk = Desk::new();
    let id = r#", "ID": "11111111-1111-1111-1111-111111111111""#;
    register(&mut desk, "old", &format!("{id}{}", with_service("web")));
    register(&mut desk, "new", id);
    assert_eq!(desk.get("/v1/catalog/nodes").column("/Node"), ["embedded", "new"]);
    assert_eq!(desk.get(WEB).body, "[]\n");
    assert_eq!(desk.get("/v1/catalog/node/1111").json()["Node"]["Node"], "new");
}

#[test]
fn the_name_of_a_node_that_lives_is_not_taken_over() {
    let mut desk = Desk::new();
    let body =
        r#"{"Node": "embedded", "Address": "a", "ID": "21111111-1111-1111-1111-111111111111"}"#;
    let told = desk.put("/v1/catalog/register", body);
    assert_eq!(told.status, 500);
    let why = "failed inserting node: Error while renaming Node ID: \
               \"21111111-1111-1111-1111-111111111111\": Node name embedded is reserved by node";
    assert!(told.body.starts_with(why), "{}", told.body);
}

/// What is refused, and how. Nothing of it is done.
const REFUSED: &[(&str, u16, &str)] = &[
    ("", 400, "Request decode failed: EOF"),
    ("{}", 500, "Must provide node"),
    (r#"{"Node": "n"}"#, 500, "Must provide address if SkipNodeUpdate is not set"),
    (
        r#"{"Node": "n", "Address": "a", "ID": "zz"}"#,
        500,
        "Bad node ID: uuid string is wrong length",
    ),
    (r#"{"Node": "n", "Address": "a", "Datacenter": "x"}"#, 500, "No path to datacenter"),
    (
        r#"{"Node": "n", "Address": "a", "Foo": 1}"#,
        400,
        "Request decode failed: json: unknown field \"Foo\"",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Service": {"ID": "s"}}"#,
        500,
        "Must provide service name with ID",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Service": {"Service": "s", "Port": "a"}}"#,
        400,
        "Request decode failed: json: cannot unmarshal string into Go struct field \
         NodeService.Service.Port of type int",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Service": {"Service": "s", "Address": "::"}}"#,
        500,
        "Invalid service address",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Service": {"Service": "s", "Meta": {"a b": "c"}}}"#,
        500,
        "failed inserting service: Invalid Service Meta for node n and serviceID s: Couldn't load \
         metadata pair ('a b', 'c'): Key contains invalid characters",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Check": {"Name": "c", "Node": "m"}}"#,
        500,
        "check node \"m\" does not match node \"n\"",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Check": {"Name": "c", "ServiceID": "none"}}"#,
        500,
        "failed inserting check: Missing service registration on node \"n\"",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Check": {}}"#,
        500,
        "failed inserting check: failed inserting check: object missing primary index on node \"n\"",
    ),
    (
        r#"{"Node": "n", "Address": "a", "Check": {"Name": "c", "Definition": {"HTTP": 1}}}"#,
        400,
        "Request decode failed: json: cannot unmarshal number into Go struct field \
         HealthCheck.Check.Definition of type string",
    ),
];

#[test]
fn a_refused_registration_is_told_in_consuls_words_and_changes_nothing() {
    let mut desk = Desk::new();
    for (body, status, text) in REFUSED {
        let told = desk.put("/v1/catalog/register", body);
        assert_eq!((told.status, &told.body[..]), (*status, *text), "{body}");
    }
    assert_eq!(desk.get("/v1/catalog/nodes").column("/Node"), ["embedded"]);
}

#[test]
fn sessions_go_with_the_checks_and_nodes_that_they_depend_on() {
    let mut desk = Desk::new();
    register(&mut desk, "n", &with_check("c", "passing", ""));
    let session = |desk: &mut Desk| {
        let body = r#"{"Node": "n", "NodeChecks": ["c"], "LockDelay": "0s"}"#;
        let made = desk.put("/v1/session/create", body);
        let id = made.json()["ID"].as_str().map(str::to_owned).expect("a session");
        desk.done(&format!("/v1/kv/k?acquire={id}"), "x");
    };
    let count = |desk: &mut Desk| desk.get("/v1/session/list").json().as_array().unwrap().len();
    session(&mut desk);
    register(&mut desk, "n", &with_check("c", "warning", ""));
    assert_eq!(count(&mut desk), 1);
    register(&mut desk, "n", &with_check("c", "critical", ""));
    assert_eq!(count(&mut desk), 0);
    assert!(desk.get("/v1/kv/k").json()[0]["Session"].is_null());
    register(&mut desk, "n", &with_check("c", "passing", ""));
    session(&mut desk);
    deregister(&mut desk, r#""Node": "n", "CheckID": "c""#);
    assert_eq!(count(&mut desk), 0);
    register(&mut desk, "n", &with_check("c", "passing", ""));
    session(&mut desk);
    deregister(&mut desk, r#""Node": "n""#);
    assert_eq!(count(&mut desk), 0);
}

#[test]
fn instances_are_found_by_tag_metadata_filter_and_health() {
    let mut desk = Desk::new();
    register(
        &mut desk,
        "a",
        r#", "NodeMeta": {"rack": "1"}, "Service": {"Service": "web", "Tags": ["V1", "x"]}"#,
    );
    register(
        &mut desk,
        "b",
        r#", "NodeMeta": {"rack": "2"}, "Service": {"Service": "web", "Tags": ["v1"]}"#,
    );
    register(&mut desk, "c", &with_service("web"));
    register(&mut desk, "a", &with_check("c", "critical", "web"));
    let found = [
        ("", vec!["a", "b", "c"]),
        ("?tag=v1", vec!["a", "b"]),
        ("?tag=v1&tag=X", vec!["a"]),
        ("?node-meta=rack:2", vec!["b"]),
        ("?filter=Node.Meta.rack!=1", vec!["b", "c"]),
        // The last one takes the place of the one that goes.
        ("?passing", vec!["c", "b"]),
        ("?passing=false", vec!["a", "b", "c"]),
    ];
    for (query, nodes) in found {
        assert_eq!(desk.get(&format!("{WEB}{query}")).column("/Node/Node"), nodes, "{query}");
    }
    assert_eq!(desk.get("/v1/catalog/service/WEB?tag=x").column("/Node"), ["a"]);
    let told = desk.get(&format!("{WEB}?passing=maybe"));
    assert_eq!((told.status, &told.body[..]), (400, "Invalid value for ?passing"));
}

#[test]
fn answers_are_sorted_by_the_distance_from_a_node() {
    let mut desk = Desk::new();
    for (node, x) in [("far", 3), ("near", 1), ("middle", 2)] {
        register(&mut desk, node, &with_service("web"));
        let vec = format!("[{x}, 0, 0, 0, 0, 0, 0, 0]");
        let body = format!(r#"{{"Node": "{node}", "Coord": {{"Vec": {vec}, "Height": 0.1}}}}"#);
        desk.done("/v1/coordinate/update", &body);
    }
    register(&mut desk, "alone", &with_service("web"));
    assert_eq!(desk.get("/v1/coordinate/node/near").status, 404);
    desk.turn(1);
    let sorted = desk.get("/v1/catalog/service/web?near=_agent").column("/Node");
    assert_eq!(sorted, ["near", "middle", "far", "alone"]);
    let told = desk.put("/v1/coordinate/update", r#"{"Node": "near", "Coord": {"Vec": [1]}}"#);
    assert_eq!((told.status, &told.body[..]), (500, "incompatible coordinate"));
}
