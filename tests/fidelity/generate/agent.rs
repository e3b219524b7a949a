//! Services and checks of the agent itself. Checks with a TTL have a long one; those that would
//! probe something have an interval of hours, so that they never do.

use super::{health, list, object, read};
use crate::random::Random;
use crate::sequence::{Sequence, Step};

const SERVICES: &[&str] = &["<n>-web", "<n>-web", "<n>-web2", "<n>-db"];
const CHECKS: &[&str] =
    &["<n>-check", "service:<n>-web", "service:<n>-web:1", "service:<n>-web:2", "absent"];

pub fn step(random: &mut Random, out: &mut Sequence) {
    match random.below(16) {
        0..4 => register_service(random, out),
        4 => register_check(random, out),
        5..8 => update(random, out),
        8 => deregister(random, out),
        9 => maintenance(random, out),
        10..12 => own_lists(random, out),
        12 => {
            let id = random.of_these(SERVICES);
            out.push(Step::get(format!("/v1/agent/service/{id}")));
        }
        13 => {
            let by = random.of_these(&["id", "name"]);
            let format = random.of_these(&["", "", "?format=text"]);
            out.push(Step::get(format!(
                "/v1/agent/health/service/{by}/{}{format}",
                random.of_these(SERVICES)
            )));
        }
        _ => health::look(random, out),
    }
}

pub fn register_service(random: &mut Random, out: &mut Sequence) {
    let id = random.of_these(SERVICES);
    out.clean(Step::put(format!("/v1/agent/service/deregister/{id}"), ""));
    let body = service(random, id);
    let query: &[&str] = if random.once_in(5) { &["replace-existing-checks=true"] } else { &[] };
    out.push(Step::put(read::with("/v1/agent/service/register", query), body));
}

fn service(random: &mut Random, id: &str) -> String {
    let name = if id == "<n>-web2" { "<n>-web" } else { id };
    let mut members = vec![format!("\"Name\":{name:?}")];
    if id != name || random.once_in(3) {
        members.push(format!("\"ID\":{id:?}"));
    }
    if random.once_in(2) {
        members.push(format!("\"Tags\":{}", list(&random.some(3, &["a", "b", "v1", "B"]))));
    }
    if random.once_in(2) {
        members.push(format!("\"Port\":{}", random.of_these(&["80", "0", "8080", "-1"])));
    }
    if random.once_in(3) {
        members.push(format!(
            "\"Address\":{:?}",
            random.of_these(&["10.1.2.3", "", "web.example", "0.0.0.0"])
        ));
    }
    if random.once_in(4) {
        members.push(format!(
            "\"Meta\":{}",
            random.of_these(&["{\"v\":\"1\"}", "{}", "null", "{\"a b\":\"1\"}",])
        ));
    }
    if random.once_in(6) {
        members.push(format!(
            "\"Weights\":{}",
            random.of_these(&["{\"Passing\":5,\"Warning\":2}", "{}", "{\"Passing\":-1}"])
        ));
    }
    if random.once_in(8) {
        members.push("\"EnableTagOverride\":true".to_owned());
    }
    if random.once_in(8) {
        members.push(
            random
                .of_these(&[
                    "\"TaggedAddresses\":{\"lan\":{\"Address\":\"10.0.0.9\",\"Port\":81}}",
                    "\"tagged_addresses\":{\"wan\":{\"address\":\"10.0.0.8\",\"port\":1}}",
                    "\"enable_tag_override\":true",
                    "\"Kind\":\"wrong\"",
                ])
                .to_owned(),
        );
    }
    match random.below(7) {
        6 if random.once_in(3) => {
            let mistake = random.of_these(MISTAKES);
            let (name, _) = mistake.split_once(':').expect("a name and a value");
            members.retain(|member| !member.starts_with(name));
            members.push(mistake.to_owned());
        }
        0 | 1 => members.push(format!("\"Check\":{}", check(random))),
        2 => members.push(format!("\"Checks\":[{},{}]", check(random), check(random))),
        _ => {}
    }
    object(&members)
}

/// Members that Go's decoder does not take. Of two it names the first in the body, the embedded agent
/// perhaps the other one; so there is one at most.
const MISTAKES: &[&str] = &[
    "\"Port\":\"x\"",
    "\"Meta\":{\"v\":1}",
    "\"Colour\":\"red\"",
    "\"Tags\":\"a\"",
    "\"Check\":[]",
    "\"Checks\":{}",
    "\"Check\":{\"TTL\":\"soon\"}",
    "\"Checks\":[{\"Status\":7}]",
];

