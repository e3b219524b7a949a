//! A filter against the fields that it may select: which comparisons a field knows, and values made
//! into what the field holds.

use super::fields::{self, Field, Object};
use super::grammar::{Expression, Match, Operator};
use super::regex;
use crate::transport::embedded::go::quoted;
use regex_lite::Regex;

/// A filter that fits the items it is for.
pub(super) enum Condition {
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Test(Test),
}

/// One comparison that fits.
pub(super) struct Test {
    pub(super) selector: Vec<String>,
    pub(super) item: &'static Object,
    pub(super) operator: Operator,
    pub(super) value: Operand,
}

/// What to compare with.
pub(super) enum Operand {
    None,
    Text(String),
    Flag(bool),
    Number(i64),
    Pattern(Regex),
}

/// Checks the filter; the error is Consul's.
pub(super) fn check(expression: Expression, item: &'static Object) -> Result<Condition, String> {
    let both = |left, right| -> Result<_, String> {
        Ok((Box::new(check(left, item)?), Box::new(check(right, item)?)))
    };
    Ok(match expression {
        Expression::Not(inner) => Condition::Not(Box::new(check(*inner, item)?)),
        Expression::And(left, right) => {
            let (left, right) = both(*left, *right)?;
            Condition::And(left, right)
        }
        Expression::Or(left, right) => {
            let (left, right) = both(*left, *right)?;
            Condition::Or(left, right)
        }
        Expression::Match(test) => Condition::Test(check_match(test, item)?),
    })
}

fn check_match(test: Match, item: &'static Object) -> Result<Test, String> {
    let Match { selector, operator, value } = test;
    let field = selected(&selector, item)?;
    if !knows(field, operator) {
        let (name, selector) = (operator.name(), selector.join("."));
        return Err(format!("Invalid match operator {name:?} for selector {}", quoted(&selector)));
    }
    let value = match value {
        Some(text) => operand(field, operator, text, &selector)?,
        None => Operand::None,
    };
    Ok(Test { selector, item, operator, value })
}

/// The field at the end of the way, or how far the way is good.
fn selected(selector: &[String], item: &'static Object) -> Result<&'static Field, String> {
    let mut field: Option<&'static Field> = None;
    for (place, name) in selector.iter().enumerate() {
        field = match field {
            None => fields::find(item, name),
            Some(Field::Object(inner) | Field::Objects(inner)) => fields::find(inner, name),
            Some(Field::Map(inner)) => Some(*inner),
            Some(_) => None,
        };
        if field.is_none() {
            let way = selector[..=place].join(".");
            return Err(format!("Selector {} is not valid", quoted(&way)));
        }
    }
    field.ok_or_else(|| "Invalid selector: \"\"".to_string())
}

fn knows(field: &Field, operator: Operator) -> bool {
    use Operator::{Equal, In, IsEmpty, IsNotEmpty, Matches, NotEqual, NotIn, NotMatches};
    match field {
        Field::Text => matches!(operator, Equal | NotEqual | In | NotIn | Matches | NotMatches),
        Field::Flag | Field::Number => matches!(operator, Equal | NotEqual),
        Field::Texts | Field::Map(_) => matches!(operator, In | NotIn | IsEmpty | IsNotEmpty),
        Field::Objects(_) => matches!(operator, IsEmpty | IsNotEmpty),
        Field::Object(_) => false,
    }
}

fn operand(
    field: &Field,
    operator: Operator,
    text: String,
    selector: &[String],
) -> Result<Operand, String> {
    let unfit = |error: String| {
        let selector = quoted(&selector.join("."));
        format!("Failed to coerce value {} for selector {selector}: {error}", quoted(&text))
    };
    match field {
        Field::Flag => flag(&text).map(Operand::Flag).map_err(unfit),
        Field::Number => number(&text).map(Operand::Number).map_err(unfit),
        _ if matches!(operator, Operator::Matches | Operator::NotMatches) => {
            regex::compile(&text).map(Operand::Pattern).map_err(|error| {
                format!("Failed to compile regular expression {}: {error}", quoted(&text))
            })
        }
        _ => Ok(Operand::Text(text)),
    }
}

/// Go's `strconv.ParseBool`.
fn flag(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quoted(text))),
    }
}

/// Go's `strconv.ParseInt` with base 0: decimal, or with a prefix that names the base.
fn number(text: &str) -> Result<i64, String> {
    let error = |what| Err(format!("strconv.ParseInt: parsing {}: {what}", quoted(text)));
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return error("invalid syntax");
    }
    let signed = if negative { format!("-{digits}") } else { digits.to_string() };
    i64::from_str_radix(&signed, base).or_else(|_| error("value out of range"))
}
