// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! tvmtool, version 2.

pub(crate) mod operations;
pub(crate) mod calls;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
