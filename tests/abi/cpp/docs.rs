//! The header's comments, by what they are about.

use std::collections::HashMap;

/// `consul_kv_get` for a function, row or constant, `consul_kv_pair.key` for a field.
pub struct Docs(HashMap<String, String>);

impl Docs {
    /// One paragraph; empty where the header says nothing.
    pub fn of(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
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
