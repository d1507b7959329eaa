//! `cargo xtask vectors [SERVICE]`: a thin way to the program that runs recorded vectors, so that
//! xtask itself need not be built with the clients.

use crate::program;

/// Runs the vectors of one service, or of all.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    program::run("vectors", arguments)
}
