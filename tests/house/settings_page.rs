//! `docs/settings.md` is written from the table of settings: `BLESS=1` writes it, else it is
//! compared.

use consul_ffi::config::{Kind, Scope, Setting, TABLE};
use std::fmt::Write;

const PAGE: &str = "docs/settings.md";

#[test]
fn the_settings_page_is_the_table() {
    let page = render();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PAGE, page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "{PAGE} is stale: run `make header`");
}

fn render() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Written from the table in `src/config/table.rs`: change it there and run `make header`.\n\n\
         A program sets a setting by name and string: `consul_config_set(config, \"timeout_ms\", \"2000\")` in C, \
         `consul.connect{ timeout_ms = 2000 }` in Lua, `consul_ffi.Client(timeout_ms=2000)` in Python, `config.set(\"timeout_ms\", \"2000\")` in Rust. \
         What a program sets beats the token file, which beats the environment, which beats the default. \
         The environment is read once, when the configuration is made. \
         An unknown name, or a value that is not allowed, is an error that says what is.\n",
    );
    section(&mut page, "For a client", |setting| setting.scope == Scope::Client);
    section(&mut page, "For a client, and for one call over it", |s| s.scope == Scope::Both);
    section(&mut page, "For one call", |setting| setting.scope == Scope::Call);
    page
}

fn section(page: &mut String, title: &str, belongs: impl Fn(&Setting) -> bool) {
    let _ = write!(
        page,
        "\n## {title}\n\n| setting | takes | default | environment | what it does |\n|---|---|---|---|---|\n"
    );
    for setting in TABLE.iter().filter(|setting| belongs(setting)) {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            setting.name,
            takes(setting),
            code(setting.default),
            code(setting.environment),
            setting.help,
        );
    }
}

fn takes(setting: &Setting) -> String {
    match setting.kind {
        Kind::Secret => "text, never shown".to_string(),
        _ => setting.allowed(),
    }
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}
