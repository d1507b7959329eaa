//! `cargo xtask bench`: a thin way to the program that compares this library with its peers. It is in
//! `tests/bench`, which has its own workspace.

use crate::workspace;

/// Runs the groups of benchmarks that are named, or all.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let root = workspace::root();
    let status = workspace::cargo()
        .args(["run", "--quiet", "--manifest-path"])
        .arg(root.join("tests/bench/Cargo.toml"))
        .arg("--target-dir")
        .arg(root.join("target/bench-build"))
        .args(["--package", "vouchsafe-bench-report", "--"])
        .arg(&root)
        .args(arguments)
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("bench failed".to_owned()),
    }
}
