//! Transactions on a real Consul.

use crate::clients::{client_at, client_with, shared_client};
use crate::support::fault::{Door, Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::kv::KvPair;
use consul_ffi::api::session::SessionSpec;
use consul_ffi::api::txn::{
    Check, CheckDefinition, Node, Service, Txn, TxnOutcome, TxnResult, Verb,
};
use consul_ffi::{Client, Consistency, Options, Status};
use std::time::Duration;

fn none() -> Options {
    Options::new()
}

fn commit(client: &Client, txn: &Txn) -> TxnOutcome {
    client.commit(txn, &none()).unwrap().value
}

/// The pairs of a transaction that was applied.
fn pairs(outcome: TxnOutcome) -> Vec<KvPair> {
    let TxnOutcome::Committed(results) = outcome else { panic!("{outcome:?}") };
    let pair = |result| match result {
        TxnResult::Kv(pair) => pair,
        other => panic!("not a pair: {other:?}"),
    };
    results.into_iter().map(pair).collect()
}

/// Why a transaction was rolled back, by the numbers of its operations.
fn errors(outcome: TxnOutcome) -> Vec<(u64, String)> {
    let TxnOutcome::RolledBack(errors) = outcome else { panic!("{outcome:?}") };
    errors.into_iter().map(|error| (error.op_index, error.what)).collect()
}

/// The only reason.
fn error(outcome: TxnOutcome) -> String {
    let mut errors = errors(outcome);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0).1
}

fn put(client: &Client, key: &str, value: &[u8]) -> u64 {
    client.kv().put(key, value, 0, &none()).unwrap();
    client.kv().get(key, &none()).unwrap().value.unwrap().modify_index
}

fn exists(client: &Client, key: &str) -> bool {
    client.kv().get(key, &none()).unwrap().value.is_some()
}

fn session(client: &Client, lock_delay: Duration) -> String {
    let unchecked: [&str; 0] = [];
    let spec = SessionSpec::new().node_checks(unchecked).lock_delay(lock_delay);
    client.session().create(&spec, &none()).unwrap().value
}

