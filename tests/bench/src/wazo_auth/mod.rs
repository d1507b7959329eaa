//! wazo-auth: calls compared with reqwest and the Python way, decisions over access control lists,
//! and the cost of the server side.

pub mod acl;
pub mod answer;
pub mod calls;
mod layer;
mod python;

use vouchsafe_bench_report::row::Row;

use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let mut rows = calls::run(size);
    rows.extend(acl::run(size));
    rows.extend(layer::run(size));
    rows
}
