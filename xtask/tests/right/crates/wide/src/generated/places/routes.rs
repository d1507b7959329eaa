// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::PlaceList,
        operation: &operations::PLACE_LIST,
        path: "/places",
    },
    Route {
        op: Op::PlaceNew,
        operation: &operations::PLACE_NEW,
        path: "/places",
    },
    Route {
        op: Op::PlaceGet,
        operation: &operations::PLACE_GET,
        path: "/places/{place_id}",
    },
    Route {
        op: Op::PlaceDelete,
        operation: &operations::PLACE_DELETE,
        path: "/places/{place_id}",
    },
    Route {
        op: Op::LabelAdd,
        operation: &operations::LABEL_ADD,
        path: "/places/{place_id}/labels/{label}",
    },
    Route {
        op: Op::FloorName,
        operation: &operations::FLOOR_NAME,
        path: "/floors/{level}",
    },
    Route {
        op: Op::OwnerGet,
        operation: &operations::OWNER_GET,
        path: "/owners/{place_id}",
    },
    Route {
        op: Op::OwnerDelete,
        operation: &operations::OWNER_DELETE,
        path: "/owners/{place_id}",
    },
    Route {
        op: Op::OwnerList,
        operation: &operations::OWNER_LIST,
        path: "/owners",
    },
    Route {
        op: Op::OwnerNew,
        operation: &operations::OWNER_NEW,
        path: "/owners",
    },
    Route {
        op: Op::PlaceAct,
        operation: &operations::PLACE_ACT,
        path: "/places/{place_id}/action",
    },
    Route {
        op: Op::VisitList,
        operation: &operations::VISIT_LIST,
        path: "/visits",
    },
    Route {
        op: Op::VisitCount,
        operation: &operations::VISIT_COUNT,
        path: "/visits/{place_id}",
    },
    Route {
        op: Op::SessionNew,
        operation: &operations::SESSION_NEW,
        path: "/sessions",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Places, sorted by name.
    PlaceList,
    /// Make a place.
    PlaceNew,
    /// One place.
    PlaceGet,
    /// Remove a place.
    PlaceDelete,
    /// Put a label on a place.
    LabelAdd,
    /// Name a floor.
    FloorName,
    /// Who owns a place.
    OwnerGet,
    /// Give a place up.
    OwnerDelete,
    /// Who owns places.
    OwnerList,
    /// Introduce an owner.
    OwnerNew,
    /// Do something with a place.
    PlaceAct,
    /// How often places were seen.
    VisitList,
    /// How often a place was seen.
    VisitCount,
    /// Log in.
    SessionNew,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
