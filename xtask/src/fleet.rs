//! `cargo xtask fleet`: a thin way to the program that drives fleets of processes.

use crate::{program, workspace};

/// Runs one of its proofs.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let target = workspace::root().join("target");
    program::run(
        "fleet",
        &[&[&*target.to_string_lossy()], arguments].concat(),
    )
}
