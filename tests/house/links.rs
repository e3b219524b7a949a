//! Every file that a page of the documentation links to exists.

use std::path::Path;

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = vec![
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "examples/README.md",
    ]
    .into_iter()
    .map(String::from)
    .collect::<Vec<_>>();
    for entry in std::fs::read_dir("docs").unwrap() {
        pages.push(entry.unwrap().path().display().to_string());
    }
    for page in pages.iter().filter(|page| page.ends_with(".md")) {
        let text = std::fs::read_to_string(page).unwrap_or_else(|_| panic!("{page} is missing"));
        let folder = Path::new(page).parent().unwrap();
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{page} links to {link}, which is not there");
        }
    }
}

/// The targets of `[text](target)` that are files of this repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#']).next()?;
        (!target.is_empty() && !target.contains("://")).then_some(target)
    })
}
