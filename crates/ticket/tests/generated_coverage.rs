// Made by `cargo xtask codegen` from crates/ticket/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const TIROLE: &[&str] = &["tirole.getActualRoles"];

const TVM_API: &[&str] = &[
    "tvm-api.getKeys",
    "tvm-api.getTickets",
    "tvm-api.getTicketsWithSlash",
];

const TVMTOOL: &[&str] = &[
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

const ALL: &[&[&str]] = &[TIROLE, TVM_API, TVMTOOL];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL
        .iter()
        .flat_map(|ids| ids.iter())
        .filter(|id| {
            !driven
                .iter()
                .any(|seen| {
                    let seen: &str = seen.as_ref();
                    seen == **id
                })
        })
        .collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
