//! `cargo xtask vectors [SERVICE]`: starts the program that runs recorded vectors, so that xtask
//! itself is built without the clients.

use crate::program;

/// Runs the vectors of one service, or of all. Those of command line tools need the program.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    program::run("vectors", arguments)
}
