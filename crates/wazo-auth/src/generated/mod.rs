// Made by `cargo xtask codegen` from crates/wazo-auth/api; do not edit.
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

/// wazo-auth.
pub(crate) mod wazo_auth;
