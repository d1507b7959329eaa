// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::GetDiscovery,
        operation: &operations::GET_DISCOVERY,
        path: "/discovery",
    },
    Route {
        op: Op::ListInfluxdb,
        operation: &operations::LIST_INFLUXDB,
        path: "/discovery/influxdb",
    },
    Route {
        op: Op::GetInfluxdb,
        operation: &operations::GET_INFLUXDB,
        path: "/discovery/influxdb/{database}",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The whole discovery document.
    GetDiscovery,
    /// Returns the connection information of all InfluxDB databases, with credentials, by label.
    ListInfluxdb,
    /// One database with credentials.
    GetInfluxdb,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
