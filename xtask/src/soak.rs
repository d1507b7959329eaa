//! `cargo xtask soak`: a thin way to the program that runs everything at once.

use crate::program;

/// Runs it.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    program::run("soak", arguments)
}
