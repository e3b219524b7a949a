//! Transactions over keys, nodes, services and checks.

use super::{object, read};
use crate::random::Random;
use crate::sequence::{Sequence, Step};

const VERBS: &[&str] = &[
    "set",
    "set",
    "set",
    "cas",
    "lock",
    "lock",
    "unlock",
    "get",
    "get",
    "get-tree",
    "check-index",
    "check-session",
    "check-not-exists",
    "delete",
    "delete-tree",
    "delete-cas",
];
const KEYS: &[&str] =
    &["<n>/a", "<n>/a", "<n>/a", "<n>/a/b", "<n>/ab", "<n>//c", "<n>/\u{e9}", "/<n>"];
const VALUES: &[&str] = &["", "MQ==", "dHdv", "AP8="];
const INDEXES: &[&str] = &["0", "1", "<modify>", "<modify>", "<index>"];

/// Alone in its transaction: Consul 1.8.7 ends with "panic: close of closed channel" at some later
/// write when other operations stood beside it (go-immutable-radix before 1.3.1).
const DELETE_TREE: &str = "delete-tree";

pub fn step(random: &mut Random, out: &mut Sequence) {
    let count = if random.once_in(30) { 65 } else { 1 + random.below(4) };
    let entities = random.once_in(4);
    let mut operations: Vec<_> = (0..count).map(|_| operation(random, entities, out)).collect();
    if let Some(tree) = operations.iter().position(|operation| operation.contains(DELETE_TREE)) {
        operations = vec![operations.swap_remove(tree)];
    }
    let query = match random.once_in(8) {
        true => vec![random.of_these(&[
            "stale",
            "consistent",
            "stale&consistent",
            "dc=dc1",
            "dc=nowhere",
        ])],
        false => Vec::new(),
    };
    if random.once_in(6) {
        out.push(Step::get("/v1/kv/<n>/a"));
    }
    out.push(Step::put(read::with("/v1/txn", &query), format!("[{}]", operations.join(","))));
}

fn operation(random: &mut Random, entities: bool, out: &mut Sequence) -> String {
    if !entities || random.once_in(4) {
        return kv(random);
    }
    out.clean(Step::put("/v1/catalog/deregister", r#"{"Node":"<n>-n1"}"#));
    match random.below(3) {
        0 => node(random),
        1 => service(random),
        _ => check(random),
    }
}

fn kv(random: &mut Random) -> String {
    let verb = if random.once_in(40) {
        random.of_these(&["", "SET", "burn", "get-or-empty"])
    } else {
        random.of_these(VERBS)
    };
    let key = if random.once_in(40) { "" } else { random.of_these(KEYS) };
    let mut members = vec![format!("\"Verb\":{verb:?}"), format!("\"Key\":{key:?}")];
    if verb.starts_with("set") || random.once_in(3) {
        members.push(format!("\"Value\":{:?}", random.of_these(VALUES)));
    }
    if random.once_in(4) {
        members.push(format!("\"Flags\":{}", random.of_these(&["0", "7", "18446744073709551615"])));
    }
    if verb.contains("cas") || verb == "check-index" {
        members.push(format!("\"Index\":{}", random.of_these(INDEXES)));
    }
    if verb.contains("lock") || verb == "check-session" {
        members
            .push(format!("\"Session\":{:?}", random.of_these(&["<s0>", "<s0>", "<s1>", "", "x"])));
    }
    format!("{{\"KV\":{}}}", object(&members))
}

fn verb(random: &mut Random) -> &'static str {
    match random.once_in(20) {
        true => random.of_these(&["", "lock", "burn"]),
        false => {
            random.of_these(&["set", "set", "set", "cas", "get", "get", "delete", "delete-cas"])
        }
    }
}

fn index(random: &mut Random, verb: &str) -> String {
    match verb.contains("cas") {
        true => format!(",\"ModifyIndex\":{}", random.of_these(INDEXES)),
        false => String::new(),
    }
}

fn node(random: &mut Random) -> String {
    let verb = verb(random);
    let more = random.of_these(&[
        "",
        ",\"Meta\":{\"a\":\"1\"}",
        ",\"TaggedAddresses\":{\"lan\":\"10.0.0.2\"}",
    ]);
    let index = index(random, verb);
    format!(
        r#"{{"Node":{{"Verb":"{verb}","Node":{{"Node":"<n>-n1","Address":"10.0.0.1"{more}{index}}}}}}}"#
    )
}

fn service(random: &mut Random) -> String {
    let verb = verb(random);
    let node = random.of_these(&["<n>-n1", "<n>-n1", "absent-<n>"]);
    let more = random.of_these(&[
        "",
        ",\"Tags\":[\"a\",\"b\"]",
        ",\"Port\":80",
        ",\"Meta\":{\"v\":\"1\"}",
    ]);
    let index = index(random, verb);
    format!(
        r#"{{"Service":{{"Verb":"{verb}","Node":"{node}","Service":{{"ID":"<n>-web","Service":"<n>-web"{more}{index}}}}}}}"#
    )
}

fn check(random: &mut Random) -> String {
    let verb = verb(random);
    let more = random.of_these(&[
        "",
        ",\"Status\":\"passing\"",
        ",\"Status\":\"critical\",\"Output\":\"o\"",
        ",\"ServiceID\":\"<n>-web\"",
    ]);
    let index = index(random, verb);
    format!(
        r#"{{"Check":{{"Verb":"{verb}","Check":{{"Node":"<n>-n1","CheckID":"<n>-c1","Name":"c1"{more}{index}}}}}}}"#
    )
}
