// Made by `cargo xtask codegen` from crates/wide/api; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Checks that every operation has a route in the emulator and a test.
#![allow(clippy::unwrap_used, reason = "a test")]

mod contract;

const ALL: &[&str] = &[
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

#[tokio::test]
async fn the_contract_suite_drives_every_operation_to_success() {
    let driven = contract::run().await;
    let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
    assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
}
