// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::GetVersion,
        operation: &operations::GET_VERSION,
        path: "/identity/v2.0",
    },
    Route {
        op: Op::Authenticate,
        operation: &operations::AUTHENTICATE,
        path: "/identity/v2.0/tokens",
    },
    Route {
        op: Op::ValidateToken,
        operation: &operations::VALIDATE_TOKEN,
        path: "/identity/v2.0/tokens/{token_id}",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Details of this version.
    GetVersion,
    /// The catalog of services; with credentials the token and its user too.
    Authenticate,
    /// Returns the owner of a short-lived OAuth 2.0 access token.
    ValidateToken,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
