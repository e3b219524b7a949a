//! The body of a transaction.

use super::Outcomes;
use super::kv::KeyOperation;
use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::state::State;
use serde_json::Value;

/// One of a transaction's operations.
pub(super) enum Operation {
    Key(KeyOperation),
}

impl Operation {
    /// True where it goes the way of changes, whatever comes of it.
    pub(super) fn is_write(&self) -> bool {
        match self {
            Operation::Key(operation) => operation.is_write(),
        }
    }

    /// What can be refused before anything is done.
    pub(super) fn check(&self, state: &State) -> Result<(), String> {
        match self {
            Operation::Key(operation) => operation.check(state),
        }
    }

    pub(super) fn run(&self, state: &mut State, index: u64) -> Result<Outcomes, String> {
        match self {
            Operation::Key(operation) => operation.run(state, index),
        }
    }
}

/// The operations of a body; none where there stands an empty object.
pub(super) fn operations(body: &[u8]) -> Result<Vec<Option<Operation>>, String> {
    let value = decode::parse(body)?;
    match &value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.iter().map(operation).collect(),
        other => {
            let kind = decode::kind(other);
            Err(format!("json: cannot unmarshal {kind} into Go value of type api.TxnOps"))
        }
    }
}

fn operation(value: &Value) -> Result<Option<Operation>, String> {
    let Some(fields) = Fields::top(value, "TxnOp", "api.TxnOp")? else { return Ok(None) };
    fields.allow_only(&["KV", "Node", "Service", "Check"])?;
    let key = fields.fields("KV", "KVTxnOp", "api.KVTxnOp")?;
    Ok(key.map(|key| KeyOperation::read(&key)).transpose()?.map(Operation::Key))
}
