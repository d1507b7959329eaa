//! `cargo xtask schemathesis SERVICE [--seconds N] [--seed S]`: starts the program that runs a
//! description against its emulator.

use crate::{program, workspace};

const USAGE: &str = "usage: cargo xtask schemathesis SERVICE [--seconds N] [--seed S]";

/// Runs the description of one service. Default: two minutes and seed 1.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let [service, options @ ..] = arguments else {
        return Err(USAGE.to_owned());
    };
    let (mut seconds, mut seed) = ("120", "1");
    for option in options.chunks(2) {
        match option {
            ["--seconds", number] => seconds = number,
            ["--seed", number] => seed = number,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let target = workspace::root().join("target");
    program::run(
        "schemathesis",
        &[&target.to_string_lossy(), service, seconds, seed],
    )
}
