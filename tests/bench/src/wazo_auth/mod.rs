//! wazo-auth: decisions over access control lists, and what the server side adds to a request.

pub mod acl;
mod layer;

use crate::measure::Size;
use crate::table::Row;

pub fn run(size: Size) -> Vec<Row> {
    let mut rows = acl::run(size);
    rows.extend(layer::run(size));
    rows
}
