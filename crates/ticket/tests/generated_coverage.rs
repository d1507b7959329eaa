// Made by `cargo xtask codegen` from crates/ticket/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ALL: &[&str] = &[
    "tirole.getActualRoles",
    "tvm-api.getKeys",
    "tvm-api.getTickets",
    "tvm-api.getTicketsWithSlash",
    "tvmtool.ping",
    "tvmtool.getMeta",
    "tvmtool.getKeys",
    "tvmtool.getTickets",
    "tvmtool.checkService",
    "tvmtool.checkUser",
    "tvmtool.getTicketsV2",
    "tvmtool.checkV2",
    "tvmtool.getRoles",
];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
