//! Credentials of a fleet: the cached token, calls that carry it, and refreshes on each store.

pub mod calls;
#[cfg(feature = "stores")]
mod refreshes;
pub mod tokens;

use vouchsafe_bench_report::row::Row;

use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let mut rows = Vec::new();
    // First, as servers start on the other core.
    #[cfg(feature = "stores")]
    rows.extend(refreshes::run(size));
    rows.extend(tokens::run(size));
    rows.extend(calls::run(size));
    rows
}

/// A JWT that expires in the year 2100.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln";
