//! `cargo xtask interop`: a thin way to the program that drives clients in other languages.

use crate::{program, workspace};

/// Runs all checks.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if let Some(unknown) = arguments.first() {
        return Err(format!("interop takes no arguments, not {unknown:?}"));
    }
    let target = workspace::root().join("target");
    program::run("interop", &[&target.to_string_lossy()])
}
