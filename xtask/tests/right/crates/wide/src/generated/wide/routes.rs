// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::ListThings,
        operation: &operations::LIST_THINGS,
        path: "/api/v1/things",
    },
    Route {
        op: Op::CreateThing,
        operation: &operations::CREATE_THING,
        path: "/api/v1/things",
    },
    Route {
        op: Op::PutNote,
        operation: &operations::PUT_NOTE,
        path: "/api/v1/things/{thing_id}/notes/{name}",
    },
    Route {
        op: Op::RevokeKey,
        operation: &operations::REVOKE_KEY,
        path: "/api/v1/keys/{key}",
    },
    Route {
        op: Op::LogIn,
        operation: &operations::LOG_IN,
        path: "/api/v1/login",
    },
    Route {
        op: Op::SendForm,
        operation: &operations::SEND_FORM,
        path: "/api/v1/form",
    },
    Route {
        op: Op::PutForm,
        operation: &operations::PUT_FORM,
        path: "/api/v1/form",
    },
    Route {
        op: Op::GetToken,
        operation: &operations::GET_TOKEN,
        path: "/api/v1/token",
    },
    Route {
        op: Op::Upload,
        operation: &operations::UPLOAD,
        path: "/api/v1/upload",
    },
    Route {
        op: Op::GetDocument,
        operation: &operations::GET_DOCUMENT,
        path: "/api/v1/document",
    },
    Route {
        op: Op::Check,
        operation: &operations::CHECK,
        path: "/internal/check",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
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

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}
