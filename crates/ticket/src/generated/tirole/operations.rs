// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// The roles of a system, unless they are known already.
pub(crate) static GET_ACTUAL_ROLES: Operation = Operation::new(
        "tirole.getActualRoles",
        Method::GET,
        "/v1/get_actual_roles",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .open()
    .answers(&[304]);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[&GET_ACTUAL_ROLES];
