//! Which keys Consul can be asked for.
//!
//! Its HTTP server cleans paths: an empty, `.` or `..` segment, encoded or not, is answered with a
//! redirect to another key, and an unprintable character with a bare 400. Such a key is refused
//! here, with a reason.

use crate::error::{Error, Result};

/// Refuses what is not a key.
pub(crate) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::argument("the key is empty"));
    }
    check(key, "key")
}

/// Refuses what is not the beginning of a key.
pub(crate) fn check_prefix(prefix: &str) -> Result<()> {
    check(prefix, "prefix")
}

fn check(text: &str, what: &str) -> Result<()> {
    let refuse =
        |why: &str| Err(Error::argument(format!("the {what} \"{}\" {why}", text.escape_debug())));
    if text.starts_with('/') {
        return refuse("begins with a slash: leave it out");
    }
    if let Some(bad) = text.chars().find(|&c| is_unprintable(c)) {
        return refuse(&format!("has the unprintable character U+{:04X}", bad as u32));
    }
    // By bytes: a search for each slash takes longer than what it passes over.
    let mut segments = text.as_bytes().split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"" if !is_last => return refuse("has an empty segment (\"//\")"),
            b"." | b".." => return refuse("has a segment \".\" or \"..\""),
            _ => {}
        }
    }
    Ok(())
}

/// What Go's `unicode.IsPrint` refuses, as far as it is in use: controls, every space but the
/// plain one, and the invisible formatting characters.
fn is_unprintable(c: char) -> bool {
    // Nearly every key is plain ASCII, which is told by one comparison.
    if (' '..='~').contains(&c) {
        return false;
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
        || matches!(c as u32, 0xE000..=0xF8FF | 0xF0000..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_consul_can_be_asked_for() {
        for key in ["a", "a/b", "dir/", "a b", "a%b", "a#b", "a?b", "é€", "a.b/..c", "~"] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        assert!(check_prefix("").is_ok());
    }

    #[test]
    fn keys_that_it_cannot_are_refused_with_a_reason() {
        let cases = [
            ("", "empty"),
            ("/a", "slash"),
            ("a//b", "empty segment"),
            ("a/./b", "segment"),
            ("../b", "segment"),
            ("a/..", "segment"),
            ("a\0b", "U+0000"),
            ("a\tb", "U+0009"),
            ("a\u{A0}b", "U+00A0"),
        ];
        for (key, reason) in cases {
            let error = check_key(key).unwrap_err();
            assert!(error.message().contains(reason), "{key:?}: {error}");
        }
    }
}
