//! The header and the cdef, given to the compilers they are for.

use std::io::Write;
use std::process::{Command, Stdio};

const LANGUAGES: &[(&str, &str, &[&str])] = &[
    ("gcc", "c", &["c99", "c11", "c17"]),
    ("clang", "c", &["c99", "c11", "c17"]),
    ("g++", "c++", &["c++11", "c++14", "c++17", "c++20"]),
    ("clang++", "c++", &["c++11", "c++14", "c++17", "c++20"]),
];

/// Every standard under every compiler that is installed; in CI all of them must be.
pub fn matrix(header: &str) {
    let program = format!("{header}\nint main(void) {{ return CONSUL_OK; }}\n");
    for (compiler, language, standards) in LANGUAGES {
        for standard in *standards {
            let standard = format!("-std={standard}");
            let flags =
                ["-x", language, &standard, "-fsyntax-only", "-Wall", "-Wextra", "-pedantic"];
            run(Command::new(compiler).args(flags).args(["-Werror", "-"]), &program);
        }
    }
}

pub fn luajit(cdef: &str) {
    let program =
        format!("local cdef = (function() {cdef} end)() require('ffi').cdef(cdef.declarations)");
    run(Command::new("luajit").arg("-"), &program);
}

fn run(command: &mut Command, input: &str) {
    let child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "{command:?} is not installed");
            return;
        }
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}
