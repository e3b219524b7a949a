//! `include/consul_ffi.h`: one section for each file of `src/ffi`, in the order of its modules.

use super::root;
use cbindgen::{Builder, Config};
use consul_ffi::ffi::kind::Kind;
use std::fs::read_to_string;

/// The header as it should be.
pub fn render() -> String {
    let mut config = Config::from_file(root().join("cbindgen.toml")).unwrap();
    let prologue = config.header.take().unwrap();
    let sections: String = modules().iter().map(|module| section(module, &config)).collect();
    let header = format!(
        "{}

#ifndef CONSUL_FFI_H
#define CONSUL_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

{}
#ifdef __cplusplus
extern \"C\" {{
#endif
{sections}
#ifdef __cplusplus
}}
#endif

#endif
",
        prologue.trim(),
        version_macros()
    );
    let header: Vec<String> = header.lines().map(parenthesized).map(without_tags).collect();
    indent_examples(&header).join("\n") + "\n"
}

/// The files of `src/ffi` that are always compiled, in reading order.
fn modules() -> Vec<String> {
    let source = read_to_string(root().join("src/ffi/mod.rs")).unwrap();
    let mut optional = false;
    let mut modules = Vec::new();
    for line in source.lines() {
        let name = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';'));
        modules.extend(name.filter(|_| !optional).map(str::to_owned));
        optional = line.starts_with("#[cfg");
    }
    modules
}

fn section(module: &str, config: &Config) -> String {
    let path = root().join("src/ffi").join(module).with_extension("rs");
    let source = read_to_string(&path).unwrap();
    let mut config = config.clone();
    // cbindgen leaves out types that no function of the same file uses.
    config.export.include = source.lines().filter_map(exported_type).map(str::to_owned).collect();
    let mut body = Vec::new();
    Builder::new().with_config(config).with_src(&path).generate().unwrap().write(&mut body);
    let body = String::from_utf8(body).unwrap();
    let handles = if module == "handle" { handle_types() } else { String::new() };
    if body.trim().is_empty() && handles.is_empty() {
        return String::new();
    }
    format!("{}{handles}\n{}\n", heading(&source), body.trim())
}

fn exported_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub type "))?;
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    name.starts_with("consul_").then_some(name)
}

/// What stands under `//! # Title`, as a comment. A file without a title has none.
fn heading(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let Some(title) = lines.first().and_then(|line| line.strip_prefix("# ")) else {
        return String::new();
    };
    let mut comment = format!("\n\n/*\n * {}\n * {}\n", title, "=".repeat(title.len()));
    for line in &lines[1..] {
        comment += format!(" * {line}").trim_end();
        comment += "\n";
    }
    comment + " */\n"
}

/// The types that the list in `kind.rs` makes, which cbindgen cannot see.
fn handle_types() -> String {
    let mut out = String::new();
    for kind in Kind::ALL {
        let (name, doc) = (kind.name(), kind.doc());
        let doc = doc.lines().map(|line| format!(" * {}\n", line.trim())).collect::<String>();
        out += &format!("\n/**\n{doc} */\ntypedef struct {name} {name};\n");
    }
    out += "\n/**\n * All types of handles together.\n */\n#define CONSUL_HANDLE_ALL 0\n\n";
    for &kind in Kind::ALL {
        let name = kind.name().trim_start_matches("consul_").to_uppercase();
        out += &format!("#define CONSUL_HANDLE_{name} {}\n", kind as u8);
    }
    out
}

fn version_macros() -> String {
    let [version, major, minor, patch] = [
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    format!(
        "/** The version of the library that this header came with. */
#define CONSUL_VERSION \"{version}\"
#define CONSUL_VERSION_MAJOR {major}
#define CONSUL_VERSION_MINOR {minor}
#define CONSUL_VERSION_PATCH {patch}
"
    )
}

/// A negative constant in parentheses, so that it stays one inside an expression.
fn parenthesized(line: &str) -> String {
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
        Some((name, value)) if value.starts_with('-') => format!("#define {name} ({value})"),
        _ => line.to_owned(),
    }
}

/// Types by their own name alone; the tag stays where it is made, for forward declarations.
fn without_tags(line: String) -> String {
    if line.starts_with("typedef ") { line } else { line.replace("struct consul_", "consul_") }
}

/// Examples as indented lines in place of Markdown's fences.
fn indent_examples(lines: &[String]) -> Vec<String> {
    let mut inside = false;
    let mut out = Vec::new();
    for line in lines {
        match line.trim_start().strip_prefix("* ") {
            Some(text) if text.trim_start().starts_with("```") => inside = !inside,
            Some(text) if inside => out.push(format!(" *     {text}")),
            _ => out.push(line.clone()),
        }
    }
    out
}
