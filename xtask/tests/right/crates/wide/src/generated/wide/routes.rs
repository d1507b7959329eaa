// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::LIST_THINGS,
        path: "/api/v1/things",
    },
    Route {
        operation: &operations::CREATE_THING,
        path: "/api/v1/things",
    },
    Route {
        operation: &operations::PUT_NOTE,
        path: "/api/v1/things/{thing_id}/notes/{name}",
    },
    Route {
        operation: &operations::REVOKE_KEY,
        path: "/api/v1/keys/{key}",
    },
    Route {
        operation: &operations::LOG_IN,
        path: "/api/v1/login",
    },
    Route {
        operation: &operations::SEND_FORM,
        path: "/api/v1/form",
    },
    Route {
        operation: &operations::PUT_FORM,
        path: "/api/v1/form",
    },
    Route {
        operation: &operations::GET_TOKEN,
        path: "/api/v1/token",
    },
    Route {
        operation: &operations::UPLOAD,
        path: "/api/v1/upload",
    },
    Route {
        operation: &operations::GET_DOCUMENT,
        path: "/api/v1/document",
    },
    Route {
        operation: &operations::CHECK,
        path: "/internal/check",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Things, by page.
    ListThings,
    /// Make a thing.
    CreateThing,
    /// Write a note.
    PutNote,
    /// Revoke a key.
    RevokeKey,
    /// Exchange a password for a key.
    LogIn,
    /// Send a form.
    SendForm,
    /// Send a form with free fields, or none.
    PutForm,
    /// Trade one thing for another.
    GetToken,
    /// Send a file.
    Upload,
    /// A document that may be known.
    GetDocument,
    /// What only the emulator serves.
    Check,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[
    Op::ListThings,
    Op::CreateThing,
    Op::PutNote,
    Op::RevokeKey,
    Op::LogIn,
    Op::SendForm,
    Op::PutForm,
    Op::GetToken,
    Op::Upload,
    Op::GetDocument,
    Op::Check,
];
