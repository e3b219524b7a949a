//! What the random sequences have found, kept: each was a difference once.

use crate::compare::Pair;
use crate::sequence::{Sequence, Step};
use crate::side::Side;

fn put(target: &str, body: &str) -> Step {
    Step::put(target, body)
}

fn get(target: &str) -> Step {
    Step::get(target)
}

/// What was different, and the steps that show it.
fn found() -> Vec<(&'static str, Vec<Step>)> {
    let gone = || put("/v1/catalog/deregister", r#"{"Node":"<n>-n1"}"#);
    let registered = |more: &str| {
        put("/v1/catalog/register", &format!(r#"{{"Node":"<n>-n1","Address":"10.0.0.1",{more}}}"#))
    };
    vec![
        (
            "a deleted tree has one tombstone, which a list of less does not see",
            vec![
                put("/v1/kv/<n>/a", "1"),
                Step::delete("/v1/kv/<n>/?recurse"),
                put("/v1/kv/<n>/d", "1"),
                get("/v1/kv/<n>/absent"),
                get("/v1/kv/<n>/a?recurse"),
                get("/v1/kv/<n>/?recurse"),
            ],
        ),
        (
            "a redirect is explained to who reads",
            vec![get("/v1/kv/<n>//a"), put("/v1/kv/<n>//a", "1"), get("/v1/session/info")],
        ),
        (
            "what is no JSON is refused in Go's words",
            vec![
                put("/v1/agent/check/update/<n>", "not json"),
                put("/v1/catalog/deregister", r#"{"Node":"a" x}"#),
                put("/v1/session/create", "[1 2]"),
            ],
        ),
        (
            "a body that is no object is refused with the Go type it should have had",
            vec![put("/v1/agent/check/register", "[]"), put("/v1/agent/service/register", "7")],
        ),
        (
            "a check that cannot be is refused before a field of a wrong type",
            vec![put(
                "/v1/agent/service/register",
                r#"{"Name":"<n>","Port":"x","Check":{"TTL":"soon"}}"#,
            )],
        ),
        (
            "the verbs of a transaction have types of their own",
            vec![
                put("/v1/txn", r#"[{"KV":{"Verb":7}}]"#),
                put("/v1/txn", r#"[{"Check":{"Verb":7}}]"#),
            ],
        ),
        (
            "a service without a name has no id, and cannot be stored",
            vec![registered(r#""Service":{"Port":80}"#), gone()],
        ),
        (
            "that a check's service is not there is seen before that the check has no id",
            vec![registered(r#""Check":{"ServiceID":"<n>-web"}"#), gone()],
        ),
        (
            "a check is set by index 0 on a node that is not there: no error, and no result",
            vec![put(
                "/v1/txn",
                r#"[{"Check":{"Verb":"cas","Check":{"Node":"<n>-n1","CheckID":"c","Name":"c"}}}]"#,
            )],
        ),
    ]
}

#[test]
fn what_was_found_once_stays_mended() {
    let Some(real) = Side::real() else { return };
    let mut pair = Pair::new(real, Side::at("embedded:"));
    for (what, steps) in found() {
        let difference = pair.compare(&Sequence { steps, ..Sequence::default() });
        let report = difference.map(|difference| difference.report).unwrap_or_default();
        assert!(report.is_empty(), "{what}:\n{report}");
    }
}
