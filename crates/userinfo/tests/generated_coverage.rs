// Made by `cargo xtask codegen` from crates/userinfo/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! No operation without a route in the emulator, a test that drives it, and a page.
#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const GAFAELFAWR: &[&str] = &[
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
];

const GAFAELFAWR_PAGE: &str = include_str!("../../../docs/api/gafaelfawr.md");

const REPERTOIRE: &[&str] = &[
    "repertoire.getDiscovery",
    "repertoire.listInfluxdb",
    "repertoire.getInfluxdb",
];

const REPERTOIRE_PAGE: &str = include_str!("../../../docs/api/repertoire.md");

const ALL: &[(&[&str], &str)] = &[
    (GAFAELFAWR, GAFAELFAWR_PAGE),
    (REPERTOIRE, REPERTOIRE_PAGE),
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
