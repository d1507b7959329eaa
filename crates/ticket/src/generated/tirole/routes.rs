// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::GetActualRoles,
        operation: &operations::GET_ACTUAL_ROLES,
        path: "/v1/get_actual_roles",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The roles of a system, unless they are known already.
    GetActualRoles,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
