// Made by `cargo xtask codegen` from crates/astakos/api/ui.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Astakos user interface, version 1.

pub(crate) mod api;
pub(crate) mod operations;
pub(crate) mod calls;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
