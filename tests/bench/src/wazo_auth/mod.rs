//! wazo-auth: decisions over access control lists.

pub mod acl;

use crate::measure::Size;
use crate::table::Row;

pub fn run(size: Size) -> Vec<Row> {
    acl::run(size)
}
