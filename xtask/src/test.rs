//! `cargo xtask test`: every test of the workspace, documentation included.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::{fs, io};

use crate::workspace;

/// Runs the tests, with nextest if it is installed. Further arguments are passed to the runner, as
/// in `cargo xtask test -p vouchsafe-core cache`.
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
        eprintln!("cargo-nextest is not installed; falling back to `cargo test`");
        // Doc tests run below, as with nextest.
        if is(TARGETS) {
            &["test"]
        } else {
            &["test", "--lib", "--bins", "--tests", "--examples"]
        }
    };
    let skipped = workspace::root()
        .join(workspace::builds())
        .join("skipped.txt");
    // Of an earlier run.
    fs::remove_file(&skipped).or_else(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(format!("{}: {cause}", skipped.display())),
    })?;
    let run = cargo(&[runner, &scope, arguments].concat(), &skipped);
    say_skipped(&skipped);
    run?;
    // Doc tests do not run if the caller selects targets, and cargo fails if no selected package
    // has a library.
    let chosen = packages(arguments);
    if is(TARGETS)
        || (!chosen.is_empty()
            && !libraries()?
                .iter()
                .any(|name| chosen.contains(&name.as_str())))
    {
        return Ok(());
    }
    cargo(
        &[&["test", "--doc"], scope.as_slice(), arguments].concat(),
        &skipped,
    )
}

/// Prints what tests said to be left out, which the runner hides.
fn say_skipped(file: &Path) {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: BTreeSet<&str> = text.lines().collect();
    for line in lines {
        eprintln!("{line}");
    }
}

/// Options that select targets; cargo accepts none of them together with `--doc`.
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

/// Returns the packages that the caller names.
fn packages<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if ["-p", "--package"].contains(argument) {
            found.extend(rest.next());
        } else if is_option(argument, &["-p", "--package"]) {
            let name = argument.trim_start_matches("--package");
            found.push(name.trim_start_matches("-p").trim_start_matches('='));
        }
    }
    found
}

/// Returns the packages of the workspace that have a library.
fn libraries() -> Result<Vec<String>, String> {
    let all = workspace::packages()?.into_iter();
    let with_library = all.filter(|package| {
        let mut targets = package.targets.iter();
        targets.any(|target| target.is("lib") || target.is("proc-macro"))
    });
    Ok(with_library.map(|package| package.name).collect())
}

pub(crate) fn has_nextest() -> bool {
    let mut command = workspace::cargo();
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn cargo(arguments: &[&str], skipped: &Path) -> Result<(), String> {
    let line = format!("cargo {}", arguments.join(" "));
    eprintln!("{line}");
    let status = workspace::cargo()
        .args(arguments)
        .env("VOUCHSAFE_SKIPPED", skipped)
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

    #[test]
    fn packages_are_found_and_known_by_their_libraries() {
        let arguments = [
            "-p",
            "one",
            "name",
            "-ptwo",
            "--package=three",
            "--package",
            "four",
        ];
        assert_eq!(packages(&arguments), ["one", "two", "three", "four"]);
        let libraries = libraries().unwrap();
        assert!(libraries.iter().any(|name| name == "vouchsafe-core"));
        assert!(!libraries.iter().any(|name| name == "xtask"));
    }
}
