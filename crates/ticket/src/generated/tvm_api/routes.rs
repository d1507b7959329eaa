// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::GET_KEYS,
        path: "/2/keys",
    },
    Route {
        operation: &operations::GET_TICKETS,
        path: "/2/ticket",
    },
    Route {
        operation: &operations::GET_TICKETS_WITH_SLASH,
        path: "/2/ticket/",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The public keys of the authority.
    GetKeys,
    /// Service tickets for up to 300 destinations.
    GetTickets,
    /// The same, as some other clients spell it.
    GetTicketsWithSlash,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[Op::GetKeys, Op::GetTickets, Op::GetTicketsWithSlash];
