// Made by `cargo xtask codegen` from crates/wide/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Code generated from the descriptions in `api/`.
#![allow(
    clippy::use_self,
    reason = "a type that holds itself names itself, as its schema does"
)]
#![allow(
    clippy::large_enum_variant,
    reason = "what the wire has side by side stays side by side"
)]
#![allow(
    clippy::enum_variant_names,
    reason = "variants are called as the wire calls them"
)]

/// A service whose methods are grouped.
pub(crate) mod places;
/// A service with everything that the generator knows.
pub(crate) mod wide;
