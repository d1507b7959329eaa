//! Where the workspace is, and what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde::Deserialize;

/// Returns the root of the workspace, wherever the command was started.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Returns the folder that cargo builds in: the one that the caller chose, or that of the workspace.
pub(crate) fn builds() -> PathBuf {
    let chosen = std::env::vars_os().find(|(name, _)| name == "CARGO_TARGET_DIR");
    chosen.map_or_else(|| root().join("target"), |(_, folder)| folder.into())
}

/// A package, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) targets: Vec<Target>,
    /// `None` for everywhere.
    publish: Option<Vec<String>>,
    /// All else.
    #[serde(flatten)]
    pub(crate) about: serde_json::Value,
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }
}

/// A library, a program, an example and so on.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    pub(crate) required_features: Vec<String>,
}

impl Target {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

/// Returns cargo, as the caller of this program would start it.
///
/// `cargo run` sets variables that describe the package of xtask. ring's build script watches them, so that
/// with them half of the workspace would be compiled again, and another time without.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Returns the packages of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    read(&output.stdout)
}

/// Reads the output of `cargo metadata`.
pub(crate) fn read(metadata: &[u8]) -> Result<Vec<Package>, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let metadata: Metadata = serde_json::from_slice(metadata)
        .map_err(|cause| format!("cargo metadata cannot be read: {cause}"))?;
    Ok(metadata.packages)
}

fn copy_with_time(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let time = fs::metadata(from)?.modified()?;
    fs::File::options().write(true).open(to)?.set_modified(time)
}

/// Copies all files that git tracks or would add into a folder, which is emptied first. They keep their
/// times, so that cargo takes what it built from the originals for them, too.
pub(crate) fn copy(copy: &Path) -> Result<(), String> {
    let root = root();
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output()
        .map_err(|cause| format!("git cannot be started: {cause}"))?;
    if !listed.status.success() {
        return Err("git cannot list the files of the workspace".to_owned());
    }
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let files = listed.split('\0').filter(|name| !name.is_empty());
    if copy.exists() {
        fs::remove_dir_all(copy).map_err(|cause| format!("{}: {cause}", copy.display()))?;
    }
    // Files that are deleted but not committed are listed too.
    for file in files
        .map(PathBuf::from)
        .filter(|file| root.join(file).exists())
    {
        let (from, to) = (root.join(&file), copy.join(&file));
        let folder = to.parent().map_or(Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| copy_with_time(&from, &to))
            .map_err(|cause| format!("{}: {cause}", from.display()))?;
    }
    Ok(())
}
