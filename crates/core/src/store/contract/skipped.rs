//! Tests that are left out because the machine lacks something.

use std::io::Write as _;

use crate::env;

/// Returns whether a check may be left out because something is not installed. With `CI=true` it
/// fails instead, since that is where a check that is always left out would not be noticed.
#[must_use]
pub fn may_skip() -> bool {
    env::var("CI").unwrap().is_none_or(|ci| ci != "true")
}

/// Prints that a test is left out, and why; with `CI=true` it fails. The line is also added to the file
/// that `VOUCHSAFE_SKIPPED` names, if it is set, since a runner hides what a test that passed has printed.
pub fn skip(why: &str) {
    let line = format!("SKIPPED: {why}");
    assert!(may_skip(), "{line}");
    println!("{line}");
    if let Some(file) = env::var("VOUCHSAFE_SKIPPED").unwrap() {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file);
        // In one write, as other tests do it at the same time.
        file.unwrap()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }
}
