// Made by `cargo xtask codegen` from crates/ticket/api/tirole.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Roles {
    /// Names this state of the document.
    pub(crate) revision: RolesRevision,
    /// When it was made, unix seconds.
    pub(crate) born_date: i64,
    /// Roles of services by their ids.
    #[serde(default)]
    pub(crate) tvm: BTreeMap<String, BTreeMap<String, Vec<BTreeMap<String, String>>>>,
    /// Roles of users by their uids.
    #[serde(default)]
    pub(crate) user: BTreeMap<String, BTreeMap<String, Vec<BTreeMap<String, String>>>>,
}

/// Names this state of the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum RolesRevision {
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
}
