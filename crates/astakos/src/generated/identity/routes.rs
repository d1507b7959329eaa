// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::GET_VERSION,
        path: "/identity/v2.0",
    },
    Route {
        operation: &operations::AUTHENTICATE,
        path: "/identity/v2.0/tokens",
    },
    Route {
        operation: &operations::VALIDATE_TOKEN,
        path: "/identity/v2.0/tokens/{token_id}",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Details of this version.
    GetVersion,
    /// The catalog of services; with credentials the token and its user too.
    Authenticate,
    /// Check a short-lived OAuth 2.0 access token.
    ValidateToken,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[Op::GetVersion, Op::Authenticate, Op::ValidateToken];
