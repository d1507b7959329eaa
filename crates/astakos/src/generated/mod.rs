// Made by `cargo xtask codegen` from crates/astakos/api; do not edit.
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

/// Astakos account.
pub(crate) mod account;
/// Astakos identity.
pub(crate) mod identity;
/// Astakos OAuth 2.0.
pub(crate) mod oauth2;
/// Astakos user interface.
pub(crate) mod ui;
