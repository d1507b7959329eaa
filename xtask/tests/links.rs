//! Links between the pages of this repository, and the pages that sources refer to, exist. Pages that
//! many changes add to have nothing twice.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const REPOSITORY: &str = "https://github.com/vouchsafe/vouchsafe/blob/main/";

#[test]
fn every_link_between_pages_leads_to_a_page_and_a_heading() {
    let mut count = 0;
    for page in files(&root(), "md") {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let (target, base) = match link.strip_prefix(REPOSITORY) {
                Some(path) => (path, root()),
                None => (&*link, page.parent().unwrap().to_owned()),
            };
            // Links of rustdoc, which checks them itself.
            if target.contains("://") || target.contains("::") || !target.contains(['/', '.', '#'])
            {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                page.clone()
            } else {
                base.join(path)
            };
            assert!(path.exists(), "{}: {link} leads to no file", page.display());
            if !heading.is_empty() {
                let headings = anchors(&fs::read_to_string(&path).unwrap());
                let shown = page.display();
                assert!(
                    headings.contains(&heading.to_owned()),
                    "{shown}: {link} leads to no heading; there are {headings:?}",
                );
            }
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn every_page_that_a_source_refers_to_exists() {
    let mut count = 0;
    for source in files(&root().join("crates"), "rs") {
        let text = fs::read_to_string(&source).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"/.-_".contains(c));
        for word in words.map(|word| word.trim_end_matches('.')) {
            if word.starts_with("docs/") && word.ends_with(".md") {
                let shown = source.display();
                assert!(root().join(word).exists(), "{shown}: there is no {word}");
                count += 1;
            }
        }
    }
    assert!(count > 0, "only {count} pages are referred to");
}

/// Merges that keep the lines of both sides bring back lines that one of them removed.
#[test]
fn pages_that_many_changes_add_to_have_no_section_or_row_twice() {
    let changes = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let headings = changes.lines().filter(|line| line.starts_with('#'));
    let items = changes.lines().filter(|line| line.starts_with("- "));
    assert_eq!(doubled(headings.chain(items)), [""; 0]);
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let rows = reasons.lines().filter(|line| line.starts_with("| "));
    let names = rows.filter_map(|row| row.split(" | ").next());
    assert_eq!(doubled(names), [""; 0]);
}

/// Returns the lines that occur again.
fn doubled<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    lines.filter(|line| !seen.insert(*line)).collect()
}

#[test]
fn links_and_headings_are_read_as_in_markdown() {
    let text = "# A `B`: c, and D\n[x](y.md#z) and `[no](no.md)`\n\
                ```text\n# [no](no.md)\n```\n[over\nlines](far.md) ![](image.png)\n## A `B`: c, and D\n";
    assert_eq!(links(text), ["y.md#z", "far.md", "image.png"]);
    assert_eq!(anchors(text), ["a-b-c-and-d", "a-b-c-and-d-1"]);
}

/// Returns the lines of a page outside of code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the targets of the links on a page.
fn links(page: &str) -> Vec<String> {
    let text: String = prose(page).flat_map(|line| [line, "\n"]).collect();
    // Every second part is code.
    let text: String = text.split('`').step_by(2).collect();
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.collect()
}

/// Returns the anchors of the headings on a page, as GitHub creates them.
fn anchors(page: &str) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let headings = prose(page).filter(|line| line.starts_with('#'));
    let anchors = headings.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let anchor = kept.collect::<String>().replace(' ', "-");
        let times = seen.entry(anchor.clone()).or_insert(0);
        *times += 1;
        match *times - 1 {
            0 => anchor,
            again => format!("{anchor}-{again}"),
        }
    });
    anchors.collect()
}

/// Returns the files below a folder with an extension, without those of builds and of tests.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            let skipped = ["target", "templates", "right", "wrong"];
            if !name.starts_with('.') && !skipped.contains(&name) {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