#[test]
fn every_operation_that_fails_is_named_by_its_number() {
    let Some(client) = shared_client() else { return };
    let key = unique("txn");
    let mut txn = Txn::new();
    let lock = format!(r#"{{"KV":{{"Verb":"lock","Key":"{key}","Session":""}}}}"#);
    txn.json(&lock).unwrap().get(&key).unwrap();
    let errors = errors(commit(&client, &txn));
    assert_eq!(errors.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [0, 1]);
    assert!(errors[0].1.contains("missing session"), "{errors:?}");
    assert!(errors[1].1.contains("doesn't exist"), "{errors:?}");
}

#[test]
fn a_lock_in_a_transaction_is_read_back_in_it() {
    let Some(client) = shared_client() else { return };
    let (key, id) = (unique("txn"), session(&client, Duration::ZERO));
    let mut txn = Txn::new();
    txn.lock(&key, b"held", 7, &id).unwrap().get(&key).unwrap();
    let pairs = pairs(commit(&client, &txn));
    assert_eq!(pairs.len(), 2);
    for pair in &pairs {
        assert_eq!((pair.lock_index, pair.session.as_ref(), pair.flags), (1, Some(&id), 7));
    }
    assert_eq!((pairs[0].value.as_slice(), pairs[1].value.as_slice()), (&b""[..], &b"held"[..]));
    let now = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!(pairs[0].modify_index, now.modify_index);
    client.session().destroy(&id, &none()).unwrap();
}

#[test]
fn a_transaction_that_only_reads_gives_values_at_every_consistency() {
    let Some(client) = shared_client() else { return };
    let key = unique("txn");
    put(&client, &key, b"\0value");
    let mut txn = Txn::new();
    txn.get(&key).unwrap();
    for mode in [Consistency::Default, Consistency::Consistent, Consistency::Stale] {
        let answer = client.commit(&txn, &none().consistency(mode)).unwrap();
        assert_eq!(pairs(answer.value)[0].value, b"\0value");
    }
}

#[test]
fn operations_see_what_those_before_them_did() {
    let Some(client) = shared_client() else { return };
    let key = unique("txn");
    put(&client, &key, b"old");
    let mut txn = Txn::new();
    txn.set(&key, b"new", u64::MAX).unwrap().get(&key).unwrap();
    let pairs = pairs(commit(&client, &txn));
    assert_eq!((pairs[1].value.as_slice(), pairs[1].flags), (&b"new"[..], u64::MAX));
}

#[test]
fn one_operation_that_fails_undoes_all() {
    let Some(client) = shared_client() else { return };
    let (first, second, kept) = (unique("txn"), unique("txn"), unique("txn"));
    put(&client, &kept, b"kept");
    let mut txn = Txn::new();
    txn.set(&first, b"1", 0).unwrap().delete(&kept).unwrap();
    txn.get(&second).unwrap().set(&second, b"2", 0).unwrap();
    let errors = errors(commit(&client, &txn));
    assert_eq!(errors[0].0, 2);
    assert!(!exists(&client, &first) && !exists(&client, &second) && exists(&client, &kept));
}

#[test]
fn compare_and_set_in_a_transaction_minds_the_index() {
    let Some(client) = shared_client() else { return };
    let key = unique("txn");
    let index = put(&client, &key, b"old");
    let cas = |index| {
        let mut txn = Txn::new();
        txn.cas(&key, b"new", 3, index).unwrap();
        commit(&client, &txn)
    };
    assert!(error(cas(1)).contains("index is stale"));
    assert!(error(cas(0)).contains("index is stale"));
    let written = pairs(cas(index));
    assert!(written[0].modify_index > index && written[0].flags == 3);

    let mut fresh = Txn::new();
    fresh.cas(&unique("txn"), b"", 0, 0).unwrap();
    assert!(commit(&client, &fresh).is_committed());
}

#[test]
fn checks_pass_or_fail_the_whole_transaction() {
    let Some(client) = shared_client() else { return };
    let (key, absent) = (unique("txn"), unique("txn"));
    let (holder, other) = (session(&client, Duration::ZERO), session(&client, Duration::ZERO));
    assert!(client.kv().acquire(&key, b"", 0, &holder, &none()).unwrap().value);
    let index = client.kv().get(&key, &none()).unwrap().value.unwrap().modify_index;

    let mut passing = Txn::new();
    passing.check_index(&key, index).unwrap().check_session(&key, &holder).unwrap();
    passing.check_not_exists(&absent).unwrap();
    let outcome = commit(&client, &passing);
    assert!(outcome.is_committed(), "{outcome:?}");
    let keys: Vec<_> = pairs(outcome).into_iter().map(|pair| pair.key).collect();
    assert_eq!(keys, [key.as_str(), key.as_str()]);

    let mut failing = Txn::new();
    failing.check_index(&key, index + 1).unwrap().check_session(&key, &other).unwrap();
    failing.check_not_exists(&key).unwrap();
    let errors = errors(commit(&client, &failing));
    assert_eq!(errors.len(), 3);
    assert!(errors[0].1.contains("index check"), "{errors:?}");
    assert!(errors[1].1.contains("session check"), "{errors:?}");
    assert!(errors[2].1.contains("exists"), "{errors:?}");
    for id in [&holder, &other] {
        client.session().destroy(id, &none()).unwrap();
    }
}

#[test]
fn a_tree_gives_a_result_for_each_key_and_none_when_it_is_empty() {
    let Some(client) = shared_client() else { return };
    let prefix = unique("txn") + "/";
    let mut tree = Txn::new();
    tree.get_tree(&prefix).unwrap();
    assert!(pairs(commit(&client, &tree)).is_empty());

    for name in ["a", "b", "c/d"] {
        put(&client, &format!("{prefix}{name}"), name.as_bytes());
    }
    let found = pairs(commit(&client, &tree));
    let values: Vec<&[u8]> = found.iter().map(|pair| pair.value.as_slice()).collect();
    assert_eq!(values, [&b"a"[..], b"b", b"c/d"]);

    let mut absent = Txn::new();
    absent.get(&format!("{prefix}absent")).unwrap();
    assert!(error(commit(&client, &absent)).contains("doesn't exist"));
}

#[test]
fn deletions_give_no_results() {
    let Some(client) = shared_client() else { return };
    let prefix = unique("txn") + "/";
    let index = put(&client, &format!("{prefix}a"), b"");
    for name in ["b", "c", "d"] {
        put(&client, &format!("{prefix}{name}"), b"");
    }
    let delete_cas = |index| {
        let mut txn = Txn::new();
        txn.delete_cas(&format!("{prefix}a"), index).unwrap();
        commit(&client, &txn)
    };
    assert!(error(delete_cas(index + 1)).contains("index is stale"));
    assert!(exists(&client, &format!("{prefix}a")));
    assert!(pairs(delete_cas(index)).is_empty());
    assert!(!exists(&client, &format!("{prefix}a")));

    let mut txn = Txn::new();
    txn.delete(&format!("{prefix}b")).unwrap();
    txn.delete(&format!("{prefix}absent")).unwrap();
    txn.delete_tree(&prefix).unwrap();
    assert!(pairs(commit(&client, &txn)).is_empty());
    assert!(client.kv().list(&prefix, &none()).unwrap().value.is_empty());
}

#[test]
fn locks_are_minded_in_transactions() {
    let Some(client) = shared_client() else { return };
    let key = unique("txn");
    let holder = session(&client, Duration::from_secs(60));
    let other = session(&client, Duration::ZERO);
    let lock = |id: &str| {
        let mut txn = Txn::new();
        txn.lock(&key, b"x", 0, id).unwrap();
        commit(&client, &txn)
    };
    let unlock = |id: &str| {
        let mut txn = Txn::new();
        txn.unlock(&key, b"y", 0, id).unwrap();
        commit(&client, &txn)
    };
    assert!(error(unlock(&holder)).contains("isn't held"));
    assert!(lock(&holder).is_committed());
    assert!(error(lock(&other)).contains("already held"));
    assert!(error(unlock(&other)).contains("held by another session"));
    assert_eq!(pairs(unlock(&holder))[0].session, None);

    assert!(lock(&holder).is_committed());
    client.session().destroy(&holder, &none()).unwrap();
    assert!(error(lock(&other)).contains("due to lock delay"));
    client.session().destroy(&other, &none()).unwrap();
}

#[test]
fn as_many_operations_as_the_limit_are_taken_and_not_one_more() {
    let Some(consul) = consul() else { return };
    let client = client_at(&consul.address());
    let prefix = unique("txn");
    let txn_of = |count| {
        let mut txn = Txn::new();
        for number in 0..count {
            txn.set(&format!("{prefix}/{number}"), b"", 0).unwrap();
        }
        txn
    };
    assert_eq!(commit(&client, &txn_of(64)).results().len(), 64);
    let refused = client.commit(&txn_of(65), &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 0));
    assert!(refused.message().contains("max_txn_operations"), "{refused}");

    // 128 are taken from Consul 1.14 on.
    let hopeful = client_with(&consul.address(), &[("max_txn_operations", "129")]);
    let refused = hopeful.commit(&txn_of(129), &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 413));
    assert!(refused.message().contains("too many operations"), "{refused}");
}

