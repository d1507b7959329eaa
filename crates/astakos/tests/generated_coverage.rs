// Made by `cargo xtask codegen` from crates/astakos/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ALL: &[&str] = &[
    "account.legacyUserInfo",
    "account.userCatalogs",
    "account.serviceUserCatalogs",
    "account.sendFeedback",
    "account.setDefaultProject",
    "account.getResources",
    "account.getQuotas",
    "account.serviceQuotas",
    "account.serviceProjectQuotas",
    "account.pendingCommissions",
    "account.issueCommission",
    "account.resolveCommissions",
    "account.commissionInfo",
    "account.commissionAction",
    "account.listProjects",
    "account.createProject",
    "account.getProject",
    "account.legacyModifyProject",
    "account.modifyProject",
    "account.projectAction",
    "account.listMemberships",
    "account.createMembership",
    "account.getMembership",
    "account.membershipAction",
    "account.legacyApplications",
    "account.legacyApplication",
    "account.legacyApplicationAction",
    "identity.getVersion",
    "identity.authenticate",
    "identity.validateToken",
    "oauth2.token",
    "ui.getServices",
];

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
