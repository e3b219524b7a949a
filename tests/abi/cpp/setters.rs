//! `include/consul_ffi/setters.hpp`: what can be set on what a program puts together, a class for
//! each type of handle that has a `_new` and is changed afterwards.

use super::super::model::{Function, Variable};
use super::constants::ENUMERATIONS;
use super::{Docs, Header, comment, duration, file, name, number};
use std::fmt::Write;

pub fn render(header: &Header, docs: &Docs) -> String {
    let mut body = String::new();
    let mut classes = String::new();
    for handle in &header.handles {
        let setters: Vec<_> = header.functions.iter().filter(|f| sets(f, handle)).collect();
        let new = format!("{handle}_new");
        if setters.is_empty() || !header.functions.iter().any(|known| known.name == new) {
            continue;
        }
        classes += &class(handle, &setters, docs);
    }
    for handle in &header.handles {
        let class = name(handle);
        if [format!("class {class}_setters"), format!("consul::{class} &")]
            .iter()
            .any(|used| classes.contains(used))
        {
            writeln!(body, "class {class};").unwrap();
        }
    }
    body += "\nnamespace detail {\n";
    body += &classes;
    body += "\n} // namespace detail\n";
    file(
        "setters",
        "What a program puts together, setter by setter.",
        &["\"builder.hpp\""],
        &format!("\n{body}"),
    )
}

fn sets(function: &Function, handle: &str) -> bool {
    let first = function.parameters.first();
    // What waits for Consul or gives something is written by hand.
    let is_call = |parameter: &Variable| {
        parameter.ctype.contains("consul_async") || parameter.ctype.ends_with("**")
    };
    let is_its_own = function.name.strip_prefix(handle).is_some_and(|verb| verb.starts_with('_'));
    is_its_own
        && function.returns == "consul_status"
        && first.is_some_and(|first| first.ctype == format!("{handle} *"))
        && !function.parameters.iter().any(is_call)
}

fn class(handle: &str, setters: &[&Function], docs: &Docs) -> String {
    let own = name(handle);
    let mut text = format!(
        "\ntemplate <class Self>\nclass {own}_setters : public builder<Self, {handle}> {{\npublic:\n"
    );
    for (i, setter) in setters.iter().enumerate() {
        let about = docs.of(&setter.name);
        let verb = &setter.name[handle.len() + 1..];
        let verb = verb.strip_prefix("set_").unwrap_or(verb);
        // A duration carries its unit.
        let verb = name(duration("uint64_t", verb).map_or(verb, |(_, stem)| stem));
        let (parameters, arguments) = signature(setter, &about);
        if i > 0 {
            text.push('\n');
        }
        text += &comment("    ", &about);
        let call = format!("this->apply({}, ", setter.name);
        text += &wrapped(&format!("    Self &{verb}("), &parameters, ") & {");
        text += &wrapped(&format!("        return {call}"), &arguments, ");");
        text += "    }\n";
        // Of what would be gone at the end of the line no reference is given, but the thing itself.
        text += &wrapped(&format!("    Self {verb}("), &parameters, ") && {");
        text += &wrapped(&format!("        return std::move({call}"), &arguments, "));");
        text += "    }\n";
    }
    text + "};\n"
}

/// What stands in parentheses, in lines of at most 100 characters.
fn wrapped(before: &str, list: &str, after: &str) -> String {
    let indent = " ".repeat(before.rfind('(').unwrap() + 1);
    let mut line = before.to_owned();
    let mut text = String::new();
    let mut items = list.split_inclusive(", ").peekable();
    while let Some(item) = items.next() {
        let after = if items.peek().is_none() { after } else { "" };
        if line.len() + item.trim_end().len() + after.len() > 100 {
            text += line.trim_end();
            text.push('\n');
            line.clone_from(&indent);
        }
        line += item;
        line += after;
    }
    text + &line + "\n"
}

/// The parameters after the handle, as C++ takes them and as they are passed on.
fn signature(setter: &Function, about: &str) -> (String, String) {
    let mut parameters: Vec<String> = Vec::new();
    let mut arguments = Vec::new();
    let mut rest = &setter.parameters[1..];
    while let Some(Variable { ctype, name: parameter }) = rest.first() {
        let handle =
            ctype.strip_prefix("const consul_").map(|handle| handle.trim_end_matches([' ', '*']));
        // The setters of the options name their unit once, in the function.
        let unit = if parameter == "value" { &setter.name } else { parameter };
        let (declared, argument, used) = match (ctype.as_str(), handle) {
            ("const char *", _) => (format!("const c_text &{parameter}"), parameter.clone(), 1),
            ("const uint8_t *", _) => two("const bytes &", parameter),
            ("const char *const *", _) => two("const c_texts &", parameter),
            (_, Some(handle)) => {
                (format!("const consul::{handle} &{parameter}"), parameter.clone(), 1)
            }
            ("int32_t", _) if ENUMERATIONS.iter().any(|(known, ..)| known == parameter) => {
                (format!("consul::{parameter} {parameter}"), parameter.clone(), 1)
            }
            _ => match duration(ctype, unit) {
                Some((unit, stem)) => {
                    let parameter = if parameter == "value" { "value" } else { stem };
                    (format!("{unit} {parameter}"), parameter.to_owned(), 1)
                }
                None => (format!("{} {parameter}", number(ctype)), parameter.clone(), 1),
            },
        };
        let optional = ctype == "const char *" && may_be_null(parameter, about);
        parameters.push(declared + if optional { " = nullptr" } else { "" });
        arguments.push(argument);
        rest = &rest[used..];
    }
    // Flags are seldom given: last, and 0.
    if let Some(flags) = parameters.iter().position(|declared| declared.ends_with(" flags")) {
        let flags = parameters.remove(flags);
        parameters.push(flags + " = 0");
    }
    // A default needs one for all that follow.
    for i in 0..parameters.len() {
        if parameters[i + 1..].iter().any(|after| !after.contains(" = ")) {
            parameters[i] = parameters[i].replace(" = nullptr", "");
        }
    }
    (parameters.join(", "), arguments.join(", "))
}

fn two(ctype: &str, parameter: &str) -> (String, String, usize) {
    (format!("{ctype}{parameter}"), format!("{parameter}.data(), {parameter}.size()"), 2)
}

fn may_be_null(parameter: &str, about: &str) -> bool {
    about
        .split_inclusive(['.', ';'])
        .any(|clause| clause.contains(&format!("`{parameter}`")) && clause.contains("`nullptr`"))
}
