//! `cargo xtask examples`: runs every example of every crate.

use std::process::Command;

use crate::program;
use crate::workspace;

/// Builds all examples with all features, as `cargo xtask test` does, and runs them; fails if one of
/// them does. `cargo xtask features` checks that those that they require are enough.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask examples".to_owned());
    }
    let mut examples = program::all("example")?;
    if examples.is_empty() {
        return Err("no examples were found".to_owned());
    }
    examples.sort();
    for (name, program) in &examples {
        eprintln!("example {name}");
        let status = Command::new(program)
            .current_dir(workspace::root())
            .status()
            .map_err(|cause| format!("{name} cannot be started: {cause}"))?;
        if !status.success() {
            return Err(format!("example {name} failed"));
        }
    }
    eprintln!("examples: {} ran", examples.len());
    Ok(())
}