#[test]
fn a_transaction_of_too_many_bytes_is_refused_here_or_by_consul() {
    let Some(consul) = consul() else { return };
    let client = client_at(&consul.address());
    let key = unique("txn");
    let txn_of = |length| {
        let mut txn = Txn::new();
        txn.set(&key, &vec![b'x'; length], 0).unwrap();
        txn
    };
    // As JSON it has {"KV":...} around a value that base64 makes longer by a third.
    let largest = 390_000;
    assert!(commit(&client, &txn_of(largest)).is_committed());
    let refused = client.commit(&txn_of(400_000), &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 0));
    assert!(refused.message().contains("max_txn_bytes"), "{refused}");

    let hopeful = client_with(&consul.address(), &[("max_txn_bytes", "1000000")]);
    let refused = hopeful.commit(&txn_of(400_000), &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 413));
    let kept = client.kv().get(&key, &none()).unwrap().value.unwrap();
    assert_eq!(kept.value.len(), largest);
}

#[test]
fn a_verb_that_consul_does_not_know_is_told() {
    let Some(client) = shared_client() else { return };
    let mut txn = Txn::new();
    txn.json(r#"{"KV":{"Verb":"frobnicate","Key":"a"}}"#).unwrap();
    assert!(error(commit(&client, &txn)).contains("unknown KV verb"));
}

#[test]
fn a_get_or_empty_is_answered_as_the_version_of_consul_can() {
    let Some(client) = shared_client() else { return };
    let key = unique("absent");
    let mut txn = Txn::new();
    txn.get_or_empty(&key).unwrap();
    match commit(&client, &txn) {
        outcome @ TxnOutcome::RolledBack(_) => {
            assert!(error(outcome.clone()).contains("unknown KV verb"));
            let refusal = outcome.refusal().unwrap();
            assert_eq!((refusal.status(), refusal.http_status()), (Status::Unsupported, 409));
            assert!(refusal.message().contains("operation 0: unknown KV verb"), "{refusal}");
        }
        committed => {
            let pairs = pairs(committed);
            assert_eq!((pairs[0].key.as_str(), pairs[0].value.as_slice()), (&*key, &b""[..]));
        }
    }
}

#[test]
fn a_transaction_of_nothing_is_applied() {
    let Some(client) = shared_client() else { return };
    assert_eq!(commit(&client, &Txn::new()), TxnOutcome::Committed(Vec::new()));
}

#[test]
fn keys_that_no_path_can_name_are_reached_by_json() {
    let Some(client) = shared_client() else { return };
    let key = format!("/{}//x", unique("odd"));
    let operation = |verb: &str| format!(r#"{{"KV":{{"Verb":"{verb}","Key":"{key}"}}}}"#);
    let mut txn = Txn::new();
    txn.json(&operation("set")).unwrap().json(&operation("get")).unwrap();
    txn.json(&operation("delete")).unwrap();
    let pairs = pairs(commit(&client, &txn));
    assert!(pairs.len() == 2 && pairs.iter().all(|pair| pair.key == key));
}

fn node(name: &str) -> Node {
    let meta = [("zone".to_string(), "a".to_string())].into();
    Node { node: name.into(), address: "10.0.0.1".into(), meta, ..Node::default() }
}

fn service(node: &str) -> Service {
    Service {
        id: "web-1".into(),
        service: format!("web-{node}"),
        port: 8080,
        tags: vec!["v1".into()],
        ..Service::default()
    }
}

fn check(node: &str) -> Check {
    let definition = CheckDefinition {
        http: "http://10.0.0.1:8080/health".into(),
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
        deregister_critical_service_after: Duration::from_secs(20),
        ..CheckDefinition::default()
    };
    Check {
        node: node.into(),
        check_id: "web-http".into(),
        name: "web answers".into(),
        status: "passing".into(),
        service_id: "web-1".into(),
        definition,
        ..Check::default()
    }
}

/// Registers a node with a service and its check, and reads them back in the same order.
fn registered(client: &Client, node: &Node) -> (Node, Service, Check) {
    let check = check(&node.node);
    let mut txn = Txn::new();
    txn.node(Verb::Set, node).unwrap();
    txn.service(Verb::Set, &node.node, &service(&node.node)).unwrap();
    txn.check(Verb::Set, &check).unwrap();
    let outcome = commit(client, &txn);
    assert!(outcome.is_committed(), "{outcome:?}");

    let mut txn = Txn::new();
    txn.node(Verb::Get, node).unwrap();
    txn.service(Verb::Get, &node.node, &service(&node.node)).unwrap();
    txn.check(Verb::Get, &check).unwrap();
    match commit(client, &txn).results() {
        [TxnResult::Node(node), TxnResult::Service(service), TxnResult::Check(check)] => {
            (node.clone(), service.clone(), check.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nodes_services_and_checks_are_written_and_read_in_order() {
    let Some(client) = shared_client() else { return };
    let name = unique("node");
    let (found, service, check) = registered(&client, &node(&name));
    let web = format!("web-{name}");
    assert_eq!((found.node.as_str(), found.address.as_str()), (&*name, "10.0.0.1"));
    assert_eq!((found.datacenter.as_str(), found.meta["zone"].as_str()), ("dc1", "a"));
    assert_eq!((service.id.as_str(), service.service.as_str()), ("web-1", &*web));
    assert_eq!((service.port, service.tags.as_slice()), (8080, &["v1".to_string()][..]));
    assert_eq!((check.check_id.as_str(), check.status.as_str()), ("web-http", "passing"));
    assert_eq!((check.service_id.as_str(), check.service_name.as_str()), ("web-1", &*web));
    assert!(found.modify_index > 0 && service.modify_index > 0 && check.modify_index > 0);
}

#[test]
fn durations_of_a_check_come_back_as_they_were() {
    let Some(client) = shared_client() else { return };
    let name = unique("node");
    let (_, _, found) = registered(&client, &node(&name));
    assert_eq!(found.definition, check(&name).definition);
    let raw = consul().unwrap().get(&format!("/v1/health/node/{name}")).json();
    assert_eq!(raw[0]["Definition"]["Interval"], "5s");
}

#[test]
fn a_node_is_found_by_its_id_too() {
    let Some(client) = shared_client() else { return };
    let id = consul().unwrap().get("/v1/agent/self").json()["Config"]["NodeID"].clone();
    let id = id.as_str().unwrap().to_string();
    let mut txn = Txn::new();
    txn.node(Verb::Get, &Node { id: id.clone(), ..Node::default() }).unwrap();
    match commit(&client, &txn).results() {
        [TxnResult::Node(node)] => {
            assert_eq!((&node.id, node.node.as_str()), (&id, consul().unwrap().node()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn entities_are_changed_and_deleted_by_their_index() {
    let Some(client) = shared_client() else { return };
    let name = unique("node");
    let (node, service, check) = registered(&client, &node(&name));

    let mut stale = Txn::new();
    stale.node(Verb::Cas, &Node { modify_index: 1, ..node.clone() }).unwrap();
    stale.service(Verb::Cas, &name, &Service { modify_index: 1, ..service.clone() }).unwrap();
    stale.check(Verb::Cas, &Check { modify_index: 1, ..check.clone() }).unwrap();
    stale.check(Verb::DeleteCas, &Check { modify_index: 1, ..check.clone() }).unwrap();
    stale.service(Verb::DeleteCas, &name, &Service { modify_index: 1, ..service.clone() }).unwrap();
    stale.node(Verb::DeleteCas, &Node { modify_index: 1, ..node.clone() }).unwrap();
    let errors = errors(commit(&client, &stale));
    assert_eq!(errors.len(), 6, "{errors:?}");
    assert!(errors.iter().all(|(_, what)| what.contains("index is stale")), "{errors:?}");

    let mut fresh = Txn::new();
    fresh.node(Verb::Cas, &Node { address: "10.0.0.2".into(), ..node.clone() }).unwrap();
    fresh.service(Verb::Cas, &name, &Service { port: 9090, ..service.clone() }).unwrap();
    fresh.check(Verb::Cas, &Check { status: "critical".into(), ..check.clone() }).unwrap();
    let outcome = commit(&client, &fresh);
    let [TxnResult::Node(node), TxnResult::Service(service), TxnResult::Check(check)] =
        outcome.results()
    else {
        panic!("{outcome:?}")
    };
    assert_eq!((node.address.as_str(), service.port), ("10.0.0.2", 9090));
    assert_eq!(check.status, "critical");

    let mut gone = Txn::new();
    gone.check(Verb::DeleteCas, check).unwrap();
    gone.service(Verb::Delete, &name, service).unwrap();
    let node = Node { node: name.clone(), ..Node::default() };
    gone.node(Verb::Delete, &node).unwrap();
    assert!(commit(&client, &gone).results().is_empty());
    let mut txn = Txn::new();
    txn.node(Verb::Get, &node).unwrap();
    assert!(error(commit(&client, &txn)).contains("doesn't exist"));
}

#[test]
fn what_a_token_may_not_do_is_told_and_what_it_may_not_read_is_left_out() {
    let Some(consul) = Consul::build().acl().start() else { return };
    consul.put("/v1/kv/secret", "x");
    let nobody = client_at(&consul.address());
    let mut write = Txn::new();
    write.set("mine", b"", 0).unwrap().set("yours", b"", 0).unwrap();
    let outcome = commit(&nobody, &write);
    assert!(outcome.is_denied() && !outcome.is_committed());
    assert!(outcome.errors().iter().all(|error| error.is_denied()), "{outcome:?}");
    assert_eq!(outcome.errors()[1].op_index, 1);
    let refusal = outcome.refusal().unwrap();
    assert_eq!((refusal.status(), refusal.http_status()), (Status::Denied, 409));
    assert!(refusal.message().contains("operation 0: Permission denied"), "{refusal}");

    let mut read = Txn::new();
    read.get("secret").unwrap();
    assert_eq!(commit(&nobody, &read), TxnOutcome::Committed(Vec::new()));
}

#[test]
fn a_transaction_that_reads_is_sent_again_and_one_that_writes_is_not() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reply(&Reply::json(200, r#"{"Results":[],"Errors":null}"#))?;
        // Closes under the next request.
        connection.read_request()?;
        connection.cut()
    });
    let client = client_at(server.address());
    let (mut read, mut write) = (Txn::new(), Txn::new());
    read.get("a").unwrap();
    write.set("a", b"", 0).unwrap();

    let options = none().consistency(Consistency::Stale).index(5);
    client.commit(&read, &options).unwrap();
    client.commit(&read, &options).unwrap();
    assert_eq!(server.requests().len(), 3);

    let error = client.commit(&write, &options).unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Io, true), "{error}");
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0].target, "/v1/txn?stale");
    assert_eq!(requests[3].target, "/v1/txn");
    assert_eq!(requests[3].header("content-type"), Some("application/json"));
}

#[test]
fn an_answer_that_makes_no_sense_leaves_the_outcome_of_a_write_unknown() {
    let server = Server::answering(|_| Reply::text(200, "garbage"));
    let client = client_at(server.address());
    let (mut read, mut write) = (Txn::new(), Txn::new());
    read.get("a").unwrap();
    write.set("a", b"", 0).unwrap();
    for (txn, unknown) in [(read, false), (write, true)] {
        let error = client.commit(&txn, &none()).unwrap_err();
        assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Decode, unknown));
    }
}
