//! Clients in Python, if there is one.

use std::path::PathBuf;
use std::process::Command;

/// Installs packages into a folder beside this program, once. `python` is the command of an
/// interpreter, without arguments.
pub fn install(mut python: Command, folder: &str, packages: &[&str]) -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let folder = program.with_file_name(folder);
    let marker = folder.join("installed");
    if !marker.exists() {
        python.args(["-m", "pip", "install", "--quiet", "--upgrade", "--no-deps"]);
        let status = python.arg("--target").arg(&folder).args(packages).status();
        let is_done = status.expect("pip starts").success();
        assert!(is_done, "the Python client cannot be had");
        std::fs::write(marker, packages.join("\n")).expect("a file beside");
    }
    folder
}

/// Runs a script that prints the CPU seconds of a number of calls, and returns the microseconds of
/// one.
pub fn cpu(mut python: Command, count: usize) -> f64 {
    let output = python.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let seconds: f64 = text
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("{complaint}"));
    seconds * 1e6 / count as f64
}
