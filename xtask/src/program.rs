//! Programs of the workspace, built by cargo.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::workspace;

/// Builds and runs a program of the tests; fails if the program fails. All others are built beside
/// it, `vouchsafe` among them.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let built = all("bin")?;
    let program = built.iter().find(|(built, _)| built == name);
    let (_, program) = program.ok_or_else(|| format!("cargo does not say where {name} is"))?;
    let status = Command::new(program)
        .args(arguments)
        .status()
        .map_err(|cause| format!("{name} cannot be started: {cause}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{name} failed")),
    }
}

/// Builds all programs, and returns the names of those of a kind and where they are.
///
/// They are built as `cargo xtask test` builds them, with the features of the whole workspace and,
/// for examples, of development: fewer of them would compile nearly everything again.
pub(crate) fn all(kind: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let built = workspace::cargo()
        .args(["build", "--quiet", "--workspace", "--all-features"])
        .args(["--bins", "--examples"])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    if !built.status.success() {
        return Err("cargo build failed".to_owned());
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    let built = messages.lines().filter_map(|line| program(line, kind));
    Ok(built.collect())
}

/// Returns the name of a program and where it is, if that is what a message of cargo says.
fn program(message: &str, kind: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = &message["target"];
    let place = message["executable"].as_str()?;
    let name = target["name"].as_str()?;
    (target["kind"][0] == kind).then(|| (name.to_owned(), place.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_among_the_messages_of_cargo() {
        let own = r#"{"reason": "compiler-artifact", "target": {"kind": ["bin"], "name": "soak"},
            "executable": "/t/debug/soak"}"#;
        let soak = Some(("soak".to_owned(), "/t/debug/soak".into()));
        assert_eq!(program(own, "bin"), soak);
        assert_eq!(program(own, "example"), None);
        let library = own.replace(r#""/t/debug/soak""#, "null");
        assert_eq!(program(&library, "bin"), None);
        assert_eq!(program(r#"{"reason": "build-finished"}"#, "bin"), None);
    }
}
