//! Requests that no client should send: bodies that are no JSON, methods and paths that are not
//! there, parameters left out.

use crate::random::Random;
use crate::sequence::{Sequence, Step};
use consul_ffi::api::raw::Method;

const PUTS: &[&str] = &[
    "/v1/txn",
    "/v1/session/create",
    "/v1/session/destroy/",
    "/v1/session/renew/",
    "/v1/agent/service/register",
    "/v1/agent/service/deregister/",
    "/v1/agent/check/register",
    "/v1/agent/check/deregister/",
    "/v1/agent/check/pass/",
    "/v1/agent/check/update/",
    "/v1/agent/check/update/<n>-absent",
    "/v1/agent/service/maintenance/",
    "/v1/catalog/register",
    "/v1/catalog/deregister",
    "/v1/event/fire/",
    "/v1/kv/?cas=0",
];
const BODIES: &[&str] = &[
    "",
    "{",
    "[",
    "[]",
    "{}",
    "[{}]",
    "null",
    "true",
    "7",
    "\"text\"",
    "not json",
    "[1]",
    "[[]]",
    "{\"Name\":7}",
    "{\"Name\":[]}",
    "{\"TTL\":5}",
    "{\"LockDelay\":{}}",
    "{\"Node\":7}",
    "{\"Service\":7}",
    "{\"Check\":[]}",
    "{\"Tags\":\"a\"}",
    "{} {}",
    "{}x",
    "[{\"KV\":7}]",
    "[{\"KV\":null}]",
    "[{\"KV\":{}}]",
    "[{\"KV\":{\"Verb\":7}}]",
    "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"<n>/a\",\"Value\":\"%%%\"}}]",
    "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"<n>/a\",\"Value\":7}}]",
    "[{\"Colour\":{}}]",
    "[{\"KV\":{\"Verb\":\"get\",\"Key\":\"<n>/a\"},\"Node\":{\"Verb\":\"get\",\"Node\":{\"Node\":\"x\"}}}]",
];
const PATHS: &[&str] = &[
    "/v1/",
    "/v1/none",
    "/v1/kv",
    "/v1/kv/?raw",
    "/v1/kv/<n>//a",
    "/v1/kv/<n>/../a",
    "/v1/kv/<n>/./a",
    "/v1/kv/<n>%00",
    "/v1/kv/<n>%09",
    "/v1/kv/<n>%C2%A0",
    "/v1/kv/<n>?index=1&wait=1ms&index=x",
    "/v1/session",
    "/v1/session/",
    "/v1/session/info",
    "/v1/session/info/",
    "/v1/session/info/x",
    "/v1/session/node/",
    "/v1/session/list/",
    "/v1/session/create",
    "/v1/session/destroy/x",
    "/v1/session/renew/x",
    "/v1/txn",
    "/v1/txn/",
    "/v1/agent",
    "/v1/agent/service/",
    "/v1/agent/service/absent",
    "/v1/agent/services/",
    "/v1/agent/check/register",
    "/v1/agent/service/register",
    "/v1/agent/health/service/id/",
    "/v1/agent/health/service/name/",
    "/v1/agent/health/service/id/absent",
    "/v1/agent/health/service/name/absent",
    "/v1/catalog",
    "/v1/catalog/service/",
    "/v1/catalog/node/",
    "/v1/catalog/node-services/",
    "/v1/catalog/register",
    "/v1/catalog/datacenters",
    "/v1/health/checks/",
    "/v1/health",
    "/v1/status/leader",
    "/v1/status/peers",
    "/v1/status",
    "/v1/event/list/",
    "/v1/event/fire/x",
];

pub fn step(random: &mut Random, out: &mut Sequence) {
    if random.once_in(2) {
        out.push(Step::put(random.of_these(PUTS), random.of_these(BODIES)));
        return;
    }
    let method = match random.below(5) {
        0 => Method::Post,
        1 => Method::Put,
        2 => Method::Delete,
        _ => Method::Get,
    };
    let path = random.of_these(PATHS);
    // Made without a body, it is a session or a registration; its own areas do that.
    if method != Method::Get && (path.ends_with("/create") || path.contains("recurse")) {
        return;
    }
    out.push(Step::get(path).by(method));
}
