//! Comments cite sections of `docs/protocols`: each cited section exists, and each page is cited.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_cited_section_of_a_protocol_exists() {
    let mut total = 0;
    for service in services() {
        let page = root().join(format!("docs/protocols/{service}.md"));
        let sections = headings(&fs::read_to_string(&page).unwrap());
        let mut cited = BTreeSet::new();
        let commands = format!("cli/src/services/{}", service.replace('-', "_"));
        let folders =
            [service.as_str(), &commands].map(|folder| root().join("crates").join(folder));
        for file in folders.iter().flat_map(|folder| sources(folder)) {
            for section in citations(&fs::read_to_string(&file).unwrap()) {
                assert!(
                    sections.contains(&section),
                    "{} cites section {section}, which {} does not have",
                    file.display(),
                    page.display(),
                );
                cited.insert(section);
            }
        }
        assert!(!cited.is_empty(), "{service}: its page is cited nowhere");
        total += cited.len();
    }
    assert!(total > 60, "only {total} sections are cited");
}

/// Returns the services that have a page.
fn services() -> Vec<String> {
    let pages = fs::read_dir(root().join("docs/protocols")).unwrap();
    let names = pages.map(|page| page.unwrap().path().file_stem().unwrap().to_owned());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn citations_are_found_in_lists_across_lines_and_not_in_standards() {
    let text = "//! As written (protocol sections 4.1, 4.2 and\n//! 5), not (RFC 9110, section 10.2).\n\
                /// Section 6.4 step by step; the 3 parts.\n";
    assert_eq!(citations(text), ["4.1", "4.2", "5", "6.4"]);
}

/// Returns the numbers of a page's headings.
fn headings(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter(|line| line.starts_with("##"))
        .flat_map(|line| numbers(line.trim_start_matches('#')).0)
        .collect()
}

/// Returns the sections that the comments of a source cite, standards' own sections left out.
fn citations(source: &str) -> Vec<String> {
    let words: Vec<&str> = source
        .split_whitespace()
        .filter(|word| !["//", "///", "//!", "#"].contains(word))
        .collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let word = word.trim_start_matches('(').to_ascii_lowercase();
        let of_a_standard = words[index.saturating_sub(2)..index]
            .iter()
            .any(|before| before.trim_start_matches('(') == "RFC");
        if ["section", "sections"].contains(&word.as_str()) && !of_a_standard {
            found.extend(numbers(&words[index + 1..].join(" ")).0);
        }
    }
    found
}

/// Reads `4.1, 4.2 and 5` at the front of a text; also returns the rest.
fn numbers(text: &str) -> (Vec<String>, &str) {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches('.');
        if number.is_empty() {
            return (found, rest);
        }
        found.push(number.to_owned());
        rest = &rest[end..];
        let Some(next) = [", ", " and ", " to ", ","]
            .iter()
            .find_map(|join| rest.strip_prefix(join))
        else {
            return (found, rest);
        };
        rest = next.trim_start_matches("and ");
    }
}

/// Returns the sources below a folder, descriptions included.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path
            .extension()
            .is_some_and(|ending| ending == "rs" || ending == "yaml")
        {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
