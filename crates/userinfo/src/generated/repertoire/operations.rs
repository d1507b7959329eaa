// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// The whole discovery document.
pub(crate) static GET_DISCOVERY: Operation = Operation::new(
        "repertoire.getDiscovery",
        Method::GET,
        "/discovery",
    )
    .repeat(Repeat::Safe)
    .response_limit(8 << 20)
    .open();

/// Returns the connection information of all InfluxDB databases, with credentials, by label.
pub(crate) static LIST_INFLUXDB: Operation = Operation::new(
        "repertoire.listInfluxdb",
        Method::GET,
        "/discovery/influxdb",
    )
    .repeat(Repeat::Safe)
    .response_limit(8 << 20)
    .sensitive_answer();

/// One database with credentials.
pub(crate) static GET_INFLUXDB: Operation = Operation::new(
        "repertoire.getInfluxdb",
        Method::GET,
        "/discovery/influxdb/{database}",
    )
    .repeat(Repeat::Safe)
    .sensitive_answer();

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[&GET_DISCOVERY, &LIST_INFLUXDB, &GET_INFLUXDB];
