// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! A service whose methods are grouped, version 1.

pub(crate) mod api;
pub(crate) mod operations;
pub(crate) mod calls;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
