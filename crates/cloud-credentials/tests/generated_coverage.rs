// Made by `cargo xtask codegen` from crates/cloud-credentials/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ALL: &[&str] = &[
    "cloud-credentials.createLogQuery",
    "cloud-credentials.pollLogQuery",
    "cloud-credentials.deleteLogQuery",
    "cloud-credentials.writeLogs",
    "cloud-credentials.pollEvents",
    "cloud-credentials.acknowledgeEvents",
    "cloud-credentials.refuseEvents",
    "cloud-credentials.flushEvents",
    "cloud-credentials.getEventFilters",
    "cloud-credentials.setEventFilters",
    "cloud-credentials.getDirectoryAttributes",
    "cloud-credentials.getDirectoryDomains",
    "cloud-credentials.countDirectoryObjects",
    "cloud-credentials.queryDirectory",
    "cloud-credentials.listQueryJobs",
    "cloud-credentials.createQueryJob",
    "cloud-credentials.getQueryJob",
    "cloud-credentials.cancelQueryJob",
    "cloud-credentials.getQueryResults",
];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
