// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::ErrorKind;
use vouchsafe_core::call::{Operation, Repeat, RepeatRule, StatusRule};

/// Things, by page.
pub(crate) static LIST_THINGS: Operation = Operation::new(
        "wide.listThings",
        Method::GET,
        "/things",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .response_limit(8 << 20)
    .status_rules(COMMON_STATUSES);

/// Make a thing.
pub(crate) static CREATE_THING: Operation = Operation::new(
        "wide.createThing",
        Method::POST,
        "/things",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .response_limit(65536)
    .status_rules(CREATE_THING_STATUSES);

/// Write a note.
pub(crate) static PUT_NOTE: Operation = Operation::new(
        "wide.putNote",
        Method::PUT,
        "/things/{thing_id}/notes/{name}",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Revoke a key.
pub(crate) static REVOKE_KEY: Operation = Operation::new(
        "wide.dropKey",
        Method::DELETE,
        "/keys/{key}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .sensitive_path()
    .status_rules(COMMON_STATUSES);

/// Exchange a password for a key.
pub(crate) static LOG_IN: Operation = Operation::new(
        "wide.logIn",
        Method::POST,
        "/login",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Send a form.
pub(crate) static SEND_FORM: Operation = Operation::new(
        "wide.sendForm",
        Method::POST,
        "/form",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Send a form with free fields, or none.
pub(crate) static PUT_FORM: Operation = Operation::new(
        "wide.putForm",
        Method::PUT,
        "/form",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Trade one thing for another.
pub(crate) static GET_TOKEN: Operation = Operation::new(
        "wide.getToken",
        Method::POST,
        "/token",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("2+")
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Send a file.
pub(crate) static UPLOAD: Operation = Operation::new(
        "wide.upload",
        Method::POST,
        "/upload",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// A document that may be known.
pub(crate) static GET_DOCUMENT: Operation = Operation::new(
        "wide.getDocument",
        Method::GET,
        "/document",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .answers(&[304])
    .status_rules(COMMON_STATUSES);

/// What only the emulator serves.
#[cfg(feature = "mock")]
pub(crate) static CHECK: Operation = Operation::new(
        "wide.check",
        Method::GET,
        "/internal/check",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &LIST_THINGS,
    &CREATE_THING,
    &PUT_NOTE,
    &REVOKE_KEY,
    &LOG_IN,
    &SEND_FORM,
    &PUT_FORM,
    &GET_TOKEN,
    &UPLOAD,
    &GET_DOCUMENT,
    &CHECK,
];

/// Transient refusals.
static REPEATS: &[RepeatRule] = &[
    RepeatRule::new(500, Some("busy")),
    RepeatRule::new(503, None),
];

static COMMON_STATUSES: &[StatusRule] = &[
    StatusRule::new(409, Some("name_taken"), ErrorKind::Conflict),
    StatusRule::new(429, None, ErrorKind::Throttled),
];

static CREATE_THING_STATUSES: &[StatusRule] = &[
    StatusRule::new(409, Some("name_taken"), ErrorKind::Conflict),
    StatusRule::new(409, None, ErrorKind::Invalid),
    StatusRule::new(429, None, ErrorKind::Throttled),
];
