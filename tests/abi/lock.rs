//! `tests/abi/abi.lock`: every promise of the ABI, a line each. Lines are added when something is
//! added; one that vanishes or changes breaks every program that was compiled before.

use super::model::{Header, Variable};
use super::{blessing, root};
use std::collections::BTreeSet;

pub fn check(header: &Header) {
    let path = root().join("tests/abi/abi.lock");
    let locked = std::fs::read_to_string(&path).unwrap_or_default();
    let locked: BTreeSet<String> = locked.lines().map(str::to_owned).collect();
    let current: BTreeSet<String> = promises(header).into_iter().collect();
    let broken: Vec<_> = locked.difference(&current).collect();
    assert!(
        broken.is_empty(),
        "vanished or changed: {broken:#?}\n(what was never released may be taken out of {})",
        path.display()
    );
    let added: Vec<_> = current.difference(&locked).collect();
    if added.is_empty() {
        return;
    }
    assert!(blessing(), "new, and not yet promised: {added:#?}\nrun `make header`");
    let lines: String = current.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, lines).unwrap();
}

fn promises(header: &Header) -> Vec<String> {
    // The version of the library is no promise.
    let constants = header.constants.iter().filter(|(name, _)| {
        !name.starts_with("CONSUL_VERSION") && !name.starts_with("CONSUL_ABI_")
    });
    let mut lines: Vec<String> =
        constants.map(|(name, value)| format!("constant {name} {value}")).collect();
    let numbers = header.numbers.iter();
    lines.extend(numbers.map(|Variable { name, ctype }| format!("type {name} {ctype}")));
    lines.extend(header.handles.iter().map(|name| format!("handle {name}")));
    for row in &header.rows {
        let fields = row.fields.iter().enumerate();
        lines.extend(fields.map(|(i, Variable { ctype, name })| {
            format!("row {} {i:02} {ctype} {name}", row.name)
        }));
    }
    for function in &header.functions {
        let parameters: Vec<&str> =
            function.parameters.iter().map(|parameter| parameter.ctype.as_str()).collect();
        let parameters = parameters.join(", ");
        lines.push(format!("function {} {} ({parameters})", function.name, function.returns));
    }
    lines
}
