// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// A token as credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TokenCredentials {
    /// The token.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub(crate) id: Secret,
}

/// A user and a token as credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PasswordCredentials {
    /// The user's uuid.
    pub(crate) username: String,
    /// The user's token.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub(crate) password: Secret,
}

/// The answer of the identity part.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct AccessDocument {
    /// The token, its user, and the catalog of services.
    pub(crate) access: Access,
}

/// The token, its user, and the catalog of services.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Access {
    /// The token; absent if no credentials were sent.
    pub token: Option<AccessToken>,
    /// Its user; absent if no credentials were sent.
    pub user: Option<AccessUser>,
    /// The public services; absent when a token is validated.
    #[serde(rename = "serviceCatalog")]
    pub service_catalog: Option<crate::Catalog>,
}

/// A token and its expiry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token itself.
    pub id: Secret,
    /// When it expires: date, time and offset. The server labels its local time `+00:00` without
    /// converting it (protocol section 10).
    pub expires: Option<String>,
    /// The default project of the user.
    pub tenant: Option<Tenant>,
}

/// The project of a token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    /// Id of the user's default project: the user's uuid until it is changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A user of the identity part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessUser {
    /// The uuid.
    pub id: String,
    /// First and last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Groups of the user.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Always empty.
    #[serde(default)]
    pub roles_links: Vec<serde_json::Value>,
    /// Active projects that the user is an accepted member of; absent in 0.14 and when a token is
    /// validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<String>>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Role {
    /// Number as text; a plain number in 0.14.
    pub id: RoleId,
    /// Name, such as `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Id of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum RoleId {
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// Credentials for the access document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuthRequest {
    /// Credentials; a token takes precedence over a password.
    pub(crate) auth: Auth,
}

/// Credentials; a token takes precedence over a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Auth {
    /// The user's uuid; empty counts as missing.
    #[serde(rename = "tenantName", skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_name: Option<String>,
    /// A token as credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<TokenCredentials>,
    /// A user and a token as credentials.
    #[serde(rename = "passwordCredentials", skip_serializing_if = "Option::is_none")]
    pub(crate) password_credentials: Option<PasswordCredentials>,
}
