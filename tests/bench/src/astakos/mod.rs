//! Calls of Astakos compared with reqwest and the Python client, and the memory of a walk.

pub mod calls;
pub mod python;
pub mod server;
mod walk;

use vouchsafe_bench_report::row::Row;

use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let mut rows = calls::run(size);
    rows.extend(walk::run(size));
    rows
}
