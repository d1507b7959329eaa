//! Everything in the lock file comes from crates.io, under a license that `deny.toml` allows by name.
//! cargo-deny checks the same, but takes minutes to compile.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The names in the list of licenses of `deny.toml`.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let (_, list) = text.split_once("\nallow = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let names = list.split(',').map(|name| name.trim().trim_matches('"'));
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--all-features",
            "--locked",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("{other}"),
    }
}

/// Returns whether the licenses of an expression suffice, and adds those that count to `used`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>, used: &mut BTreeSet<String>) -> bool {
    let expression = Expression::parse_mode(expression, ParseMode::LAX).unwrap();
    expression.evaluate(|license: &LicenseReq| {
        let name = license.to_string();
        let is_allowed = allowed.contains(&name);
        if is_allowed {
            used.insert(name);
        }
        is_allowed
    })
}

#[test]
fn every_dependency_is_from_the_registry_under_an_allowed_license() {
    let allowed = allowed();
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    let packages = packages();
    for package in &packages {
        let shown = format!("{} {}", package["name"], package["version"]);
        match package["source"].as_str() {
            None => {}
            Some("registry+https://github.com/rust-lang/crates.io-index") => {}
            Some(other) => faults.push(format!("{shown} is from {other}")),
        }
        match package["license"].as_str() {
            Some(license) if is_allowed(license, &allowed, &mut used) => {}
            other => faults.push(format!("{shown}: {other:?} is not allowed by deny.toml")),
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(packages.len() > 100, "only {} packages", packages.len());
    let unused: Vec<_> = allowed.difference(&used).collect();
    assert!(unused.is_empty(), "no package needs {unused:?}");
}

#[test]
fn one_of_several_licenses_is_enough_and_all_of_a_sum_are_needed() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()].into();
    let is_good = |text| is_allowed(text, &allowed, &mut BTreeSet::new());
    for good in ["MIT", "MIT OR GPL-3.0-only", "Unlicense/MIT", "MIT AND ISC"] {
        assert!(is_good(good), "{good}");
    }
    for bad in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MIT WITH Classpath-exception-2.0",
    ] {
        assert!(!is_good(bad), "{bad}");
    }
}
