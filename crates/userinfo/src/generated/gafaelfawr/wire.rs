// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;
use vouchsafe_core::call::limits;

/// How a token was created, and for what.
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
    /// A word that this version does not know; it is written as it was read.
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

/// A group of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The name.
    pub name: String,
    /// The numeric id.
    pub id: i64,
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

/// A service token to be created. What is not set gets the server's default, so no scopes, no
/// expiry and no data of the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewServiceToken {
    /// The bot user.
    pub username: crate::BotUsername,
    /// The key `token_type`.
    pub(crate) token_type: NewServiceTokenTokenType,
    /// The scopes of the token; the server decides which ones exist.
    #[serde(default)]
    pub scopes: Vec<crate::Scope>,
    /// When the token expires, at least five minutes from now.
    pub expires: Option<crate::Expiry>,
    /// The full name of the bot user.
    pub name: Option<String>,
    /// The mail address of the bot user.
    pub email: Option<String>,
    /// The numeric id of the bot user.
    pub uid: Option<i64>,
    /// The id of the primary group.
    pub gid: Option<i64>,
    /// The groups of the bot user.
    pub groups: Option<Vec<NewGroup>>,
}

impl NewServiceToken {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(username: impl Into<crate::BotUsername>) -> Self {
        Self {
            username: username.into(),
            token_type: NewServiceTokenTokenType::Service,
            scopes: Default::default(),
            expires: None,
            name: None,
            email: None,
            uid: None,
            gid: None,
            groups: None,
        }
    }

    /// The scopes of the token; the server decides which ones exist.
    #[must_use]
    pub fn scopes(
        mut self,
        scopes: impl IntoIterator<Item = impl Into<crate::Scope>>,
    ) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// When the token expires, at least five minutes from now.
    #[must_use]
    pub fn expires(mut self, expires: impl Into<crate::Expiry>) -> Self {
        self.expires = Some(expires.into());
        self
    }

    /// The full name of the bot user.
    ///
    /// Not empty.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The mail address of the bot user.
    ///
    /// Not empty.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// The numeric id of the bot user.
    ///
    /// At least 1.
    #[must_use]
    pub fn uid(mut self, uid: i64) -> Self {
        self.uid = Some(uid);
        self
    }

    /// The id of the primary group.
    ///
    /// At least 1.
    #[must_use]
    pub fn gid(mut self, gid: i64) -> Self {
        self.gid = Some(gid);
        self
    }

    /// The groups of the bot user.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = NewGroup>) -> Self {
        self.groups = Some(groups.into_iter().collect());
        self
    }
}

impl NewServiceToken {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
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
        Ok(())
    }
}

/// The schema `NewServiceTokenTokenType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum NewServiceTokenTokenType {
    /// `service`.
    #[serde(rename = "service")]
    Service,
}

/// A group of a bot user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewGroup {
    /// The name.
    pub name: crate::GroupName,
    /// The numeric id.
    pub id: i64,
}

impl NewGroup {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<crate::GroupName>, id: i64) -> Self {
        Self { name: name.into(), id }
    }
}

/// A user token to be created. What is not set gets the server's default, so no scopes and no
/// expiry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewUserToken {
    /// The name.
    pub token_name: String,
    /// The scopes of the token; the server decides which ones exist.
    #[serde(default)]
    pub scopes: Vec<crate::Scope>,
    /// When the token expires, at least five minutes from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<crate::Expiry>,
}

impl NewUserToken {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(token_name: impl Into<String>) -> Self {
        Self {
            token_name: token_name.into(),
            scopes: Default::default(),
            expires: None,
        }
    }

    /// The scopes of the token; the server decides which ones exist.
    #[must_use]
    pub fn scopes(
        mut self,
        scopes: impl IntoIterator<Item = impl Into<crate::Scope>>,
    ) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// When the token expires, at least five minutes from now.
    #[must_use]
    pub fn expires(mut self, expires: impl Into<crate::Expiry>) -> Self {
        self.expires = Some(expires.into());
        self
    }
}

impl NewUserToken {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("token_name", &self.token_name, Some(1), Some(64))?;
        Ok(())
    }
}

/// A change of a user token. Unset values stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenChange {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// The new scopes; they replace those of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<crate::Scope>>,
    /// When the token expires, at least five minutes from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<crate::Expiry>,
}

impl TokenChange {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            token_name: None,
            scopes: None,
            expires: None,
        }
    }

    /// The name.
    ///
    /// 1 to 64 characters.
    #[must_use]
    pub fn token_name(mut self, token_name: impl Into<String>) -> Self {
        self.token_name = Some(token_name.into());
        self
    }

    /// The new scopes; they replace those of the token.
    #[must_use]
    pub fn scopes(
        mut self,
        scopes: impl IntoIterator<Item = impl Into<crate::Scope>>,
    ) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// When the token expires, at least five minutes from now.
    #[must_use]
    pub fn expires(mut self, expires: impl Into<crate::Expiry>) -> Self {
        self.expires = Some(expires.into());
        self
    }
}

impl TokenChange {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.token_name {
            limits::text("token_name", value, Some(1), Some(64))?;
        }
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
    /// How a token was created, and for what.
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
