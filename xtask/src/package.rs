//! `cargo xtask package`: what would be published, built from nothing but its own files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::workspace::{self, Package};

/// Packages every published crate, and builds each from its package with all features. Further
/// arguments are cargo's, such as `--allow-dirty` or `--no-verify`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let packages = published()?;
    let faults: Vec<_> = packages.iter().flat_map(faults).collect();
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let chosen = packages.iter().flat_map(|package| ["-p", &package.name]);
    let status = workspace::cargo()
        .args(["package", "--all-features"])
        .args(chosen)
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("cargo package failed".to_owned()),
    }
}

fn published() -> Result<Vec<Package>, String> {
    let mut packages = workspace::packages()?;
    packages.retain(Package::is_published);
    Ok(packages)
}

/// Returns what a package does not say about itself.
fn faults(package: &Package) -> Vec<String> {
    let about = &package.about;
    let is_empty = |key: &&&str| match &about[**key] {
        Value::Array(words) => words.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => true,
    };
    let absent = KEYS.iter().filter(is_empty);
    let mut faults: Vec<_> = absent
        .map(|key| format!("{} has no {key}", package.name))
        .collect();
    let manifest = Path::new(about["manifest_path"].as_str().unwrap_or_default());
    let license = |path: &Path| fs::read(path).unwrap_or_default();
    if license(&manifest.with_file_name("LICENSE")) != license(&workspace::root().join("LICENSE")) {
        faults.push(format!(
            "{} has no LICENSE like the workspace's",
            package.name
        ));
    }
    // crates.io accepts no more.
    let keywords = about["keywords"].as_array();
    if keywords.is_some_and(|words| words.len() > 5) {
        faults.push(format!("{} has more than five keywords", package.name));
    }
    let has_features = about["features"]
        .as_object()
        .is_some_and(|all| !all.is_empty());
    let documented = &about["metadata"]["docs"]["rs"]["all-features"];
    if has_features && documented != true {
        faults.push(format!(
            "{} is not documented with all features",
            package.name
        ));
    }
    faults
}

/// What crates.io shows of a crate.
const KEYS: &[&str] = &[
    "categories",
    "description",
    "keywords",
    "license",
    "readme",
    "repository",
    "rust_version",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_crate_says_what_it_is() {
        let packages = published().unwrap();
        assert!(packages.iter().any(|package| package.name == "vouchsafe"));
        let faults: Vec<_> = packages.iter().flat_map(faults).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn what_is_absent_is_named() {
        let metadata = r#"{"packages": [{"name": "one", "targets": [], "description": "x", "license": "MIT",
            "keywords": ["1", "2", "3", "4", "5", "6"], "categories": [], "readme": null, "repository": "x",
            "rust_version": "1.89", "features": {"tls": []}, "metadata": {"docs": {"rs": {}}}}]}"#;
        let package = workspace::read(metadata.as_bytes()).unwrap().remove(0);
        let wanted = [
            "one has no categories",
            "one has no readme",
            "one has no LICENSE like the workspace's",
            "one has more than five keywords",
            "one is not documented with all features",
        ];
        assert_eq!(faults(&package), wanted);
    }
}
