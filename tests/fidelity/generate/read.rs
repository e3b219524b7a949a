//! What every read may carry in its query.

use crate::random::Random;

/// Options of a read, mostly none. No wait is longer than a millisecond.
pub fn options(random: &mut Random) -> Vec<&'static str> {
    if !random.once_in(5) {
        return Vec::new();
    }
    let one = random.of_these(&[
        "stale",
        "consistent",
        "stale&consistent",
        "leader",
        "max_stale=1h",
        "max_stale=soon",
        "dc=dc1",
        "dc=nowhere",
        "index=0",
        "index=1&wait=1ms",
        "index=1&wait=soon",
        "index=one",
        "index=-1",
        "index=99999999999999999999",
        "index=<index>&wait=1ms",
        "wait=1ms",
        "wait=5",
        "pretty",
        "ns=team",
    ]);
    vec![one]
}

/// A path with a query of these parts.
pub fn with(path: &str, parts: &[&str]) -> String {
    match parts {
        [] => path.to_owned(),
        parts => format!("{path}?{}", parts.join("&")),
    }
}
