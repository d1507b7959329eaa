// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;
use vouchsafe_core::call::limits;

/// Who made a token, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum TokenType {
    /// `session`.
    Session,
    /// `user`.
    User,
    /// `notebook`.
    Notebook,
    /// `internal`.
    Internal,
    /// `service`.
    Service,
    /// `oidc`.
    Oidc,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl TokenType {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Notebook => "notebook",
            Self::Internal => "internal",
            Self::Service => "service",
            Self::Oidc => "oidc",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for TokenType {
    fn from(word: String) -> Self {
        match word.as_str() {
            "session" => Self::Session,
            "user" => Self::User,
            "notebook" => Self::Notebook,
            "internal" => Self::Internal,
            "service" => Self::Service,
            "oidc" => Self::Oidc,
            _ => Self::Unknown(word),
        }
    }
}

impl From<TokenType> for String {
    fn from(word: TokenType) -> Self {
        match word {
            TokenType::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The schema `AdminTokenType`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum AdminTokenType {
    /// `service`.
    Service,
    /// `user`.
    User,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl AdminTokenType {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Service => "service",
            Self::User => "user",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for AdminTokenType {
    fn from(word: String) -> Self {
        match word.as_str() {
            "service" => Self::Service,
            "user" => Self::User,
            _ => Self::Unknown(word),
        }
    }
}

impl From<AdminTokenType> for String {
    fn from(word: AdminTokenType) -> Self {
        match word {
            AdminTokenType::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// Date and time, or seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expires {
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The name.
    pub name: String,
    /// The numeric id.
    pub id: i64,
}

impl Group {
    /// Makes one of what is required. The rest is unset, or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>, id: i64) -> Self {
        Self { name: name.into(), id }
    }
}

impl Group {
    /// Checks what the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), None)?;
        Ok(())
    }
}

/// All groups of a directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AllGroups {
    /// Groups of users.
    #[serde(default)]
    pub user: Vec<Group>,
    /// Groups of the system.
    #[serde(default)]
    pub system: Vec<Group>,
}

/// The schema `NotebookQuota`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NotebookQuota {
    /// CPU equivalents.
    pub(crate) cpu: f64,
    /// GiB.
    pub(crate) memory: f64,
    /// The key `spawn`.
    #[serde(default = "yes")]
    pub(crate) spawn: bool,
}

/// The schema `TapQuota`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TapQuota {
    /// The key `concurrent`.
    pub(crate) concurrent: i64,
    /// Known to client 16.1 and newer servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_billed: Option<i64>,
}

/// The schema `Quota`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quota {
    /// Service name to requests a minute; zero means blocked.
    #[serde(default)]
    pub(crate) api: BTreeMap<String, i64>,
    /// Mount point to bytes.
    #[serde(default)]
    pub(crate) disk: BTreeMap<String, i64>,
    /// The key `notebook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notebook: Option<NotebookQuota>,
    /// The key `tap`.
    #[serde(default)]
    pub(crate) tap: BTreeMap<String, TapQuota>,
}

/// The schema `QuotaConfig`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuotaConfig {
    /// The key `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Quota>,
    /// The key `groups`.
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, Quota>,
    /// The key `bypass`.
    #[serde(default)]
    pub(crate) bypass: Vec<String>,
}

/// The schema `UserInfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserInfo {
    /// The key `username`.
    pub(crate) username: String,
    /// The key `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The key `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The key `uid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uid: Option<i64>,
    /// The key `gid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gid: Option<i64>,
    /// The key `groups`.
    #[serde(default)]
    pub(crate) groups: Vec<Group>,
    /// The key `quota`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quota: Option<Quota>,
}

/// A token to be made by an administrator. Clients send unset values as null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AdminTokenRequest {
    /// The key `username`.
    pub(crate) username: String,
    /// The key `token_type`.
    pub(crate) token_type: AdminTokenType,
    /// Required for user; refused for service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_name: Option<String>,
    /// The key `scopes`.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// None means never.
    pub(crate) expires: Option<Expires>,
    /// The key `name`.
    pub(crate) name: Option<String>,
    /// The key `email`.
    pub(crate) email: Option<String>,
    /// The key `uid`.
    pub(crate) uid: Option<i64>,
    /// The key `gid`.
    pub(crate) gid: Option<i64>,
    /// The key `groups`.
    pub(crate) groups: Option<Vec<Group>>,
}

impl AdminTokenRequest {
    /// Checks what the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("username", &self.username, Some(1), Some(64))?;
        if let Some(value) = &self.token_name {
            limits::text("token_name", value, Some(1), Some(64))?;
        }
        if let Some(value) = &self.name {
            limits::text("name", value, Some(1), None)?;
        }
        if let Some(value) = &self.email {
            limits::text("email", value, Some(1), None)?;
        }
        if let Some(value) = &self.uid {
            limits::integer("uid", *value, Some(1), None)?;
        }
        if let Some(value) = &self.gid {
            limits::integer("gid", *value, Some(1), None)?;
        }
        if let Some(value) = &self.groups {
            for value in value.iter() {
                value.check()?;
            }
        }
        Ok(())
    }
}

/// The schema `UserTokenRequest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserTokenRequest {
    /// The key `token_name`.
    pub(crate) token_name: String,
    /// The key `scopes`.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// None means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Expires>,
}

impl UserTokenRequest {
    /// Checks what the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("token_name", &self.token_name, Some(1), Some(64))?;
        Ok(())
    }
}

/// The schema `NewToken`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct NewToken {
    /// A client makes 22 characters of URL-safe base64 for each part; the server checks only the
    /// lengths.
    pub(crate) token: Secret,
}

/// The schema `TokenInfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TokenInfo {
    /// The key `username`.
    pub(crate) username: String,
    /// Who made a token, and for what.
    pub(crate) token_type: TokenType,
    /// Only on internal tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    /// The key `scopes`.
    pub(crate) scopes: Vec<String>,
    /// The key `created`.
    pub(crate) created: i64,
    /// The key `expires`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
    /// The key `token`.
    pub(crate) token: String,
    /// The key `token_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_name: Option<String>,
    /// The key `last_used`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used: Option<i64>,
    /// The key `parent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
}

fn yes() -> bool {
    true
}
