//! No file that people write is longer than 600 lines.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::Command;

const MOST: usize = 600;

#[test]
fn no_file_has_more_than_600_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // A copy of the sources without their history lists nothing.
    if !root.join(".git").exists() {
        return;
    }
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
        ])
        .current_dir(root)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // The generator writes as much as a description asks for.
    let files = listed.lines().filter(|file| !file.contains("/generated/"));
    let files = files.filter(|file| root.join(file).exists());
    let files: Vec<&str> = files.collect();
    assert!(files.len() > 500, "{}", files.len());
    let long: Vec<String> = files
        .into_iter()
        .filter_map(|file| {
            let lines = fs::read_to_string(root.join(file)).unwrap().lines().count();
            (lines > MOST).then(|| format!("{file}: {lines}"))
        })
        .collect();
    assert!(long.is_empty(), "split by what they are about: {long:#?}");
}
