//! `cargo xtask test`: every test of the workspace, documentation included.

use std::process::{Command, Stdio};

use crate::workspace;

/// Runs the tests, by nextest if it is installed. Further arguments go to the runner, so that
/// `cargo xtask test -p vouchsafe-core cache` runs what it says.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let is = |names: &[&str]| arguments.iter().any(|argument| is_option(argument, names));
    let mut scope = Vec::new();
    if !is(&["-p", "--package", "--workspace"]) {
        scope.push("--workspace");
    }
    if !is(&[
        "-F",
        "--features",
        "--all-features",
        "--no-default-features",
    ]) {
        scope.push("--all-features");
    }
    let runner: &[&str] = if has_nextest() {
        &["nextest", "run", "--no-tests=pass"]
    } else {
        eprintln!("cargo-nextest is not installed; going on with `cargo test`");
        // Documentation comes below, as with nextest.
        if is(TARGETS) {
            &["test"]
        } else {
            &["test", "--lib", "--bins", "--tests", "--examples"]
        }
    };
    cargo(&[runner, &scope, arguments].concat())?;
    // Who asks for certain targets does not ask for documentation.
    if is(TARGETS) {
        return Ok(());
    }
    cargo(&[&["test", "--doc"], scope.as_slice(), arguments].concat())
}

/// Options that choose targets; cargo takes none of them together with `--doc`.
const TARGETS: &[&str] = &[
    "--lib",
    "--bin",
    "--bins",
    "--test",
    "--tests",
    "--example",
    "--examples",
    "--bench",
    "--benches",
    "--all-targets",
];

/// Returns whether an argument is one of the options, with or without its value attached.
fn is_option(argument: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        argument
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || !name.starts_with("--"))
    })
}

fn has_nextest() -> bool {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    let line = format!("cargo {}", arguments.join(" "));
    eprintln!("{line}");
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("failed: {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_with_their_values_attached() {
        for argument in [
            "-p",
            "-pvouchsafe-core",
            "--package",
            "--package=vouchsafe-core",
        ] {
            assert!(is_option(argument, &["-p", "--package"]), "{argument}");
        }
        for argument in ["--packages", "cache", "--lib", "p"] {
            assert!(!is_option(argument, &["-p", "--package"]), "{argument}");
        }
        assert!(!is_option("--tests", &["--test"]));
    }
}
