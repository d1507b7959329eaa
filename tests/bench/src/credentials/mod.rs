//! Credentials of a fleet: the cached token, calls that carry it, and refreshes on each store.

pub mod calls;
mod refreshes;
pub mod tokens;

use vouchsafe_bench_report::row::Row;

use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    // First, as servers start on the other core.
    let mut rows = refreshes::run(size);
    rows.extend(tokens::run(size));
    rows.extend(calls::run(size));
    rows
}

/// A JWT that expires in the year 2100.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln";
