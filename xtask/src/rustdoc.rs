//! What rustdoc says of public APIs, as JSON.
//!
//! That output is unstable, so rustdoc runs with `RUSTC_BOOTSTRAP`, but cargo does not: dependencies stay
//! as they were compiled, and no other toolchain is needed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::workspace;

/// Lets rustdoc describe packages, or all, of the workspace in a folder, in its `target/doc`.
pub(crate) fn document(folder: &Path, packages: &[&str]) -> Result<(), String> {
    let target = folder.join("target");
    let script = target.join("rustdoc-json");
    let text = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    fs::create_dir_all(&target)
        .and_then(|()| fs::write(&script, text))
        .and_then(|()| executable(&script))
        .map_err(|cause| format!("{}: {cause}", script.display()))?;
    let chosen = packages.iter().flat_map(|name| ["--package", name]);
    let chosen: Vec<_> = match packages {
        [] => vec!["--workspace"],
        _ => chosen.collect(),
    };
    let status = workspace::cargo()
        .args(["doc", "--quiet", "--no-deps", "--all-features", "--lib"])
        .args(chosen)
        .arg("--target-dir")
        .arg(&target)
        // What is compiled already is not compiled for another folder.
        .env("CARGO_BUILD_BUILD_DIR", workspace::builds())
        .env("RUSTDOC", &script)
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json")
        .current_dir(folder)
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("the packages cannot be documented".to_owned()),
    }
}

/// Reads what [`document`] wrote of a package.
pub(crate) fn read(folder: &Path, package: &str) -> Result<Value, String> {
    let file = folder.join(format!("target/doc/{}.json", package.replace('-', "_")));
    let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    serde_json::from_str(&text).map_err(|fault| format!("{}: {fault}", file.display()))
}

/// Returns the message for JSON that cannot be understood.
pub(crate) fn unknown(package: &str) -> String {
    format!("{package}: rustdoc's JSON has another form")
}

/// Returns the published packages with a library. What the umbrella re-exports is theirs.
pub(crate) fn published() -> Result<Vec<String>, String> {
    let packages = workspace::packages()?.into_iter().filter(|package| {
        let has_library = package.targets.iter().any(|target| target.is("lib"));
        has_library && package.is_published() && package.name != "vouchsafe"
    });
    Ok(packages.map(|package| package.name).collect())
}

#[cfg(unix)]
fn executable(script: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other(
        "only on Unix, where a script can be a program",
    ))
}
