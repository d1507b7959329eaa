//! Checks of tickets compared with the same checks on other big numbers, and decisions by roles.

pub mod case;
pub mod counts;
pub mod fixture;
mod floor;
mod peers;
mod roles;
mod times;

use std::path::Path;

use vouchsafe_bench_report::row::Row;

use self::fixture::{Fixture, SIZES};
use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    if cfg!(not(feature = "openssl")) {
        eprintln!("SKIPPED: OpenSSL; its headers (libssl-dev) or pkg-config are not here");
    }
    let fixtures = SIZES.map(Fixture::new);
    let mut rows = times::run(&fixtures, size);
    rows.extend(roles::run(size));
    rows.extend(with_file(&fixtures, counts::allocations));
    rows
}

/// Counts the instructions of checks.
pub fn instructions(size: Size) -> Vec<Row> {
    with_file(&SIZES.map(Fixture::new), |path| {
        counts::instructions(path, &SIZES, size)
    })
}

/// Gives other processes the fixtures in a file.
fn with_file(fixtures: &[Fixture], count: impl FnOnce(&Path) -> Vec<Row>) -> Vec<Row> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = serde_json::to_string(fixtures).expect("fixtures are plain");
    std::fs::write(&file, text).expect("a file to write to");
    count(file.path())
}
