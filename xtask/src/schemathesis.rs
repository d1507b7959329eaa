//! `cargo xtask schemathesis SERVICE [--seconds N] [--seed S]`: a thin way to the program that runs a
//! description against its emulator.

use crate::{program, workspace};

const USAGE: &str = "usage: cargo xtask schemathesis SERVICE [--seconds N] [--seed S]";

/// Runs the description of one service: for two minutes from seed 1, unless said otherwise.
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
