// Made by `cargo xtask codegen` from crates/astakos/api/ui.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A registered component, for a menu bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Component {
    /// Name.
    pub name: String,
    /// Address for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbose_name: Option<String>,
    /// Place in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}
