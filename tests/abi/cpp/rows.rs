//! `include/consul_ffi/rows.hpp`: a view of each row, a method for each field. A pointer and its
//! length are one text, pointers and their count are one range.

use super::super::model::{Row, Variable};
use super::{Docs, Header, comment, duration, file, name, number};

/// Not shown as rows: an error is `consul::error`, a string is a `std::string_view`.
const HIDDEN: &[&str] = &["consul_error", "consul_async", "consul_string"];

const ERROR: &str = "consul::error";

/// Numbers that are one of an enumeration.
const ENUMERATIONS: &[(&str, &str, &str)] = &[
    ("consul_session_row", "behavior", "behavior"),
    ("consul_txn_row", "kind", "txn_kind"),
    ("consul_member", "status", "member_status"),
    ("consul_log_record", "level", "log_level"),
    ("consul_endpoint_change", "condition", "endpoint_condition"),
    ("consul_endpoint_change", "condition_before", "endpoint_condition"),
];

pub fn render(header: &Header, docs: &Docs) -> String {
    let rows = header.rows.iter().filter(|row| !HIDDEN.contains(&row.name.as_str()));
    let body: String = rows.map(|row| view(row, docs)).collect();
    file(
        "rows",
        "Views of the rows that answers are made of. A view and what it gives are borrowed: they \
         live as long as the answer.",
        &["\"error.hpp\"", "\"view.hpp\""],
        &body,
    )
}

fn view(row: &Row, docs: &Docs) -> String {
    // One that points nowhere is its own copy, and may outlive the answer.
    let base =
        if row.fields.iter().any(|field| field.ctype.contains('*')) { "row" } else { "copy" };
    let c_name = &row.name;
    let mut text = format!(
        "\n{}class {} : public detail::{base}<{c_name}> {{\npublic:\n    using detail::{base}<{c_name}>::{base};\n",
        comment("", &docs.of(c_name)),
        name(c_name)
    );
    let mut fields = row.fields.as_slice();
    while let Some(used) = field(row, fields, docs, &mut text) {
        fields = &fields[used..];
    }
    text + "};\n"
}

/// No pointers in it.
fn is_copy(row: &Row) -> bool {
    !row.fields.iter().any(|field| field.ctype.contains('*'))
}

/// Writes the method of the first of these fields; says how many fields it is made of.
fn field(row: &Row, fields: &[Variable], docs: &Docs, text: &mut String) -> Option<usize> {
    let first = fields.first()?;
    let Variable { ctype, name: field } = first;
    let about = docs.of(&format!("{}.{field}", row.name));
    let mut method = |result: &str, method: &str, body: &str| {
        let body = if is_copy(row) { body.replace("row_->", "row_.") } else { body.to_owned() };
        *text += &format!("\n{}", comment("    ", &about));
        // A copy of an error needs memory.
        let promise = if result == ERROR { "" } else { " noexcept" };
        let line = format!("    {result} {method}() const{promise} {{ return {body}; }}");
        *text += &if line.len() > 100 {
            format!("    {result} {method}() const{promise} {{\n        return {body};\n    }}\n")
        } else {
            line + "\n"
        };
    };
    if ctype.ends_with("*const *") {
        let arrays = fields.iter().take_while(|field| field.ctype.ends_with("*const *")).count();
        let count = &fields[arrays].name;
        if arrays == 2 {
            let second = &fields[1].name;
            let body = format!("{{row_->{field}, row_->{second}, row_->{count}}}");
            method("detail::pairs", &pairs_name(field, second), &body);
        } else if ctype.contains("char") {
            method("detail::texts", field, &format!("{{row_->{field}, row_->{count}}}"));
        } else {
            let element = name(ctype.trim_start_matches("const ").split(' ').next().unwrap());
            let result = format!("detail::views<consul::{element}>");
            method(&result, field, &format!("{{row_->{field}, row_->{count}}}"));
        }
        return Some(arrays + 1);
    }
    if matches!(ctype.as_str(), "const char *" | "const uint8_t *") {
        method(
            "std::string_view",
            field,
            &format!("detail::text(row_->{field}, row_->{field}_len)"),
        );
        return Some(2);
    }
    if ctype == "const consul_error *" {
        method(ERROR, field, &format!("{ERROR}::of(row_->{field})"));
        return Some(1);
    }
    if HIDDEN.iter().any(|hidden| *ctype == format!("const {hidden} *")) {
        return Some(1);
    }
    if let Some(pointed) = ctype.strip_prefix("const consul_") {
        let view = format!("consul::{}", pointed.trim_end_matches([' ', '*']));
        method(&view, field, &format!("{view}(row_->{field})"));
    } else if let Some((unit, stem)) = duration(ctype, field) {
        method(unit, stem, &format!("detail::duration<{unit}>(row_->{field})"));
    } else if let Some((.., of)) =
        ENUMERATIONS.iter().find(|(r, f, _)| *r == row.name && f == field)
    {
        method(
            &format!("consul::{of}"),
            field,
            &format!("static_cast<consul::{of}>(row_->{field})"),
        );
    } else {
        let number = number(ctype);
        let body = match ctype.as_str() {
            "consul_status" => format!("static_cast<{number}>(row_->{field})"),
            _ => format!("row_->{field}"),
        };
        method(&number, field, &body);
    }
    Some(1)
}

/// `meta_keys` and `meta_values` are `meta`, names and addresses are addresses.
fn pairs_name(first: &str, second: &str) -> String {
    if let Some(stem) = first.strip_suffix("_keys") {
        return if stem == "tag" { "tags".to_owned() } else { stem.to_owned() };
    }
    if first.ends_with("_names") { second.to_owned() } else { first.to_owned() }
}
