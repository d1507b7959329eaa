//! The assertions of the fuzz targets, over the committed corpora and changes of them.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use fuzz::{TARGETS, Target};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Names and contents of a corpus, sorted.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join("corpus").join(name);
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    };
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|_| panic!("{} is missing", folder.display()));
    let mut corpus: Vec<_> = entries.map(read).collect();
    corpus.sort();
    assert!(!corpus.is_empty(), "{} is empty", folder.display());
    corpus
}

/// Changes, drops, adds and joins bytes.
fn changed(rng: &mut Rng, corpus: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let any = |rng: &mut Rng| corpus[rng.usize(..corpus.len())].1.clone();
    let mut bytes = any(rng);
    for _ in 0..rng.usize(1..8) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..6) {
            0 if at < bytes.len() => bytes[at] = rng.u8(..),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let other = any(rng);
                let from = rng.usize(..=other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 => {
                let end = rng.usize(at..=bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.insert(at, rng.u8(..)),
        }
    }
    bytes.truncate(1 << 16);
    bytes
}

/// Returns the name of an input for which a target does not hold.
fn broken(name: &str, target: Target, bytes: &[u8], what: &str) -> Option<String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| target(bytes)));
    let text = String::from_utf8_lossy(bytes);
    outcome.err().map(|_| format!("{name}: {what}: {text:?}"))
}

#[test]
fn every_target_holds_over_its_corpus() {
    let mut all = Vec::new();
    for &(name, target) in TARGETS {
        all.extend(broken(name, target, b"", "no bytes"));
        for (path, bytes) in corpus(name) {
            all.extend(broken(name, target, &bytes, &path.display().to_string()));
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn every_target_holds_over_changes_of_its_corpus() {
    let mut all = Vec::new();
    for &(name, target) in TARGETS {
        let corpus = corpus(name);
        for seed in 0..200 {
            let bytes = changed(&mut Rng::with_seed(seed), &corpus);
            all.extend(broken(name, target, &bytes, &format!("change {seed}")));
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), TARGETS.len(), "two targets have one name");
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let named = manifest.split("{ name = \"").skip(1);
    let programs: BTreeSet<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(programs, names);
    let listed = |folder: PathBuf| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| stem(entry.unwrap().path())).collect()
    };
    let names: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
    assert_eq!(listed(folder().join("corpus")), names);
    assert_eq!(listed(folder().join("fuzz_targets")), names);
}

#[test]
fn every_type_that_is_read_is_among_those_of_the_target() {
    let mut missing = BTreeSet::new();
    for (service, file) in [
        ("wazo-auth", "wazo_auth"),
        ("cloud-credentials", "cloud_credentials"),
    ] {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let text = crates
            .join(service)
            .join("src/generated")
            .join(file)
            .join("wire.rs");
        let text = fs::read_to_string(text).unwrap();
        // Others are read by the methods alone.
        let read = text.split("#[derive(").filter(|item| {
            let derived = item.split(')').next().unwrap();
            derived.split(", ").any(|one| one == "Deserialize")
        });
        let names = read.filter_map(|item| {
            let item = item
                .split("\npub struct ")
                .nth(1)
                .or(item.split("\npub enum ").nth(1))?;
            item.split(|c: char| !c.is_alphanumeric()).next()
        });
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        assert!(names.len() > 10, "{service}: {names:?}");
        missing.extend(names);
    }
    for (name, _) in fuzz::wire::TYPES {
        missing.remove(*name);
    }
    assert!(missing.is_empty(), "{missing:?}");
}