/// A check's definition without a name.
fn check(random: &mut Random) -> String {
    let mut members = vec![
        random
            .of_these(&[
                "\"TTL\":\"10h\"",
                "\"TTL\":\"10h\"",
                "\"TTL\":\"10h\"",
                "\"HTTP\":\"http://127.0.0.1:1/\",\"Interval\":\"10h\"",
                "\"TCP\":\"127.0.0.1:1\",\"Interval\":\"10h\"",
                "\"TTL\":\"soon\"",
                "\"HTTP\":\"http://127.0.0.1:1/\"",
                "\"Interval\":\"10h\"",
            ])
            .to_owned(),
    ];
    if random.once_in(2) {
        members.push(format!(
            "\"Status\":{:?}",
            random.of_these(&["passing", "passing", "warning", "critical", "", "burn"])
        ));
    }
    if random.once_in(4) {
        members.push(format!("\"Notes\":{:?}", random.of_these(&["note", ""])));
    }
    if random.once_in(8) {
        members.push(
            random
                .of_these(&[
                    "\"DeregisterCriticalServiceAfter\":\"10h\"",
                    "\"SuccessBeforePassing\":3",
                    "\"Output\":\"out\"",
                    "\"CheckID\":\"<n>-check\"",
                ])
                .to_owned(),
        );
    }
    object(&members)
}

fn register_check(random: &mut Random, out: &mut Sequence) {
    out.clean(Step::put("/v1/agent/check/deregister/<n>-check", ""));
    let definition = check(random);
    let mut members = vec![definition.trim_start_matches('{').trim_end_matches('}').to_owned()];
    if !random.once_in(12) {
        members.push("\"Name\":\"<n>-check\"".to_owned());
    }
    if random.once_in(3) {
        let id = random.of_these(&["<n>-web", "<n>-web", "absent"]);
        members.push(format!("\"ServiceID\":{id:?}"));
    }
    out.push(Step::put("/v1/agent/check/register", object(&members)));
}

fn update(random: &mut Random, out: &mut Sequence) {
    let id = random.of_these(CHECKS);
    if random.once_in(4) {
        let body = random.of_these(&[
            "{\"Status\":\"passing\",\"Output\":\"fine\"}",
            "{\"Status\":\"critical\"}",
            "{\"Status\":\"warning\",\"Output\":\"\"}",
            "{\"Status\":\"burn\"}",
            "{}",
            "{",
        ]);
        out.push(Step::put(format!("/v1/agent/check/update/{id}"), body));
        return;
    }
    let verb = random.of_these(&["pass", "pass", "warn", "fail", "burn"]);
    let note = random.of_these(&["", "", "?note=a%20note"]);
    out.push(Step::put(format!("/v1/agent/check/{verb}/{id}{note}"), ""));
}

fn deregister(random: &mut Random, out: &mut Sequence) {
    out.push(match random.once_in(2) {
        true => {
            Step::put(format!("/v1/agent/service/deregister/{}", random.of_these(SERVICES)), "")
        }
        false => Step::put(format!("/v1/agent/check/deregister/{}", random.of_these(CHECKS)), ""),
    });
}

fn maintenance(random: &mut Random, out: &mut Sequence) {
    let query = random.of_these(&[
        "enable=true",
        "enable=true&reason=a%20reason",
        "enable=false",
        "enable=x",
        "",
    ]);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    if random.once_in(5) {
        out.clean(Step::put("/v1/agent/maintenance?enable=false", ""));
        out.push(Step::put(format!("/v1/agent/maintenance{query}"), ""));
        return;
    }
    out.push(Step::put(
        format!("/v1/agent/service/maintenance/{}{query}", random.of_these(SERVICES)),
        "",
    ));
}

fn own_lists(random: &mut Random, out: &mut Sequence) {
    let filters = [
        "filter=Service==%22<n>-web%22",
        "filter=%22a%22%20in%20Tags",
        "filter=Port!=80",
        "filter=Status==passing",
        "filter=ServiceID!=%22%22",
        "filter=Meta.v==1",
        "filter=Tags%20is%20empty",
        "filter=Colour==1",
        "filter=((",
    ];
    let filter = random.of_these(&filters);
    let query: &[&str] = if random.once_in(2) { &[] } else { &[filter] };
    out.push(Step::get(read::with(
        random.of_these(&["/v1/agent/services", "/v1/agent/checks"]),
        query,
    )));
}
