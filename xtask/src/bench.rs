//! `cargo xtask bench`: measures this library beside its peers. The measuring is done by the
//! package in `tests/bench`, which has a workspace of its own.

use std::process::Command;

use crate::workspace;

/// Runs a benchmark and writes its numbers to `target/bench/NAME.json`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let [name @ ("core" | "userinfo"), options @ ..] = arguments else {
        return Err("usage: cargo xtask bench core|userinfo [--quick]".to_owned());
    };
    let root = workspace::root();
    let target = root.join("target");
    let results = target.join("bench");
    std::fs::create_dir_all(&results)
        .map_err(|cause| format!("{} cannot be made: {cause}", results.display()))?;
    let built = target.join("bench-build");
    finish(
        Command::new("cargo")
            .args(["build", "--quiet", "--release", "--manifest-path"])
            .arg(root.join("tests/bench/Cargo.toml"))
            .arg("--target-dir")
            .arg(&built),
    )?;
    finish(
        Command::new(built.join("release/vouchsafe-bench"))
            .args([name, "--out"])
            .arg(results.join(format!("{name}.json")))
            .args(options),
    )
}

fn finish(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the benchmark failed: {status}")),
        Err(cause) => Err(format!("{command:?} does not start: {cause}")),
    }
}
