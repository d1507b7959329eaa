// Made by `cargo xtask codegen` from crates/ticket/api/tvm-api.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// The schema `GetKeysGetRetrySettings`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum GetKeysGetRetrySettings {
    /// `yes`.
    Yes,
    /// A word that this version does not know, written back as it was read.
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

/// What the request for tickets says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TicketRequest {
    /// How the service proves itself: client_credentials.
    pub(crate) grant_type: String,
    /// The asking service.
    pub(crate) src: u32,
    /// Ids of the destinations, ascending, with commas that are not escaped.
    pub(crate) dst: String,
    /// The time of the request, unix seconds.
    pub(crate) ts: i64,
    /// The signature over time, destinations and scopes.
    pub(crate) sign: Secret,
    /// Whether the server is to say how to retry.
    pub(crate) get_retry_settings: Option<String>,
    /// The number of the asking process.
    #[serde(rename = "_pid")]
    pub(crate) pid: Option<String>,
    /// Its name, if known; the spelling is the original's.
    #[serde(rename = "_procces_name")]
    pub(crate) process_name: Option<String>,
    /// The asking library.
    pub(crate) lib_version: Option<String>,
}

/// What one destination gets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct TicketOrError {
    /// The service ticket.
    pub(crate) ticket: Option<Secret>,
    /// Why there is none.
    pub(crate) error: Option<String>,
}
