// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::PING,
        path: "/tvm/ping",
    },
    Route {
        operation: &operations::GET_META,
        path: "/tvm/private_api/__meta__",
    },
    Route {
        operation: &operations::GET_KEYS,
        path: "/tvm/keys",
    },
    Route {
        operation: &operations::GET_TICKETS,
        path: "/tvm/tickets",
    },
    Route {
        operation: &operations::CHECK_SERVICE,
        path: "/tvm/checksrv",
    },
    Route {
        operation: &operations::CHECK_USER,
        path: "/tvm/checkusr",
    },
    Route {
        operation: &operations::GET_TICKETS_V2,
        path: "/v2/tickets",
    },
    Route {
        operation: &operations::CHECK_V2,
        path: "/v2/check",
    },
    Route {
        operation: &operations::GET_ROLES,
        path: "/v2/roles",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Whether the daemon is well.
    Ping,
    /// What the daemon is set up for.
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

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[
    Op::Ping,
    Op::GetMeta,
    Op::GetKeys,
    Op::GetTickets,
    Op::CheckService,
    Op::CheckUser,
    Op::GetTicketsV2,
    Op::CheckV2,
    Op::GetRoles,
];
