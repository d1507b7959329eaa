// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use serde::{Deserialize, Serialize};

/// The schema `GetKeysGetRetrySettings`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum GetKeysGetRetrySettings {
    /// `yes`.
    Yes,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl GetKeysGetRetrySettings {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Yes => "yes",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for GetKeysGetRetrySettings {
    fn from(word: String) -> Self {
        match word.as_str() {
            "yes" => Self::Yes,
            _ => Self::Unknown(word),
        }
    }
}

impl From<GetKeysGetRetrySettings> for String {
    fn from(word: GetKeysGetRetrySettings) -> Self {
        match word {
            GetKeysGetRetrySettings::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}
