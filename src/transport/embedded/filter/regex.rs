//! Regular expressions as Go's `regexp` says what is wrong with them. Their language is that of
//! `regex-lite`: Go's without Unicode classes.

use regex_lite::Regex;

/// Compiles it; the error is Go's where the mistake is one of the common ones.
pub(in crate::transport::embedded) fn compile(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let why = mistake(text).unwrap_or_else(|| error.to_string());
        format!("error parsing regexp: {why}")
    })
}

fn mistake(text: &str) -> Option<String> {
    let mut open = 0_usize;
    // Whether something stands before that a repetition can repeat.
    let mut repeatable = false;
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if rest.next().is_none() => {
                return Some("trailing backslash at end of expression: ``".to_string());
            }
            '*' | '+' | '?' if !repeatable => {
                return Some(format!("missing argument to repetition operator: `{c}`"));
            }
            '[' if !closes(&mut rest) => {
                return Some(format!("missing closing ]: `{}`", &text[at..]));
            }
            '(' => open += 1,
            ')' if open == 0 => return Some(format!("unexpected ): `{text}`")),
            ')' => open -= 1,
            _ => {}
        }
        repeatable = !matches!(c, '(' | '|');
        if c == '(' && rest.as_str().starts_with('?') {
            rest.next();
        }
    }
    (open > 0).then(|| format!("missing closing ): `{text}`"))
}

/// Goes on behind the end of a class of characters. False when it has none.
fn closes(rest: &mut std::str::CharIndices<'_>) -> bool {
    let mut first = true;
    while let Some((_, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '^' if first => continue,
            ']' if !first => return true,
            _ => {}
        }
        first = false;
    }
    false
}
