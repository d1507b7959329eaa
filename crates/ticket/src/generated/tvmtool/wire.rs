// Made by `cargo xtask codegen` from crates/ticket/api/tvmtool.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// What the daemon is set up for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// The environment whose users it knows.
    pub(crate) bb_env: MetaEnv,
    /// The services; the first one with an alias counts.
    pub(crate) tenants: Vec<Tenant>,
}

/// An environment as the setup spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum MetaEnv {
    /// `Prod`.
    Prod,
    /// `Test`.
    Test,
    /// `ProdYaTeam`.
    ProdYaTeam,
    /// `TestYaTeam`.
    TestYaTeam,
    /// `Stress`.
    Stress,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl MetaEnv {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Prod => "Prod",
            Self::Test => "Test",
            Self::ProdYaTeam => "ProdYaTeam",
            Self::TestYaTeam => "TestYaTeam",
            Self::Stress => "Stress",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for MetaEnv {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Prod" => Self::Prod,
            "Test" => Self::Test,
            "ProdYaTeam" => Self::ProdYaTeam,
            "TestYaTeam" => Self::TestYaTeam,
            "Stress" => Self::Stress,
            _ => Self::Unknown(word),
        }
    }
}

impl From<MetaEnv> for String {
    fn from(word: MetaEnv) -> Self {
        match word {
            MetaEnv::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tenant {
    /// The service itself.
    #[serde(rename = "self")]
    pub(crate) own: Client,
    /// The system whose roles it has, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idm_slug: Option<String>,
    /// Its destinations.
    pub(crate) dsts: Vec<Client>,
}

/// A service by both its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Client {
    /// The local name.
    pub(crate) alias: String,
    /// The tvm id.
    pub(crate) client_id: u32,
}

/// What one destination gets.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TicketOrError {
    /// The service ticket.
    pub(crate) ticket: Option<Secret>,
    /// Why there is none.
    pub(crate) error: Option<String>,
    /// The destination.
    pub(crate) tvm_id: u32,
}

/// A service ticket that was looked at.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceCheck {
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Who sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) src: Option<u32>,
    /// Who may accept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dst: Option<u32>,
    /// The developer who got the ticket, if one did.
    pub(crate) issuer_uid: Option<u64>,
    /// What the ticket says.
    pub(crate) debug_string: String,
    /// The ticket without its signature.
    pub(crate) logging_string: String,
}

/// A user ticket that was looked at.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserCheck {
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The user meant if none is named; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_uid: Option<u64>,
    /// All users.
    #[serde(default)]
    pub(crate) uids: Vec<u64>,
    /// What the users allowed.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The number of the environment (assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<i64>,
    /// The login that the ticket comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_id: Option<String>,
    /// Where the user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<u64>,
    /// What the user uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_type: Option<u64>,
    /// What the ticket says.
    pub(crate) debug_string: String,
    /// The ticket without its signature.
    pub(crate) logging_string: String,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// A word (which ones there are is not known).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// The reason.
    pub(crate) error: String,
}

/// Tickets that were looked at.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// A word (which ones there are is not known).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// Why they are refused, such as invalid service ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The service ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<ServiceCheckV2>,
    /// The user ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<UserCheckV2>,
}

/// A service ticket that was looked at.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceCheckV2 {
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Who sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) src: Option<u32>,
    /// What the ticket says.
    pub(crate) debug_string: String,
    /// The ticket without its signature.
    pub(crate) logging_string: String,
    /// Its source's roles, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<BTreeMap<String, Vec<BTreeMap<String, String>>>>,
}

/// A user ticket that was looked at; users are texts here.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserCheckV2 {
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The user meant if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_uid: Option<String>,
    /// All users.
    #[serde(default)]
    pub(crate) uids: Vec<String>,
    /// What the users allowed.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The number of the environment (assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<i64>,
    /// Where the user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<u64>,
    /// What the user uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_type: Option<u64>,
    /// What the ticket says.
    pub(crate) debug_string: String,
    /// The ticket without its signature.
    pub(crate) logging_string: String,
    /// The default user's roles, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<BTreeMap<String, Vec<BTreeMap<String, String>>>>,
}

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
