//! The assertions of the fuzz targets, with one file for each crate, whose tests run them too.

pub mod acl;
mod properties;

pub use properties::*;
