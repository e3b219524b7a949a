//! Fields of a body with Go's zero values where they are missing.

use super::Result;
use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::go;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl<'a> Fields<'a> {
    /// What is wrong within a value that reads itself, told of the field that it stands in.
    pub(super) fn outer(&self, why: &str, name: &str) -> String {
        let Some((found, go_type)) = why
            .strip_prefix("json: cannot unmarshal ")
            .and_then(|rest| rest.split_once(" into Go "))
            .and_then(|(found, rest)| {
                let (_, go_type) = rest.split_once(" of type ")?;
                Some((found, go_type))
            })
        else {
            return why.to_owned();
        };
        self.mismatch(found, name, go_type)
    }

    pub(in crate::transport::embedded) fn text(&self, name: &str) -> Result<String> {
        Ok(self.string(name)?.unwrap_or_default())
    }

    pub(in crate::transport::embedded) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.mismatch(decode::kind(other), name, "bool")),
        }
    }

    pub(in crate::transport::embedded) fn number(&self, name: &str) -> Result<i64> {
        match self.get(name) {
            None => Ok(0),
            Some(Value::Number(number)) => number
                .as_i64()
                .ok_or_else(|| self.mismatch(&format!("number {number}"), name, "int")),
            Some(other) => Err(self.mismatch(decode::kind(other), name, "int")),
        }
    }

    /// A text in Go's syntax, or nanoseconds; whatever else is nothing.
    pub(super) fn duration(&self, name: &str) -> Result<i64> {
        match self.get(name) {
            Some(Value::String(text)) => go::parse_duration(text),
            #[allow(clippy::cast_possible_truncation)] // As Go cuts it.
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default() as i64),
            _ => Ok(0),
        }
    }

    /// A list of texts; none where it is missing or `null`.
    pub(super) fn tags(&self, name: &str) -> Result<Option<Vec<String>>> {
        if self.get(name).is_none() { Ok(None) } else { self.strings(name) }
    }

    pub(super) fn map(&self, name: &str, go_type: &str) -> Result<Option<&'a Map<String, Value>>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(entries)) => Ok(Some(entries)),
            Some(other) => Err(self.mismatch(decode::kind(other), name, go_type)),
        }
    }

    pub(in crate::transport::embedded) fn texts_by_name(
        &self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>> {
        let Some(entries) = self.map(name, "map[string]string")? else { return Ok(None) };
        let text = |value: &Value| match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            other => Err(self.mismatch(decode::kind(other), name, "string")),
        };
        let entries = entries.iter().map(|(name, value)| Ok((name.clone(), text(value)?)));
        entries.collect::<Result<_>>().map(Some)
    }

    pub(super) fn list(&self, name: &str, go_type: &str) -> Result<Vec<&'a Value>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(all)) => Ok(all.iter().collect()),
            Some(other) => Err(self.mismatch(decode::kind(other), name, go_type)),
        }
    }
}
