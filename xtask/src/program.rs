//! Programs of the package `vouchsafe-tests`, run by cargo.

use std::process::Command;

/// Builds and runs a program; fails if the program fails.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "vouchsafe-tests",
            "--bin",
            name,
            "--",
        ])
        .args(arguments)
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} failed"))
    }
}
