// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::GET_ACTUAL_ROLES,
        path: "/v1/get_actual_roles",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The roles of a system, unless they are known already.
    GetActualRoles,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[Op::GetActualRoles];
