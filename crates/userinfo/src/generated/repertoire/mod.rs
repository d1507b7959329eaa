// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Repertoire, the part a client library uses, version 3.

pub(crate) mod api;
pub(crate) mod operations;
pub(crate) mod calls;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
