//! Where the workspace is.

use std::path::{Path, PathBuf};

/// Returns the root of the workspace, wherever the command was started.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
