//! The body of a transaction.

use super::entity::EntityOperation;
use super::kv::KeyOperation;
use super::shown::Outcomes;
use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::state::State;
use serde_json::Value;

/// One of a transaction's operations.
pub(super) enum Operation {
    Key(KeyOperation),
    Entity(Box<EntityOperation>),
}

impl Operation {
    /// True where it goes the way of changes, whatever comes of it.
    pub(super) fn is_write(&self) -> bool {
        match self {
            Operation::Key(operation) => operation.is_write(),
            Operation::Entity(operation) => operation.is_write(),
        }
    }

    /// What can be refused before anything is done. What is left out is filled in.
    pub(super) fn check(&mut self, state: &State) -> Result<(), String> {
        match self {
            Operation::Key(operation) => operation.check(state),
            Operation::Entity(operation) => operation.check(),
        }
    }

    pub(super) fn run(&self, state: &mut State, index: u64) -> Result<Outcomes, String> {
        match self {
            Operation::Key(operation) => operation.run(state, index),
            Operation::Entity(operation) => operation.run(state, index),
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
    // All are read, and the first that is there counts.
    let key = fields.fields("KV", "KVTxnOp", "api.KVTxnOp")?;
    let key = key.map(|fields| KeyOperation::read(&fields)).transpose()?;
    let mut found = key.map(Operation::Key);
    let node = fields.fields("Node", "NodeTxnOp", "api.NodeTxnOp")?;
    let node = node.map(|fields| EntityOperation::read_node(&fields)).transpose()?;
    found = found.or(node.map(Box::new).map(Operation::Entity));
    let service = fields.fields("Service", "ServiceTxnOp", "api.ServiceTxnOp")?;
    let service = service.map(|fields| EntityOperation::read_service(&fields)).transpose()?;
    found = found.or(service.map(Box::new).map(Operation::Entity));
    let check = fields.fields("Check", "CheckTxnOp", "api.CheckTxnOp")?;
    let check = check.map(|fields| EntityOperation::read_check(&fields)).transpose()?;
    Ok(found.or(check.map(Box::new).map(Operation::Entity)))
}
