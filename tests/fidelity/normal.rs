//! Answers without what no two agents can have in common. Everything else is compared byte by
//! byte: statuses, content types, bodies with the order and spacing of their members, texts of
//! errors.
//!
//! - An index, in `X-Consul-Index` or a body, becomes its place among all indexes of the run, in
//!   ascending order: two runs are the same when every index stands in the same relation, smaller,
//!   equal or greater, to every other.
//! - An id becomes the number of its first appearance.
//! - The agent's own name and its server's port become words.
//! - What Consul lists in the random order of a Go map is sorted.

use crate::sequence::Step;
use crate::side::Answer;
use std::collections::BTreeSet;

/// What stands before an index of the whole run, in a body or an error that repeats the request.
const INDEXES: &[&str] =
    &["\"CreateIndex\": ", "\"ModifyIndex\": ", "\"Index\": ", "modify index ", " != ", "cas="];

/// What stands before the logical time of an event.
const TIMES: &[&str] = &["\"LTime\": "];

/// What is peculiar to an agent.
#[derive(Clone)]
pub struct Own {
    pub node: String,
    pub server_port: String,
    /// The index up to which it was only busy with its own start.
    pub started: u64,
}

/// The texts to be compared.
pub fn texts(steps: &[Step], answers: &[Answer], own: &Own) -> Vec<String> {
    let (mut indexes, mut times) = (BTreeSet::from([own.started]), BTreeSet::new());
    for answer in answers {
        indexes.insert(answer.index);
        each_number(&answer.text, INDEXES, |index| _ = indexes.insert(index));
        each_number(&answer.text, TIMES, |time| _ = times.insert(time));
    }
    let later: Vec<u64> = indexes.into_iter().filter(|index| *index >= own.started).collect();
    let times: Vec<u64> = times.into_iter().collect();
    let index = |index: u64| match later.binary_search(&index) {
        _ if index <= 1 => format!("<{index}>"),
        Ok(at) => format!("<start+{at}>"),
        Err(_) => "<start>".to_owned(),
    };
    let (mut ids, mut hashes) = (Vec::new(), Vec::new());
    let text = |(step, answer): (&Step, &Answer)| {
        let text = sorted(&step.target, &answer.text);
        let text = with_numbers(&text, INDEXES, index);
        let text = with_numbers(&text, TIMES, |time| format!("<{:?}>", times.binary_search(&time)));
        let text = without_hash(&text, &mut hashes);
        let text = without_ids(&text, &mut ids).replace(&own.node, "<node>");
        let text = text.replace(&format!(": {}", own.server_port), ": <port>");
        let text = text.replace(&format!(":{}\"", own.server_port), ":<port>\"");
        // An event's list has a hash of the last one's id for its index.
        match ids.iter().position(|id| hash(id) == Some(answer.index) && answer.index != 0) {
            Some(event) => format!("index=<of id {event}> {text}"),
            None => format!("index={} {text}", index(answer.index)),
        }
    };
    steps.iter().zip(answers).map(text).collect()
}

/// What Consul makes of an event's id: its two halves as numbers, the one xor the other.
fn hash(id: &str) -> Option<u64> {
    let digits: String = id.split('-').collect();
    let half = |range| u64::from_str_radix(digits.get(range)?, 16).ok();
    Some(half(0..16)? ^ half(16..32)?)
}

/// The answer with the sessions, which Consul lists by their random ids, in the order of their
/// making, and the tags of a service and the checks of an agent's, which it lists in any order, by
/// their names.
fn sorted(target: &str, text: &str) -> String {
    if target.starts_with("/v1/session/list") || target.starts_with("/v1/session/node/") {
        return in_order(text, "    {\n", "\n    }", |session| {
            let mut made = 0;
            each_number(session, &["\"CreateIndex\": "], |index| made = index);
            format!("{made:020}")
        });
    }
    if target.starts_with("/v1/agent/health/service/") {
        // Within one service, and within a list of them.
        let text = in_order(text, "        {\n", "\n        }", str::to_owned);
        let text = in_order(&text, "            {\n", "\n            }", str::to_owned);
        return in_order(&text, "    {\n", "\n    }", str::to_owned);
    }
    if target.starts_with("/v1/catalog/services") {
        return in_order(text, "        \"", "\"", str::to_owned);
    }
    text.to_owned()
}

/// The text with runs of elements, which begin and end so and have commas between them, sorted.
fn in_order(text: &str, begin: &str, end: &str, key: impl Fn(&str) -> String) -> String {
    let (more, last) = (format!("{end},\n"), format!("{end}\n"));
    let (mut out, mut run, mut rest) = (String::new(), Vec::new(), text);
    while let Some(start) = rest.find(begin).filter(|at| *at == 0 || rest[..*at].ends_with('\n')) {
        out.push_str(&rest[..start]);
        let element = &rest[start..];
        let length = [element.find(&more), element.find(&last)].into_iter().flatten().min();
        let Some(length) = length else { break };
        run.push(&element[..length]);
        rest = &element[length..];
        if let Some(next) = rest.strip_prefix(&more).filter(|next| next.starts_with(begin)) {
            rest = next;
            continue;
        }
        run.sort_by_key(|element| key(element));
        out.push_str(&std::mem::take(&mut run).join(&more));
    }
    out + rest
}

/// Shows every number that follows one of `keys`.
fn each_number(text: &str, keys: &[&str], mut see: impl FnMut(u64)) {
    with_numbers(text, keys, |number| {
        see(number);
        String::new()
    });
}

/// The text with every number that follows one of `keys` in other words.
fn with_numbers(text: &str, keys: &[&str], mut words: impl FnMut(u64) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = keys.iter().filter_map(|key| Some(rest.find(key)? + key.len())).min() {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        match after[..digits].parse() {
            Ok(number) => out.push_str(&words(number)),
            Err(_) => out.push_str(&after[..digits]),
        }
        rest = &after[digits..];
    }
    out + rest
}

/// The text with the hash of a service as the number of its first appearance. Only whether two are
/// equal means anything.
fn without_hash(text: &str, hashes: &mut Vec<String>) -> String {
    const KEY: &str = "\"ContentHash\": \"";
    let Some((before, rest)) = text.split_once(KEY) else { return text.to_owned() };
    let (hash, after) = rest.split_once('"').unwrap_or((rest, ""));
    format!("{before}{KEY}<hash {}>\"{after}", number_of(hash, hashes))
}

fn number_of(word: &str, known: &mut Vec<String>) -> usize {
    known.iter().position(|one| one == word).unwrap_or_else(|| {
        known.push(word.to_owned());
        known.len() - 1
    })
}

/// The text with every UUID as the number of its first appearance in the run.
fn without_ids(text: &str, ids: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dash) = rest.find('-') {
        let Some(id) = dash.checked_sub(8).and_then(|start| uuid_at(rest, start)) else {
            out.push_str(&rest[..=dash]);
            rest = &rest[dash + 1..];
            continue;
        };
        out.push_str(&rest[..dash - 8]);
        out.push_str(&format!("<id {}>", number_of(id, ids)));
        rest = &rest[dash - 8 + id.len()..];
    }
    out + rest
}

fn uuid_at(text: &str, start: usize) -> Option<&str> {
    let id = text.get(start..start + 36)?;
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.bytes().enumerate().all(is_right).then_some(id)
}
