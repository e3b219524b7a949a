//! `/v1/txn`: several operations, all of them or none.

mod entity;
mod kv;
mod read;
mod shown;

use super::state::State;
use super::wait::Options;
use super::wire::{Answer, Outcome, Wire};
use read::Operation;
use shown::{Contact, Failure, Outcomes};

/// How many operations a transaction may have.
const MAX_OPERATIONS: usize = 64;
/// Consul's limit of the body, `txn_max_req_len`.
const MAX_BODY: usize = 512 * 1024;

pub(super) fn apply(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    check_size(wire.body.len())?;
    let operations = read::operations(&wire.body)
        .map_err(|cause| Answer::error(400, format!("Failed to parse body: {cause}")))?;
    if operations.len() > MAX_OPERATIONS {
        let size = operations.len();
        let text = format!("Transaction contains too many operations ({size} > {MAX_OPERATIONS})");
        return Err(Answer::error(413, text));
    }
    let mut operations: Vec<Operation> = operations.into_iter().flatten().collect();
    let writes = operations.iter().any(Operation::is_write);
    if !writes {
        Options::parse(wire)?;
    }
    wire.check_datacenter()?;
    let known_leader = state.has_leader;
    let outcome = check(state, &mut operations).and_then(|()| run(state, &operations, writes));
    let answer = shown::answer(outcome, (!writes).then(|| Contact::new(known_leader)));
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
fn check(state: &State, operations: &mut [Operation]) -> Result<(), Vec<Failure>> {
    none_failed(operations.iter_mut().map(|operation| operation.check(state)))
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
