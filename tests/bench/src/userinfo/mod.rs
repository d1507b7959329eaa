//! User information: hits, misses and memory, compared with caches with the same guarantees.

pub mod cache;
pub mod counted;
mod hits;
mod memory;
mod misses;

use vouchsafe_bench_report::row::Row;

use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let mut rows = memory::run(size);
    rows.extend(hits::run(size));
    rows.extend(misses::run(size));
    rows
}
