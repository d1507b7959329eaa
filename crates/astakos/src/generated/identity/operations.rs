// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// Details of this version.
#[cfg(feature = "mock")]
pub(crate) static GET_VERSION: Operation = Operation::new(
        "identity.getVersion",
        Method::GET,
        "/identity/v2.0",
    )
    .repeat(Repeat::Safe)
    .open();

/// The catalog of services; with credentials the token and its user too.
pub(crate) static AUTHENTICATE: Operation = Operation::new(
        "identity.authenticate",
        Method::POST,
        "/tokens",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .open()
    .sensitive_answer();

/// Returns the owner of a short-lived OAuth 2.0 access token.
pub(crate) static VALIDATE_TOKEN: Operation = Operation::new(
        "identity.validateToken",
        Method::GET,
        "/tokens/{token_id}",
    )
    .repeat(Repeat::Safe)
    .open()
    .dialect("0.15+")
    .sensitive_path()
    .sensitive_answer();

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[&GET_VERSION, &AUTHENTICATE, &VALIDATE_TOKEN];
