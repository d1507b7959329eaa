//! `cargo xtask interop [SERVICE]`: starts the program that drives clients in other languages.

use crate::{program, workspace};

/// Runs the checks of one service, or of all.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let target = workspace::root().join("target");
    let target = target.to_string_lossy();
    match arguments {
        [] => program::run("interop", &[&target]),
        [service] => program::run("interop", &[&target, service]),
        _ => Err("interop takes at most one argument: the service".to_owned()),
    }
}
