//! What the fuzz targets assert, each file for one crate, whose tests run it too.

pub mod acl;
mod properties;

pub use properties::*;
