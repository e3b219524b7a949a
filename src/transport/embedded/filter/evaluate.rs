//! A filter applied to one item, given as the JSON that the answer shows of it.

use super::fields::{self, Field};
use super::grammar::Operator;
use super::validate::{Condition, Operand, Test};
use serde_json::Value;

/// Whether the condition holds for the item.
pub(super) fn holds(condition: &Condition, item: &Value) -> bool {
    match condition {
        Condition::Not(inner) => !holds(inner, item),
        Condition::And(left, right) => holds(left, item) && holds(right, item),
        Condition::Or(left, right) => holds(left, item) || holds(right, item),
        Condition::Test(test) => follow(test, &test.selector, &Field::Object(test.item), item),
    }
}

/// Goes the selector's way into the item and compares at its end. What the JSON leaves out has its
/// type's zero value.
fn follow(test: &Test, way: &[String], field: &Field, value: &Value) -> bool {
    let Some((name, rest)) = way.split_first() else { return compare(test, field, value) };
    match field {
        Field::Object(inner) => fields::find(inner, name).is_some_and(|field| {
            follow(test, rest, field, value.get(name).unwrap_or(&Value::Null))
        }),
        Field::Objects(inner) => {
            elements(value).iter().any(|element| follow(test, way, &Field::Object(inner), element))
        }
        Field::Map(inner) => match value.get(name) {
            Some(value) => follow(test, rest, inner, value),
            // What is not there equals nothing and is in nothing; every other test holds for it.
            None => !matches!(test.operator, Operator::Equal | Operator::IsNotEmpty | Operator::In),
        },
        _ => false,
    }
}

fn compare(test: &Test, field: &Field, value: &Value) -> bool {
    let holds = match test.operator {
        Operator::Equal | Operator::NotEqual => equal(&test.value, value),
        Operator::In | Operator::NotIn => contains(&test.value, field, value),
        Operator::IsEmpty | Operator::IsNotEmpty => length(value) == 0,
        Operator::Matches | Operator::NotMatches => match &test.value {
            Operand::Pattern(pattern) => pattern.is_match(text(value)),
            _ => false,
        },
    };
    let negated = matches!(
        test.operator,
        Operator::NotEqual | Operator::NotIn | Operator::IsNotEmpty | Operator::NotMatches
    );
    holds != negated
}

fn equal(wanted: &Operand, value: &Value) -> bool {
    match wanted {
        Operand::Text(wanted) => text(value) == wanted,
        Operand::Flag(wanted) => value.as_bool().unwrap_or(false) == *wanted,
        Operand::Number(wanted) => value.as_i64().unwrap_or(0) == *wanted,
        _ => false,
    }
}

fn contains(wanted: &Operand, field: &Field, value: &Value) -> bool {
    let Operand::Text(wanted) = wanted else { return false };
    match field {
        Field::Map(_) => value.get(wanted).is_some(),
        Field::Texts => elements(value).iter().any(|element| text(element) == wanted),
        _ => text(value).contains(wanted.as_str()),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.len(),
        Value::Object(all) => all.len(),
        _ => 0,
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
