// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! tvm-api, the part a client library uses, version 2.

pub(crate) mod operations;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
