// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::ErrorKind;
use vouchsafe_core::call::{Operation, Repeat, StatusRule};

/// Places, sorted by name.
pub(crate) static PLACE_LIST: Operation = Operation::new(
        "places.placeList",
        Method::GET,
        "/places",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Make a place.
pub(crate) static PLACE_NEW: Operation = Operation::new(
        "places.placeNew",
        Method::POST,
        "/places",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// One place.
pub(crate) static PLACE_GET: Operation = Operation::new(
        "places.placeGet",
        Method::GET,
        "/places/{place_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Remove a place.
pub(crate) static PLACE_DELETE: Operation = Operation::new(
        "places.placeDelete",
        Method::DELETE,
        "/places/{place_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Put a label on a place.
pub(crate) static LABEL_ADD: Operation = Operation::new(
        "places.labelAdd",
        Method::PUT,
        "/places/{place_id}/labels/{label}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Name a floor.
pub(crate) static FLOOR_NAME: Operation = Operation::new(
        "places.floorName",
        Method::PUT,
        "/floors/{level}",
    )
    .repeat(Repeat::Safe)
    .open()
    .dialect("2+")
    .status_rules(COMMON_STATUSES);

/// Who owns a place.
pub(crate) static OWNER_GET: Operation = Operation::new(
        "places.ownerGet",
        Method::GET,
        "/owners/{place_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Give a place up.
pub(crate) static OWNER_DELETE: Operation = Operation::new(
        "places.ownerDelete",
        Method::DELETE,
        "/owners/{place_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Who owns places.
pub(crate) static OWNER_LIST: Operation = Operation::new(
        "places.ownerList",
        Method::GET,
        "/owners",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Introduce an owner.
pub(crate) static OWNER_NEW: Operation = Operation::new(
        "places.ownerNew",
        Method::POST,
        "/owners",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Do something with a place.
pub(crate) static PLACE_ACT: Operation = Operation::new(
        "places.placeAct",
        Method::POST,
        "/places/{place_id}/action",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// How often places were seen.
pub(crate) static VISIT_LIST: Operation = Operation::new(
        "places.visitList",
        Method::GET,
        "/visits",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// How often a place was seen.
pub(crate) static VISIT_COUNT: Operation = Operation::new(
        "places.visitCount",
        Method::GET,
        "/visits/{place_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Log in.
pub(crate) static SESSION_NEW: Operation = Operation::new(
        "places.sessionNew",
        Method::POST,
        "/sessions",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &PLACE_LIST,
    &PLACE_NEW,
    &PLACE_GET,
    &PLACE_DELETE,
    &LABEL_ADD,
    &FLOOR_NAME,
    &OWNER_GET,
    &OWNER_DELETE,
    &OWNER_LIST,
    &OWNER_NEW,
    &PLACE_ACT,
    &VISIT_LIST,
    &VISIT_COUNT,
    &SESSION_NEW,
];

static COMMON_STATUSES: &[StatusRule] = &[
    StatusRule::new(409, Some("name_taken"), ErrorKind::Conflict),
];
