//! The program `vouchsafe`, which is built beside those of the tests.

use std::path::PathBuf;

/// Returns the program, if it is built. `cargo xtask` builds it before it starts a program of the
/// tests, and cargo does with all tests.
pub(crate) fn vouchsafe() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let mut folder = own.parent()?;
    if folder.ends_with("deps") {
        folder = folder.parent()?;
    }
    let program = folder.join(format!("vouchsafe{}", std::env::consts::EXE_SUFFIX));
    program.exists().then_some(program)
}
