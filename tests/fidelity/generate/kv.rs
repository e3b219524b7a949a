//! KV: every verb, with flags, check-and-set, locks, lists and names of keys.

use super::read;
use crate::random::Random;
use crate::sequence::{Sequence, Step};

pub const KEYS: &[&str] = &[
    "<n>/a",
    "<n>/a/b",
    "<n>/a/c",
    "<n>/ab",
    "<n>/d/",
    "<n>/d/e/f",
    "<n>/%C3%A9",
    "<n>/a%20b",
    "<n>/a+b",
    "<n>/a%25b",
    "<n>/a%2Fb",
];
const PREFIXES: &[&str] = &["<n>", "<n>/", "<n>/a", "<n>/a/", "<n>/d/", "<n>/absent"];
const VALUES: &[&[u8]] = &[b"", b"1", b"1", b"two", b"{\"a\": [1, 2]}", b"\x00\xff\x7f", b"<n>"];
const FLAGS: &[&str] = &["flags=0", "flags=1", "flags=42", "flags=18446744073709551615"];
const BAD_FLAGS: &[&str] = &["flags=", "flags=-1", "flags=x", "flags=18446744073709551616"];
const CAS: &[&str] = &["cas=0", "cas=<modify>", "cas=<modify>", "cas=1", "cas=<index>"];
const BAD_CAS: &[&str] = &["cas=", "cas=-1", "cas=x"];
const HOLDERS: &[&str] = &["<s0>", "<s0>", "<s0>", "<s1>", "<s2>", "", "x"];

fn path(key: &str) -> String {
    format!("/v1/kv/{key}")
}

/// A key and mostly the same one, so that steps meet.
fn key(random: &mut Random) -> &'static str {
    if random.once_in(2) { KEYS[0] } else { random.of_these(KEYS) }
}

pub fn step(random: &mut Random, out: &mut Sequence) {
    match random.below(12) {
        0..4 => put(random, out),
        4 => cas(random, out),
        5..7 => get(random, out),
        7..9 => list(random, out),
        9 => names(random, out),
        10 => delete(random, out),
        _ => lock_step(random, out),
    }
}

fn put(random: &mut Random, out: &mut Sequence) {
    let mut query = Vec::new();
    if random.once_in(3) {
        query.push(if random.once_in(6) {
            random.of_these(BAD_FLAGS)
        } else {
            random.of_these(FLAGS)
        });
    }
    if random.once_in(4) {
        query.push(if random.once_in(6) { random.of_these(BAD_CAS) } else { random.of_these(CAS) });
    }
    if random.once_in(20) {
        query.push(random.of_these(&["dc=dc1", "dc=nowhere", "acquire=<s0>", "release=<s0>"]));
    }
    out.push(Step::put(read::with(&path(key(random)), &query), random.of_these(VALUES)));
}

/// Reads a key and changes it by the index it had.
fn cas(random: &mut Random, out: &mut Sequence) {
    let key = path(key(random));
    out.push(Step::get(&key));
    let target = read::with(&key, &["cas=<modify>"]);
    out.push(match random.once_in(3) {
        true => Step::delete(target),
        false => Step::put(target, random.of_these(VALUES)),
    });
}

fn get(random: &mut Random, out: &mut Sequence) {
    let mut query = read::options(random);
    if random.once_in(3) {
        query.push("raw");
    }
    out.push(Step::get(read::with(&path(key(random)), &query)));
}

fn list(random: &mut Random, out: &mut Sequence) {
    let mut query = vec!["recurse"];
    query.extend(read::options(random));
    if random.once_in(8) {
        query.push(random.of_these(&["raw", "separator=/", "keys", "recurse=false"]));
    }
    out.push(Step::get(read::with(&path(random.of_these(PREFIXES)), &query)));
}

fn names(random: &mut Random, out: &mut Sequence) {
    let mut query = vec!["keys"];
    query.extend(read::options(random));
    if !random.once_in(3) {
        query.push(random.of_these(&[
            "separator=/",
            "separator=/",
            "seperator=/",
            "separator=b",
            "separator=",
            "separator=%2F",
            "separator=a/",
        ]));
    }
    out.push(Step::get(read::with(&path(random.of_these(PREFIXES)), &query)));
}

fn delete(random: &mut Random, out: &mut Sequence) {
    if random.once_in(3) {
        let query: &[&str] = if random.once_in(6) { &["recurse", "cas=1"] } else { &["recurse"] };
        out.push(Step::delete(read::with(&path(random.of_these(PREFIXES)), query)));
        return;
    }
    let mut query = Vec::new();
    if random.once_in(3) {
        query.push(if random.once_in(6) { random.of_these(BAD_CAS) } else { random.of_these(CAS) });
    }
    out.push(Step::delete(read::with(&path(key(random)), &query)));
}

/// Takes or gives back a lock, and looks at it.
pub fn lock_step(random: &mut Random, out: &mut Sequence) {
    let key = path(key(random));
    let verb = if random.below(3) < 2 { "acquire" } else { "release" };
    let holder = format!("{verb}={}", random.of_these(HOLDERS));
    let mut query = vec![holder.as_str()];
    if random.once_in(4) {
        query.push(random.of_these(FLAGS));
    }
    if random.once_in(12) {
        query.push(random.of_these(&["cas=0", "cas=<modify>", "acquire=<s1>", "release=<s1>"]));
    }
    out.push(Step::put(read::with(&key, &query), random.of_these(VALUES)));
    if random.once_in(2) {
        out.push(Step::get(key));
    }
}
