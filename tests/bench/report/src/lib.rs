//! What benchmarks find: rows, the file of all groups, a table, plots.

pub mod plot;
pub mod results;
pub mod row;
pub mod table;
