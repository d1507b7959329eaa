// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::Ping,
        operation: &operations::PING,
        path: "/tvm/ping",
    },
    Route {
        op: Op::GetMeta,
        operation: &operations::GET_META,
        path: "/tvm/private_api/__meta__",
    },
    Route {
        op: Op::GetKeys,
        operation: &operations::GET_KEYS,
        path: "/tvm/keys",
    },
    Route {
        op: Op::GetTickets,
        operation: &operations::GET_TICKETS,
        path: "/tvm/tickets",
    },
    Route {
        op: Op::CheckService,
        operation: &operations::CHECK_SERVICE,
        path: "/tvm/checksrv",
    },
    Route {
        op: Op::CheckUser,
        operation: &operations::CHECK_USER,
        path: "/tvm/checkusr",
    },
    Route {
        op: Op::GetTicketsV2,
        operation: &operations::GET_TICKETS_V2,
        path: "/v2/tickets",
    },
    Route {
        op: Op::CheckV2,
        operation: &operations::CHECK_V2,
        path: "/v2/check",
    },
    Route {
        op: Op::GetRoles,
        operation: &operations::GET_ROLES,
        path: "/v2/roles",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Whether the daemon is well.
    Ping,
    /// The configuration of the daemon.
    GetMeta,
    /// The public keys of the authority.
    GetKeys,
    /// Service tickets for destinations.
    GetTickets,
    /// Check a service ticket.
    CheckService,
    /// Check a user ticket.
    CheckUser,
    /// Service tickets for destinations.
    GetTicketsV2,
    /// Check a service ticket, a user ticket, or both.
    CheckV2,
    /// The roles of the service's system, unless they are known already.
    GetRoles,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
