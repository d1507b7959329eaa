//! `cargo xtask bench`: compares this library with its peers. The package in `tests/bench`, which
//! has its own workspace, does the measuring.

use std::process::Command;

use crate::{fleet, workspace};

/// Runs a benchmark and writes its numbers to `target/bench/NAME.json`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let [
        name @ ("astakos" | "core" | "credentials" | "ticket" | "userinfo" | "wazo-auth"),
        options @ ..,
    ] = arguments
    else {
        return Err(
            "usage: cargo xtask bench astakos|core|credentials|ticket|userinfo|wazo-auth [--quick]"
                .to_owned(),
        );
    };
    if *name == "credentials" {
        // Counts, which do not depend on how fast anything is.
        fleet::run(&["table"])?;
    }
    let root = workspace::root();
    let target = root.join("target");
    let results = target.join("bench");
    std::fs::create_dir_all(&results)
        .map_err(|cause| format!("{} cannot be made: {cause}", results.display()))?;
    let built = target.join("bench-build");
    let mut build = Command::new("cargo");
    build
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(root.join("tests/bench/Cargo.toml"))
        .arg("--target-dir")
        .arg(&built);
    if has_openssl() {
        build.args(["--features", "openssl"]);
    }
    finish(&mut build)?;
    finish(
        Command::new(built.join("release/vouchsafe-bench"))
            .args([name, "--out"])
            .arg(results.join(format!("{name}.json")))
            .args(options),
    )
}

/// A peer that comes from the system, and so may be missing.
fn has_openssl() -> bool {
    let found = Command::new("pkg-config")
        .args(["--exists", "openssl"])
        .status();
    found.is_ok_and(|status| status.success())
}

fn finish(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the benchmark failed: {status}")),
        Err(cause) => Err(format!("{command:?} does not start: {cause}")),
    }
}
