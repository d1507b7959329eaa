//! Programs of the workspace, built and run by cargo.

use crate::workspace;

/// Builds and runs a program; fails if the program fails.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let own = [
        "run",
        "--quiet",
        "--package",
        "vouchsafe-tests",
        "--bin",
        name,
        "--",
    ];
    cargo(&[&own, arguments].concat(), name)
}

/// Builds a package.
pub(crate) fn build(package: &str) -> Result<(), String> {
    cargo(&["build", "--quiet", "--package", package], package)
}

fn cargo(arguments: &[&str], what: &str) -> Result<(), String> {
    let status = workspace::cargo()
        .args(arguments)
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{what} failed"))
    }
}
