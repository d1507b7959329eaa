// Made by `cargo xtask codegen` from crates/wide/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! No operation without a route in the emulator, a test that drives it, and a page.
#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const PLACES: &[&str] = &[
    "places.placeList",
    "places.placeNew",
    "places.placeGet",
    "places.placeDelete",
    "places.labelAdd",
    "places.floorName",
    "places.visitCount",
    "places.sessionNew",
];

const PLACES_PAGE: &str = include_str!("../../../docs/api/places.md");

const WIDE: &[&str] = &[
    "wide.listThings",
    "wide.createThing",
    "wide.putNote",
    "wide.dropKey",
    "wide.logIn",
    "wide.sendForm",
    "wide.putForm",
    "wide.getToken",
    "wide.upload",
    "wide.getDocument",
    "wide.check",
];

const WIDE_PAGE: &str = include_str!("../../../docs/api/wide.md");

const ALL: &[(&[&str], &str)] = &[(PLACES, PLACES_PAGE), (WIDE, WIDE_PAGE)];

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
