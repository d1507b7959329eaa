// Made by `cargo xtask codegen` from crates/astakos/api/oauth2.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Astakos OAuth 2.0, version 1.

pub(crate) mod operations;
pub(crate) mod calls;
#[cfg(feature = "mock")]
pub(crate) mod routes;
pub(crate) mod wire;
