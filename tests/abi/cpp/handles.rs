//! `include/consul_ffi/handles.hpp`: how each type of handle ends, and how an answer is read.

use super::{Header, file, name};
use std::fmt::Write;

pub fn render(header: &Header) -> String {
    let has = |function: &str| header.functions.iter().any(|known| known.name == function);
    let handles = || header.handles.iter();
    let mut body = "\nnamespace detail {\n\n/// Ends a handle by the `_free` of its type.\n\
        struct free_handle {\n"
        .to_owned();
    for handle in handles().filter(|handle| has(&format!("{handle}_free"))) {
        writeln!(body, "    void operator()({handle} *h) const noexcept {{ {handle}_free(h); }}")
            .unwrap();
    }
    body += "};\n\n/// Moves a result out of an event by the `consul_event_take_...` of its type.\n\
        struct take_result {\n";
    for handle in handles() {
        let take = format!("consul_event_take_{}", name(handle));
        if has(&take) {
            writeln!(
                body,
                "    consul_status operator()(const consul_event *e, {handle} **out) const noexcept {{\n        \
                 return {take}(e, out);\n    }}"
            )
            .unwrap();
        }
    }
    body +=
        "};\n\n/// How the rows of an answer are read.\ntemplate <class Handle>\nstruct answer;\n";
    for handle in handles().filter(|handle| has(&format!("{handle}_count"))) {
        let at = format!("{handle}_at");
        let at = header.functions.iter().find(|known| known.name == at);
        let Some(row) = at.and_then(|at| at.returns.strip_prefix("const ")) else { continue };
        let row = row.trim_end_matches([' ', '*']);
        body += &answer(handle, row, has(&format!("{handle}_meta")));
    }
    body += "\n} // namespace detail\n";
    file("handles", "How handles end, and how answers are read.", &["\"rows.hpp\""], &body)
}

fn answer(handle: &str, row: &str, has_meta: bool) -> String {
    let view = if row == "consul_string" { "std::string_view".to_owned() } else { name(row) };
    let read = match row {
        "consul_string" => "text(row->data, row->len)".to_owned(),
        _ => format!("{view}(row)"),
    };
    let read = if row == "consul_string" {
        format!(
            "        const {row} *row = {handle}_at(handle, index);\n        \
             return row == nullptr ? view() : {read};\n"
        )
    } else {
        format!("        return view({handle}_at(handle, index));\n")
    };
    let mut text = format!(
        "
template <>
struct answer<{handle}> {{
    using view = {view};
    static std::size_t count(const {handle} *handle) noexcept {{
        return {handle}_count(handle);
    }}
    static view at(const {handle} *handle, std::size_t index) noexcept {{
{read}    }}
"
    );
    if has_meta {
        write!(
            text,
            "    static consul::meta meta(const {handle} *handle) noexcept {{
        return consul::meta({handle}_meta(handle));
    }}
"
        )
        .unwrap();
    }
    text + "};\n"
}
