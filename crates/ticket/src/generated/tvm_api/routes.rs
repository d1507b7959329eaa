// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::GetKeys,
        operation: &operations::GET_KEYS,
        path: "/2/keys",
    },
    Route {
        op: Op::GetTickets,
        operation: &operations::GET_TICKETS,
        path: "/2/ticket",
    },
    Route {
        op: Op::GetTicketsWithSlash,
        operation: &operations::GET_TICKETS_WITH_SLASH,
        path: "/2/ticket/",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The public keys of the authority.
    GetKeys,
    /// Service tickets for up to 300 destinations.
    GetTickets,
    /// The same, as some other clients spell it.
    GetTicketsWithSlash,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
