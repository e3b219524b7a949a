//! The catalog, with nodes of the sequence's own: what is registered for the agent's own node is
//! the agent's business, which takes it away again when it pleases.

use super::{health, list, object, read};
use crate::random::Random;
use crate::sequence::{Sequence, Step};

pub const NODES: &[&str] = &["<n>-n1", "<n>-n1", "<n>-n2"];
pub const SERVICES: &[&str] = &["<n>-web", "<n>-web", "<n>-db"];

pub fn step(random: &mut Random, out: &mut Sequence) {
    match random.below(10) {
        0..5 => register(random, out),
        5 => deregister(random, out),
        6..8 => look(random, out),
        _ => health::look(random, out),
    }
}

fn register(random: &mut Random, out: &mut Sequence) {
    let node = random.of_these(NODES);
    out.clean(Step::put("/v1/catalog/deregister", format!("{{\"Node\":{node:?}}}")));
    let mut members = vec![format!("\"Node\":{node:?}")];
    if !random.once_in(12) {
        members.push(format!(
            "\"Address\":{:?}",
            random.of_these(&["10.0.0.1", "10.0.0.1", "10.0.0.2", ""])
        ));
    }
    if random.once_in(4) {
        members.push(format!(
            "\"NodeMeta\":{}",
            random.of_these(&["{\"rack\":\"1\"}", "{\"rack\":\"2\",\"b\":\"\"}", "{}", "null"])
        ));
    }
    if random.once_in(6) {
        members.push(
            random
                .of_these(&[
                    "\"TaggedAddresses\":{\"lan\":\"10.0.0.1\",\"wan\":\"1.2.3.4\"}",
                    "\"Datacenter\":\"dc1\"",
                    "\"Datacenter\":\"nowhere\"",
                    "\"SkipNodeUpdate\":true",
                    "\"ID\":\"x\"",
                    "\"Colour\":1",
                ])
                .to_owned(),
        );
    }
    if !random.once_in(4) {
        members.push(format!("\"Service\":{}", service(random)));
    }
    match random.below(4) {
        0 | 1 => members.push(format!("\"Check\":{}", check(random, node))),
        2 => members.push(format!("\"Checks\":[{},{}]", check(random, node), check(random, node))),
        _ => {}
    }
    out.push(Step::put("/v1/catalog/register", object(&members)));
}

fn service(random: &mut Random) -> String {
    let name = random.of_these(SERVICES);
    let mut members = Vec::new();
    if !random.once_in(20) {
        members.push(format!("\"Service\":{name:?}"));
    }
    if random.once_in(2) {
        members.push(format!("\"ID\":{:?}", random.of_these(&["<n>-web", "<n>-1", "<n>-2"])));
    }
    if random.once_in(2) {
        members.push(format!("\"Tags\":{}", list(&random.some(3, &["a", "b", "v1", "B"]))));
    }
    if random.once_in(2) {
        members.push(format!("\"Port\":{}", random.of_these(&["80", "0", "8080"])));
    }
    if random.once_in(4) {
        members
            .push(format!("\"Address\":{:?}", random.of_these(&["10.1.2.3", "", "web.example"])));
    }
    if random.once_in(4) {
        members.push(format!("\"Meta\":{}", random.of_these(&["{\"v\":\"1\"}", "{}", "null"])));
    }
    if random.once_in(8) {
        members.push(
            random
                .of_these(&[
                    "\"Weights\":{\"Passing\":5,\"Warning\":2}",
                    "\"EnableTagOverride\":true",
                    "\"TaggedAddresses\":{\"lan\":{\"Address\":\"10.0.0.9\",\"Port\":81}}",
                    "\"Kind\":\"wrong\"",
                ])
                .to_owned(),
        );
    }
    object(&members)
}

fn check(random: &mut Random, node: &str) -> String {
    let mut members = Vec::new();
    if !random.once_in(12) {
        members.push("\"Name\":\"c\"".to_owned());
    }
    if random.once_in(2) {
        members.push(format!("\"CheckID\":{:?}", random.of_these(&["<n>-c1", "<n>-c2"])));
    }
    if random.once_in(2) {
        members.push(format!(
            "\"Status\":{:?}",
            random.of_these(&["passing", "passing", "warning", "critical", "burn"])
        ));
    }
    if random.once_in(2) {
        members.push(format!(
            "\"ServiceID\":{:?}",
            random.of_these(&["<n>-web", "<n>-web", "<n>-1", "absent"])
        ));
    }
    if random.once_in(4) {
        members.push(format!("\"Node\":{:?}", random.of_these(&[node, "absent"])));
    }
    if random.once_in(4) {
        members.push(random.of_these(&[
            "\"Notes\":\"n\",\"Output\":\"o\"",
            "\"Definition\":{\"Interval\":\"10s\",\"TCP\":\"127.0.0.1:1\"}",
            "\"Definition\":{\"HTTP\":\"http://a/\",\"Interval\":\"10s\",\"Timeout\":\"5s\",\"DeregisterCriticalServiceAfter\":\"1h\"}",
            "\"ServiceTags\":[\"x\"]",
        ]).to_owned());
    }
    object(&members)
}

fn deregister(random: &mut Random, out: &mut Sequence) {
    let mut members = vec![format!(
        "\"Node\":{:?}",
        random.of_these(&["<n>-n1", "<n>-n1", "<n>-n2", "absent", ""])
    )];
    match random.below(3) {
        0 => members
            .push(format!("\"ServiceID\":{:?}", random.of_these(&["<n>-web", "<n>-1", "absent"]))),
        1 => members.push(format!(
            "\"CheckID\":{:?}",
            random.of_these(&["<n>-c1", "<n>-c2", "c", "absent"])
        )),
        _ => {}
    }
    if random.once_in(12) {
        members.push("\"Datacenter\":\"dc1\"".to_owned());
    }
    out.push(Step::put("/v1/catalog/deregister", object(&members)));
}

pub fn look(random: &mut Random, out: &mut Sequence) {
    let service = random.of_these(SERVICES);
    let node = random.of_these(&["<n>-n1", "<n>-n1", "<n>-n2", "<node>", "absent"]);
    let path = match random.below(6) {
        0 => "/v1/catalog/nodes".to_owned(),
        1 => "/v1/catalog/services".to_owned(),
        2 | 3 => format!("/v1/catalog/service/{service}"),
        4 => format!("/v1/catalog/node/{node}"),
        _ => format!("/v1/catalog/node-services/{node}"),
    };
    let mut query = read::options(random);
    if random.once_in(3) {
        query.push(random.of_these(&[
            "node-meta=rack:1",
            "node-meta=rack:1&node-meta=b:",
            "node-meta=rack",
            "tag=a",
            "tag=a&tag=b",
            "tag=A",
            "tag=",
            "filter=Node==%22<n>-n1%22",
            "filter=Meta.rack==1",
            "filter=%22a%22%20in%20ServiceTags",
            "filter=ServicePort==80",
            "filter=Service==%22<n>-web%22",
            "filter=((",
            "filter=Colour==1",
        ]));
    }
    out.push(Step::get(read::with(&path, &query)));
}
