//! The header's comments, by what they are about.

use super::constants::ENUMERATIONS;
use std::collections::HashMap;

/// `consul_kv_get` for a function, row or constant, `consul_kv_pair.key` for a field.
pub struct Docs(HashMap<String, String>);

impl Docs {
    /// One paragraph, in the words of C++; empty where the header says nothing.
    pub fn of(&self, name: &str) -> String {
        let text = self.0.get(name).map_or("", String::as_str);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let words: Vec<_> = text.split('`').map(word).collect();
        WORDS.iter().fold(words.join("`"), |text, (c, cpp)| text.replace(c, cpp))
    }
}

/// What is said otherwise in C++. A view is there always, and empty where there is no row.
const WORDS: &[(&str, &str)] = &[
    (" Never NULL.", ""),
    ("Never NULL; empty", "Empty"),
    ("Never NULL; its", "Its"),
    (", in ms; `UINT64_MAX` when", "; the longest duration when"),
    ("NULL for all but", "empty for all but"),
    ("`options` may be NULL, for the client's", "options that set nothing are the client's"),
    ("NULL", "`nullptr`"),
];

/// `CONSUL_ERR_CONFIG` as `err_config`, `CONSUL_BEHAVIOR_RELEASE` as `behavior::release`.
fn word(text: &str) -> String {
    for (enumeration, prefix, _) in ENUMERATIONS {
        if let Some(constant) = text.strip_prefix(prefix) {
            return match constant.trim_end_matches('.') {
                "" => format!("consul::{enumeration}"),
                constant => format!("{enumeration}::{}", super::name(&constant.to_lowercase())),
            };
        }
    }
    text.strip_prefix("CONSUL_").map_or_else(|| text.to_owned(), str::to_lowercase)
}

pub fn parse(text: &str) -> Docs {
    let mut docs = HashMap::new();
    let mut row: Option<String> = None;
    let mut comment = String::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.starts_with("/*") {
            comment.clear();
            let mut line = line;
            while !line.ends_with("*/") {
                line = lines.next().unwrap();
                comment += line.trim_end_matches("*/").trim_start_matches('*');
                comment.push(' ');
            }
            continue;
        }
        if line.starts_with('}') {
            row = None;
        }
        let Some(name) = declared(line) else { continue };
        if line.starts_with("typedef struct") && line.ends_with('{') {
            row = Some(name.to_owned());
            docs.insert(name.to_owned(), std::mem::take(&mut comment));
        } else if let Some(row) = &row {
            docs.insert(format!("{row}.{name}"), std::mem::take(&mut comment));
        } else if !comment.is_empty() {
            docs.insert(name.to_owned(), std::mem::take(&mut comment));
        }
    }
    Docs(docs)
}

/// The name that the first line of a declaration declares.
fn declared(line: &str) -> Option<&str> {
    if let Some(constant) = line.strip_prefix("#define ") {
        return constant.split(' ').next();
    }
    let before = line.split(['(', '{', ';']).next()?.trim_end();
    let start = before.rfind([' ', '*'])? + 1;
    Some(&before[start..])
}
