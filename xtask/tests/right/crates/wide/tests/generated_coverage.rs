// Made by `cargo xtask codegen` from crates/wide/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const PLACES: &[&str] = &[
    "places.placeList",
    "places.placeNew",
    "places.placeGet",
    "places.placeDelete",
    "places.labelAdd",
    "places.floorName",
    "places.ownerGet",
    "places.ownerDelete",
    "places.ownerList",
    "places.ownerNew",
    "places.placeAct",
    "places.visitList",
    "places.visitCount",
    "places.sessionNew",
];

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

const ALL: &[&[&str]] = &[PLACES, WIDE];

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
