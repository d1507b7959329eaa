// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// The public keys of the authority.
pub(crate) static GET_KEYS: Operation = Operation::new(
        "tvm-api.getKeys",
        Method::GET,
        "/2/keys",
    )
    .repeat(Repeat::Safe)
    .response_limit(1 << 20)
    .open();

/// Service tickets for up to 300 destinations.
pub(crate) static GET_TICKETS: Operation = Operation::new(
        "tvm-api.getTickets",
        Method::POST,
        "/2/ticket",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .open();

/// The same, as some other clients spell it.
#[cfg(feature = "mock")]
pub(crate) static GET_TICKETS_WITH_SLASH: Operation = Operation::new(
        "tvm-api.getTicketsWithSlash",
        Method::POST,
        "/2/ticket/",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .open();

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &GET_KEYS,
    &GET_TICKETS,
    &GET_TICKETS_WITH_SLASH,
];
