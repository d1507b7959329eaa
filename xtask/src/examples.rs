//! `cargo xtask examples`: runs every example of every crate.

use std::path::Path;
use std::process::Command;

use crate::workspace;

/// Runs each `crates/*/examples/*.rs` with all features; fails if one of them does.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask examples".to_owned());
    }
    let mut count = 0;
    for folder in list(&workspace::root().join("crates"))? {
        let crate_folder = Path::new(&folder);
        let examples = crate_folder.join("examples");
        if !examples.is_dir() {
            continue;
        }
        for example in list(&examples)? {
            let name = Path::new(&example).file_stem().unwrap_or_default();
            eprintln!(
                "example {}/{}",
                crate_folder.file_name().unwrap_or_default().display(),
                name.display()
            );
            let status = Command::new(env!("CARGO"))
                .args(["run", "--quiet", "--all-features", "--example"])
                .arg(name)
                .current_dir(crate_folder)
                .status()
                .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
            if !status.success() {
                return Err(format!("{example} failed"));
            }
            count += 1;
        }
    }
    if count == 0 {
        return Err("no examples were found".to_owned());
    }
    eprintln!("examples: {count} ran");
    Ok(())
}

/// Returns the paths in a folder, sorted.
fn list(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path().display().to_string());
    }
    paths.sort();
    Ok(paths)
}
