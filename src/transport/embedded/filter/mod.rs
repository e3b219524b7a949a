//! Consul's filter expressions: read, checked against what an endpoint's answer consists of, and
//! applied to its items.

mod evaluate;
pub(super) mod fields;
mod grammar;
mod peg;
mod regex;
mod validate;

pub(super) use regex::compile;

#[cfg(test)]
mod tests;

use fields::Object;
use serde::Serialize;
use serde_json::Value;
use validate::Condition;

/// The filter of a request; none lets everything through.
pub(super) struct Filter(Option<Condition>);

impl Filter {
    /// Reads the text of `?filter=`, empty for none, and checks it against the items' fields. The
    /// error is Consul's.
    pub(super) fn new(text: &str, item: &'static Object) -> Result<Filter, String> {
        if text.is_empty() {
            return Ok(Filter(None));
        }
        let condition = Filter::parsed(text)
            .and_then(|expression| validate::check(expression, item))
            .map_err(prefixed)?;
        Ok(Filter(Some(condition)))
    }

    /// The same for `/v1/agent/checks`, which looks at the fields only when there is an item, and
    /// then says what is wrong in its own words.
    pub(super) fn late(text: &str, item: &'static Object, empty: bool) -> Result<Filter, String> {
        if text.is_empty() {
            return Ok(Filter(None));
        }
        let expression = Filter::parsed(text).map_err(prefixed)?;
        if empty {
            return Ok(Filter(None));
        }
        validate::check(expression, item).map(|condition| Filter(Some(condition)))
    }

    fn parsed(text: &str) -> Result<grammar::Expression, String> {
        grammar::parse(text)
    }

    /// Whether the item is to be in the answer.
    pub(super) fn admits(&self, item: &impl Serialize) -> bool {
        let Some(condition) = &self.0 else { return true };
        let item = serde_json::to_value(item).unwrap_or(Value::Null);
        evaluate::holds(condition, &item)
    }
}

fn prefixed(error: String) -> String {
    format!("Failed to create boolean expression evaluator: {error}")
}
