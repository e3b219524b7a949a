//! `/v1/txn`: several operations, all of them or none.

mod kv;
mod read;

use super::kv::Pair;
use super::state::{Entry, State};
use super::wait::Options;
use super::wire::{Answer, Outcome, Wire};
use read::Operation;
use serde::Serialize;

/// How many operations a transaction may have.
const MAX_OPERATIONS: usize = 64;
/// Consul's limit of the body, `txn_max_req_len`.
const MAX_BODY: usize = 512 * 1024;

/// What an operation gives: nothing, or what it read or wrote.
enum Outcomes {
    None,
    /// A key with its entry; with the value where that was asked for.
    Keys(Vec<(String, Entry)>),
}

#[derive(Serialize)]
enum Shown<'a> {
    #[serde(rename = "KV")]
    Key(Pair<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    op_index: usize,
    what: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    results: Option<Vec<Shown<'a>>>,
    errors: Option<Vec<Failure>>,
    #[serde(flatten)]
    meta: Option<Meta>,
}

/// What only a transaction that reads tells.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    index: u64,
    last_contact: u64,
    known_leader: bool,
    consistency_level: &'static str,
}

pub(super) fn apply(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    check_size(wire.body.len())?;
    let operations = read::operations(&wire.body)
        .map_err(|cause| Answer::error(400, format!("Failed to parse body: {cause}")))?;
    if operations.len() > MAX_OPERATIONS {
        let size = operations.len();
        let text = format!("Transaction contains too many operations ({size} > {MAX_OPERATIONS})");
        return Err(Answer::error(413, text));
    }
    let operations: Vec<Operation> = operations.into_iter().flatten().collect();
    let writes = operations.iter().any(Operation::is_write);
    if !writes {
        Options::parse(wire)?;
    }
    wire.check_datacenter()?;
    let known_leader = state.has_leader;
    let meta = (!writes).then_some(Meta {
        index: 0,
        last_contact: 0,
        known_leader,
        consistency_level: "",
    });
    let outcome = check(state, &operations).and_then(|()| run(state, &operations, writes));
    let answer = shown(outcome, meta);
    if writes {
        return Ok(answer);
    }
    let answer = answer.with_header("x-consul-lastcontact", 0);
    Ok(answer.with_header("x-consul-knownleader", known_leader))
}

fn check_size(size: usize) -> Outcome<()> {
    if size <= MAX_BODY {
        return Ok(());
    }
    let text = format!(
        "Request body({size} bytes) too large, max size: {MAX_BODY} bytes. See \
         https://www.consul.io/docs/agent/options.html#txn_max_req_len."
    );
    Err(Answer::error(413, text))
}

/// What can be refused before anything is done.
fn check(state: &State, operations: &[Operation]) -> Result<(), Vec<Failure>> {
    none_failed(operations.iter().map(|operation| operation.check(state)))
}

/// Does all of them, or changes nothing.
fn run(
    state: &mut State,
    operations: &[Operation],
    writes: bool,
) -> Result<Vec<Outcomes>, Vec<Failure>> {
    let before = writes.then(|| state.clone());
    let index = if writes { state.next_index() } else { state.index };
    let mut outcomes = Vec::new();
    let done = operations.iter().map(|operation| {
        let outcome = operation.run(state, index)?;
        outcomes.push(outcome);
        Ok(())
    });
    let failures = none_failed(done);
    if let (Err(_), Some(before)) = (&failures, before) {
        state.roll_back(before);
    }
    failures.map(|()| outcomes)
}

fn none_failed(results: impl Iterator<Item = Result<(), String>>) -> Result<(), Vec<Failure>> {
    let failed = results.enumerate().filter_map(|(op_index, result)| {
        let what = result.err()?;
        Some(Failure { op_index, what })
    });
    let failed: Vec<Failure> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

fn shown(outcome: Result<Vec<Outcomes>, Vec<Failure>>, meta: Option<Meta>) -> Answer {
    match outcome {
        Ok(outcomes) => {
            let results = outcomes.iter().flat_map(Outcomes::shown).collect();
            Answer::json(&Body { results: Some(results), errors: None, meta })
        }
        Err(failures) => {
            let body = Body { results: None, errors: Some(failures), meta };
            Answer::json(&body).with_status(409)
        }
    }
}

impl Outcomes {
    fn shown(&self) -> Vec<Shown<'_>> {
        match self {
            Outcomes::None => Vec::new(),
            Outcomes::Keys(keys) => {
                keys.iter().map(|(key, entry)| Shown::Key(Pair::new(key, entry))).collect()
            }
        }
    }
}
