// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::GET_DISCOVERY,
        path: "/discovery",
    },
    Route {
        operation: &operations::LIST_INFLUXDB,
        path: "/discovery/influxdb",
    },
    Route {
        operation: &operations::GET_INFLUXDB,
        path: "/discovery/influxdb/{database}",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The whole discovery document.
    GetDiscovery,
    /// All databases with credentials.
    ListInfluxdb,
    /// One database with credentials.
    GetInfluxdb,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[Op::GetDiscovery, Op::ListInfluxdb, Op::GetInfluxdb];
