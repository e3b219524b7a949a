//! The C ABI as a whole: what is generated from the source is up to date, what was released is
//! still there, and the header and the library agree.
//!
//! `BLESS=1 cargo test --test abi` (`make header`) writes what is generated.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's way to fail.

mod cdef;
mod compile;
mod cpp;
mod header;
mod lock;
mod model;
mod python;
mod setters;
mod status;
mod symbols;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value != "0")
}

/// Compares a generated file with the one that is checked in, or writes it.
fn check(path: &str, wanted: &str) {
    let path: PathBuf = root().join(path);
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found == wanted {
        return;
    }
    assert!(blessing(), "{} is out of date: run `make header`", path.display());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, wanted).unwrap();
}

#[test]
fn generated_files_are_up_to_date() {
    check("src/ffi/status.rs", &status::render());
    check("src/ffi/options_setters.rs", &setters::render());
    let header = header::render();
    let model = model::parse(&header);
    check("include/consul_ffi.h", &header);
    for (path, text) in cpp::render(&header, &model) {
        check(path, &text);
    }
    check("lua/consul_ffi/cdef.lua", &cdef::render(&model));
    check("python/consul_ffi/_abi.py", &python::abi(&model));
    check("python/consul_ffi/errors.py", &python::errors());
    check("python/consul_ffi/_settings.py", &python::settings());
}

#[test]
fn what_was_released_is_still_there() {
    lock::check(&model::parse(&header::render()));
}

#[test]
fn every_function_and_row_is_documented_and_uses_simple_types_only() {
    let header = model::parse(&header::render());
    assert_eq!(header.undocumented, Vec::<String>::new());
    assert_eq!(header.complaints(), Vec::<String>::new());
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let header = model::parse(&header::render());
    let mut declared: Vec<String> = header.functions.iter().map(|f| f.name.clone()).collect();
    declared.sort();
    if cfg!(feature = "test-panic") {
        declared.push("consul_test_panic".to_owned());
        declared.sort();
    }
    assert_eq!(symbols::exported(), declared);
}

#[test]
fn the_header_compiles_cleanly_as_every_c_and_cpp() {
    compile::matrix(&header::render());
}

#[test]
fn luajit_takes_the_cdef() {
    compile::luajit(&cdef::render(&model::parse(&header::render())));
}
