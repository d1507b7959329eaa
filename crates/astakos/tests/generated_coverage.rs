// Made by `cargo xtask codegen` from crates/astakos/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! No operation without a route in the emulator, a test that drives it, and a page.
#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ACCOUNT: &[&str] = &[
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
];

const ACCOUNT_PAGE: &str = include_str!("../../../docs/api/account.md");

const IDENTITY: &[&str] = &[
    "identity.getVersion",
    "identity.authenticate",
    "identity.validateToken",
];

const IDENTITY_PAGE: &str = include_str!("../../../docs/api/identity.md");

const OAUTH2: &[&str] = &["oauth2.token"];

const OAUTH2_PAGE: &str = include_str!("../../../docs/api/oauth2.md");

const UI: &[&str] = &["ui.getServices"];

const UI_PAGE: &str = include_str!("../../../docs/api/ui.md");

const ALL: &[(&[&str], &str)] = &[
    (ACCOUNT, ACCOUNT_PAGE),
    (IDENTITY, IDENTITY_PAGE),
    (OAUTH2, OAUTH2_PAGE),
    (UI, UI_PAGE),
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
