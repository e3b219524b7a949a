//! Events.

use super::read;
use crate::random::Random;
use crate::sequence::{Sequence, Step};

pub fn step(random: &mut Random, out: &mut Sequence) {
    if random.once_in(2) {
        let query = match random.once_in(3) {
            true => vec![random.of_these(&[
                "node=.",
                "node=%5Bx",
                "service=web",
                "service=web&tag=a",
                "tag=a",
                "node=x&service=y&tag=z",
                "service=(",
                "dc=dc1",
                "dc=nowhere",
            ])],
            false => Vec::new(),
        };
        let name = random.of_these(&["<n>-deploy", "<n>-deploy", "<n>-build"]);
        let body = random.of_these(&["", "payload", "{\"a\":1}", "\u{e9}"]);
        out.push(Step::put(read::with(&format!("/v1/event/fire/{name}"), &query), body));
        return;
    }
    let name = random.of_these(&[
        "name=<n>-deploy",
        "name=<n>-deploy",
        "name=<n>-build",
        "name=<n>-absent",
    ]);
    let mut query = vec![name];
    if random.once_in(4) {
        query.push(random.of_these(&[
            "node=x",
            "service=web",
            "tag=a",
            "service=web&tag=a",
            "index=1&wait=1ms",
            "index=<index>&wait=1ms",
            "index=x",
            "node=%5Bx",
        ]));
    }
    out.push(Step::get(read::with("/v1/event/list", &query)));
}
