// Made by `cargo xtask codegen` from crates/astakos/api/ui.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// Returns the registered components, in the order of a menu bar.
pub(crate) static GET_SERVICES: Operation = Operation::new(
        "ui.getServices",
        Method::GET,
        "/get_services",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .open();

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[&GET_SERVICES];
