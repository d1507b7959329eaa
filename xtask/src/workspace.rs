//! Where the workspace is, and what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// Returns the root of the workspace, wherever the command was started.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A package, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) targets: Vec<Target>,
    /// `None` for everywhere.
    publish: Option<Vec<String>>,
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

/// Returns the packages of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let output = Command::new(env!("CARGO"))
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
