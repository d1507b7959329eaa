// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! tirole, the part a client library uses, version 1.

pub(crate) mod operations;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
