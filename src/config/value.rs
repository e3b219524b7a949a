//! Text to typed values, with errors that say what is allowed.

use super::table::{Kind, Setting};
use crate::error::{Error, Result};

/// Refuses a text that the setting does not take.
pub(super) fn check(setting: &Setting, text: &str) -> Result<()> {
    match setting.kind {
        Kind::Text | Kind::Path | Kind::List | Kind::Secret if text.contains('\0') => {
            Err(Error::config("a NUL character is not allowed"))
        }
        Kind::Text | Kind::Path | Kind::List => Ok(()),
        Kind::Secret => header_safe(text),
        Kind::Bool => parse_bool(setting, text).map(drop),
        Kind::Integer(..) => parse_integer(setting, text).map(drop),
        Kind::Choice(words) if words.contains(&text) => Ok(()),
        Kind::Choice(_) => Err(refused(setting, text)),
    }
}

/// The spellings that the official tools take.
pub(super) fn parse_bool(setting: &Setting, text: &str) -> Result<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(refused(setting, text)),
    }
}

pub(super) fn parse_integer(setting: &Setting, text: &str) -> Result<u64> {
    let Kind::Integer(min, max) = setting.kind else {
        return Err(refused(setting, text));
    };
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(refused(setting, text)),
    }
}

/// A secret travels in a header, where control characters cannot stand. It is never quoted here.
pub(super) fn header_safe(text: &str) -> Result<()> {
    match text.chars().all(|c| (' '..='~').contains(&c)) {
        true => Ok(()),
        false => Err(Error::config("only printable ASCII characters are allowed")),
    }
}

fn refused(setting: &Setting, text: &str) -> Error {
    Error::config(format!("\"{text}\" is not allowed, it takes {}", setting.allowed()))
}
