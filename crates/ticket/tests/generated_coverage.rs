// Made by `cargo xtask codegen` from crates/ticket/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! No operation without a route in the emulator, a test that drives it, and a page.
#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const TIROLE: &[&str] = &["tirole.getActualRoles"];

const TIROLE_PAGE: &str = include_str!("../../../docs/api/tirole.md");

const TVM_API: &[&str] = &[
    "tvm-api.getKeys",
    "tvm-api.getTickets",
    "tvm-api.getTicketsWithSlash",
];

const TVM_API_PAGE: &str = include_str!("../../../docs/api/tvm-api.md");

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

const TVMTOOL_PAGE: &str = include_str!("../../../docs/api/tvmtool.md");

const ALL: &[(&[&str], &str)] = &[
    (TIROLE, TIROLE_PAGE),
    (TVM_API, TVM_API_PAGE),
    (TVMTOOL, TVMTOOL_PAGE),
];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL
        .iter()
        .flat_map(|(ids, _)| ids.iter())
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

#[test]
fn every_operation_is_on_its_page() {
    for (ids, page) in ALL {
        for id in *ids {
            assert!(
                page.contains(& format!("`{id}`")), "docs/api does not tell of {id}"
            );
        }
    }
}
