//! Runs the recorded vectors as a test, if their folder is available.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};

use vouchsafe_tests::vectors;

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_vectors_hold() {
    let Some(folder) = vouchsafe::core::env::var(vectors::VARIABLE).unwrap() else {
        return vouchsafe_test_servers::skip(&format!(
            "{0} is not set, so no recorded vector was run. Set it to the folder of vectors.",
            vectors::VARIABLE
        ));
    };
    let report = vectors::run(Path::new(&folder), None, probe())
        .await
        .unwrap();
    eprintln!("{report}");
    assert!(report.failures().is_empty(), "{report}");
}

fn probe() -> Option<PathBuf> {
    Some(PathBuf::from(env!("CARGO_BIN_EXE_vectors")))
}
