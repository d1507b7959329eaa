// Made by `cargo xtask codegen` from crates/userinfo/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ALL: &[&str] = &[
    "gafaelfawr.getOwnUserInfo",
    "gafaelfawr.listUsers",
    "gafaelfawr.getUserInfo",
    "gafaelfawr.listGroups",
    "gafaelfawr.createToken",
    "gafaelfawr.getTokenInfo",
    "gafaelfawr.listTokens",
    "gafaelfawr.createUserToken",
    "gafaelfawr.getToken",
    "gafaelfawr.modifyToken",
    "gafaelfawr.revokeToken",
    "gafaelfawr.getQuotaOverrides",
    "gafaelfawr.putQuotaOverrides",
    "gafaelfawr.deleteQuotaOverrides",
    "gafaelfawr.ingressAuth",
    "gafaelfawr.ingressAnonymous",
    "repertoire.getDiscovery",
    "repertoire.listInfluxdb",
    "repertoire.getInfluxdb",
];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
