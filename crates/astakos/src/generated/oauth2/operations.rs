// Made by `cargo xtask codegen` from crates/astakos/api/oauth2.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::ErrorKind;
use vouchsafe_core::call::{Operation, Repeat, StatusRule};

/// Exchange an authorization code for an access token.
pub(crate) static TOKEN: Operation = Operation::new(
        "oauth2.token",
        Method::POST,
        "/token",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+")
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[&TOKEN];

static COMMON_STATUSES: &[StatusRule] = &[StatusRule::new(400, None, ErrorKind::Status)];
