//! Credentials of a fleet: the cached token, calls that carry it, and refreshes on each store.

pub mod calls;
mod refreshes;
pub mod tokens;

use crate::goals::Goals;
use crate::measure::Size;
use crate::table::Row;

pub fn run(size: Size) -> (Vec<Row>, Goals) {
    let mut goals = Goals::default();
    // First, as servers start on the other core.
    let mut rows = refreshes::run(size);
    rows.extend(tokens::run(size, &mut goals));
    rows.extend(calls::run(size, &mut goals));
    (rows, goals)
}

/// A JWT that expires in the year 2100.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln";
