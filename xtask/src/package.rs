//! `cargo xtask package`: what would be published, checked with nothing but its own files.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::workspace::{self, Package};

/// Packages every published crate, and checks all of them with all features in a workspace of nothing but
/// the packages. Further arguments are those of `cargo package`, such as `--allow-dirty`.
///
/// cargo's own verification builds the dependencies of each package again, whose features differ a little
/// every time: an hour of compiling instead of minutes. That each crate has the features that it needs,
/// `cargo xtask features` checks.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let packages = published()?;
    let faults: Vec<_> = packages.iter().flat_map(faults).collect();
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let root = workspace::root();
    let target = root.join("target");
    let chosen = packages.iter().flat_map(|package| ["-p", &package.name]);
    finish(
        workspace::cargo()
            .args(["package", "--no-verify", "--target-dir"])
            .arg(&target)
            .args(chosen)
            .args(arguments)
            .current_dir(&root),
    )?;
    let alone = target.join("packages");
    unpack(&packages, &root, &alone)?;
    finish(
        workspace::cargo()
            .args(["check", "--workspace", "--all-features", "--target-dir"])
            .arg(&target)
            .current_dir(&alone),
    )
}

/// Makes a workspace of packages, with the lock file and the profiles of this one, so that dependencies that
/// are compiled already are not compiled again. Files are dated now (`-m`): packages date all of them the same,
/// and cargo would take changed ones for those that it has checked.
fn unpack(packages: &[Package], root: &Path, alone: &Path) -> Result<(), String> {
    let io = |cause| format!("{}: {cause}", alone.display());
    if alone.exists() {
        fs::remove_dir_all(alone).map_err(io)?;
    }
    fs::create_dir_all(alone).map_err(io)?;
    let mut members = String::new();
    let mut patches = String::new();
    for package in packages {
        let version = package.about["version"].as_str().unwrap_or_default();
        let folder = format!("{}-{version}", package.name);
        let archive = root.join(format!("target/package/{folder}.crate"));
        finish(
            Command::new("tar")
                .arg("-xzmf")
                .arg(archive)
                .current_dir(alone),
        )?;
        members += &format!("{folder:?}, ");
        patches += &format!("{} = {{ path = {folder:?} }}\n", package.name);
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).map_err(io)?;
    let profiles = manifest.split_once("\n[profile.").unwrap_or_default().1;
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[patch.crates-io]\n{patches}\n[profile.{profiles}"
    );
    fs::write(alone.join("Cargo.toml"), manifest).map_err(io)?;
    fs::copy(root.join("Cargo.lock"), alone.join("Cargo.lock")).map_err(io)?;
    Ok(())
}

fn finish(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|cause| format!("{program} cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed")),
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
