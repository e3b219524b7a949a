//! Sessions. Their TTLs and lock-delays are far longer than a sequence.

use super::{list, object, read};
use crate::random::Random;
use crate::sequence::{Sequence, Step};

const IDS: &[&str] = &["<s0>", "<s0>", "<s1>", "<s2>", "11111111-2222-3333-4444-555555555555"];
const BAD_IDS: &[&str] = &["x", "", "%20", "11111111-2222-3333-4444-55555555555g"];

pub fn step(random: &mut Random, out: &mut Sequence) {
    match random.below(10) {
        0..5 => create(random, out),
        5 => {
            let id = id(random);
            out.push(Step::put(format!("/v1/session/destroy/{id}"), ""));
        }
        6 => {
            let id = id(random);
            out.push(Step::put(format!("/v1/session/renew/{id}"), ""));
        }
        7..9 => {
            let path = format!("/v1/session/info/{}", id(random));
            out.push(Step::get(read::with(&path, &read::options(random))));
        }
        _ => {
            let path = random.of_these(&[
                "/v1/session/list",
                "/v1/session/node/<node>",
                "/v1/session/node/<n>-n1",
                "/v1/session/node/absent",
                "/v1/session/node/",
            ]);
            out.push(Step::get(read::with(path, &read::options(random))));
        }
    }
}

fn id(random: &mut Random) -> &'static str {
    if random.once_in(8) { random.of_these(BAD_IDS) } else { random.of_these(IDS) }
}

fn create(random: &mut Random, out: &mut Sequence) {
    if random.once_in(8) {
        out.push(Step::put("/v1/session/create", ""));
        return;
    }
    let body = definition(random);
    let target =
        if random.once_in(30) { "/v1/session/create?dc=dc1" } else { "/v1/session/create" };
    out.push(Step::put(target, body));
}

fn definition(random: &mut Random) -> String {
    let mut members = Vec::new();
    if random.once_in(2) {
        members.push(format!("\"Name\":{:?}", random.of_these(&["<n>", "", "a \u{e9} b"])));
    }
    if random.once_in(2) {
        let ttl = random
            .of_these(&["3600s", "1h", "86400s", "90m", "", "0s", "9s", "24h1s", "10", "x", "-1s"]);
        members.push(format!("\"TTL\":{ttl:?}"));
    }
    if random.once_in(2) {
        let delay = random.of_these(&[
            "\"0s\"",
            "\"60s\"",
            "\"61s\"",
            "60",
            "0",
            "60000000000",
            "\"15\"",
            "null",
            "\"\"",
            "true",
        ]);
        members.push(format!("\"LockDelay\":{delay}"));
    }
    if random.once_in(2) {
        let behavior = random.of_these(&["release", "delete", "delete", "", "burn", "Delete"]);
        members.push(format!("\"Behavior\":{behavior:?}"));
    }
    if random.once_in(3) {
        let node = random.of_these(&["<node>", "<n>-n1", "absent", ""]);
        members.push(format!("\"Node\":{node:?}"));
    }
    if random.once_in(2) {
        let name = random.of_these(&["NodeChecks", "NodeChecks", "Checks"]);
        let checks =
            random.some(2, &["serfHealth", "<n>-check", "service:<n>-web", "<n>-c1", "absent"]);
        members.push(format!("\"{name}\":{}", list(&checks)));
    }
    if random.once_in(5) {
        let id = random.of_these(&["service:<n>-web", "<n>-check", "absent"]);
        members.push(format!("\"ServiceChecks\":[{{\"ID\":{id:?}}}]"));
    }
    if random.once_in(12) {
        // Of a name that is given twice Go takes the last.
        members.retain(|member| !member.starts_with("\"Name\""));
        members.push(
            random
                .of_these(&["\"Colour\":1", "\"ID\":\"x\"", "\"Name\":7", "\"name\":\"low\""])
                .to_owned(),
        );
    }
    object(&members)
}
