//! `cargo xtask minimal-versions`: the published crates with the oldest versions that they accept of
//! what they depend on.

use std::path::Path;
use std::process::Command;

use crate::workspace;

/// Checks every published crate, with all features, in a copy of the workspace whose lock file has the
/// oldest versions of direct dependencies.
///
/// Resolving so is unstable: this one run of cargo is allowed it by `RUSTC_BOOTSTRAP`, and the
/// compiler is not, since some dependencies would then use what is unstable.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask minimal-versions".to_owned());
    }
    let root = workspace::root();
    let copy = root.join("target/minimal-versions");
    workspace::copy(&copy)?;
    let lock = ["-Z", "direct-minimal-versions", "generate-lockfile"];
    cargo(&copy, |command| {
        command.args(lock).env("RUSTC_BOOTSTRAP", "1")
    })?;
    let mut packages = workspace::packages()?;
    packages.retain(workspace::Package::is_published);
    let chosen = packages.iter().flat_map(|package| ["-p", &package.name]);
    let check = ["check", "--locked", "--all-features"];
    // What has the same version is compiled already.
    cargo(&copy, |command| {
        let command = command.args(check).args(chosen);
        command.env("CARGO_TARGET_DIR", root.join("target"))
    })?;
    eprintln!("minimal-versions: {} crates", packages.len());
    Ok(())
}

fn cargo(folder: &Path, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<(), String> {
    let mut command = workspace::cargo();
    let status = with(command.current_dir(folder))
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("failed in {}", folder.display())),
    }
}
