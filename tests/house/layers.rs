//! A layer knows only those under it.

use std::path::{Path, PathBuf};

/// From the top down. What stands beside the road (error, config, runtime, observe) may be used by
/// all.
const LAYERS: &[&str] = &["ffi", "recipes", "watch", "api", "client", "transport", "sys"];

/// `runtime` keeps time and threads for the layers above the client, so the client may own one.
const BESIDE: &[&str] = &["error", "config", "runtime", "observe", "sync", "ring", "atomic_file"];

#[test]
fn no_module_uses_a_layer_above_it() {
    let mut wrong = Vec::new();
    for file in rust_files(Path::new("src")) {
        let Some(own) = layer_of(&file) else { continue };
        let text = std::fs::read_to_string(&file).unwrap();
        for used in crate_paths(&text) {
            let (Some(own), Some(used)) = (rank(own), rank(&used)) else { continue };
            if used < own {
                wrong.push(format!("{} uses {}", file.display(), LAYERS[used]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_has_its_place() {
    for entry in std::fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = name == "lib" || LAYERS.contains(&name) || BESIDE.contains(&name);
        assert!(known, "{} is in no layer", path.display());
    }
}

#[test]
fn unsafe_code_stands_in_ffi_and_sys_only() {
    for file in rust_files(Path::new("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let allowed = file.starts_with("src/ffi") || file == Path::new("src/sys.rs");
        let allows = text.contains("allow(unsafe_code)");
        assert!(allowed || !allows, "{} allows unsafe code", file.display());
    }
}

/// Why stands in src/sync.rs.
#[test]
fn locks_are_those_that_a_forked_child_can_use() {
    for file in rust_files(Path::new("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.map(|line| line.replace("parking_lot::lock_api", ""));
        let foreign = code.into_iter().any(|line| line.contains("parking_lot"));
        assert!(!foreign, "{}: use crate::sync in the place of parking_lot", file.display());
    }
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|&known| known == layer)
}

fn layer_of(file: &Path) -> Option<&'static str> {
    let inside = file.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.trim_end_matches(".rs");
    LAYERS.iter().copied().find(|&known| known == name)
}

/// The first segment of every `crate::…` path in a source, those in braces included.
fn crate_paths(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        match &rest[..end] {
            "" => found.extend(
                rest.trim_start_matches('{')
                    .split(['}', ';'])
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .filter_map(|item| item.trim().split("::").next())
                    .map(String::from),
            ),
            name => found.push(name.to_string()),
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
