//! What the shared library exports.

use std::process::Command;

/// The names, sorted.
pub fn exported() -> Vec<String> {
    // Cargo puts the library that belongs to this test beside it.
    let library = std::env::current_exe().unwrap().with_file_name("libconsul_ffi.so");
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let symbols = String::from_utf8(output.stdout).unwrap();
    let names = symbols.lines().filter_map(|line| line.split_whitespace().nth(2));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}
