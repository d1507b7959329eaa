// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// Whether the daemon is well.
pub(crate) static PING: Operation = Operation::new(
        "tvmtool.ping",
        Method::GET,
        "/tvm/ping",
    )
    .repeat(Repeat::Safe)
    .response_limit(65536)
    .open();

/// The configuration of the daemon.
pub(crate) static GET_META: Operation = Operation::new(
        "tvmtool.getMeta",
        Method::GET,
        "/tvm/private_api/__meta__",
    )
    .repeat(Repeat::Safe)
    .response_limit(1 << 20);

/// The public keys of the authority.
pub(crate) static GET_KEYS: Operation = Operation::new(
        "tvmtool.getKeys",
        Method::GET,
        "/tvm/keys",
    )
    .repeat(Repeat::Safe)
    .response_limit(1 << 20);

/// Service tickets for destinations.
pub(crate) static GET_TICKETS: Operation = Operation::new(
        "tvmtool.getTickets",
        Method::GET,
        "/tvm/tickets",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20);

/// Check a service ticket.
#[cfg(feature = "mock")]
pub(crate) static CHECK_SERVICE: Operation = Operation::new(
        "tvmtool.checkService",
        Method::GET,
        "/tvm/checksrv",
    )
    .repeat(Repeat::Safe);

/// Check a user ticket.
#[cfg(feature = "mock")]
pub(crate) static CHECK_USER: Operation = Operation::new(
        "tvmtool.checkUser",
        Method::GET,
        "/tvm/checkusr",
    )
    .repeat(Repeat::Safe);

/// Service tickets for destinations.
#[cfg(feature = "mock")]
pub(crate) static GET_TICKETS_V2: Operation = Operation::new(
        "tvmtool.getTicketsV2",
        Method::GET,
        "/v2/tickets",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20);

/// Check a service ticket, a user ticket, or both.
#[cfg(feature = "mock")]
pub(crate) static CHECK_V2: Operation = Operation::new(
        "tvmtool.checkV2",
        Method::GET,
        "/v2/check",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20);

/// The roles of the service's system, unless they are known already.
pub(crate) static GET_ROLES: Operation = Operation::new(
        "tvmtool.getRoles",
        Method::GET,
        "/v2/roles",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .answers(&[304]);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &PING,
    &GET_META,
    &GET_KEYS,
    &GET_TICKETS,
    &CHECK_SERVICE,
    &CHECK_USER,
    &GET_TICKETS_V2,
    &CHECK_V2,
    &GET_ROLES,
];
