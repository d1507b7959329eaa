// Made by `cargo xtask codegen` from crates/wazo-auth/api/wazo-auth.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;
use vouchsafe_core::call::limits;

/// The id of a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserUuid(String);

impl UserUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("UserUuid", text, Some(1), None)?;
        limits::uuid("UserUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for UserUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for UserUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantUuid(String);

impl TenantUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("TenantUuid", text, Some(1), None)?;
        limits::uuid("TenantUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for TenantUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for TenantUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupUuid(String);

impl GroupUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("GroupUuid", text, Some(1), None)?;
        limits::uuid("GroupUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for GroupUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for GroupUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionUuid(String);

impl SessionUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("SessionUuid", text, Some(1), None)?;
        limits::uuid("SessionUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SessionUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for SessionUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailUuid(String);

impl EmailUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("EmailUuid", text, Some(1), None)?;
        limits::uuid("EmailUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for EmailUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for EmailUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainUuid(String);

impl DomainUuid {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("DomainUuid", text, Some(1), None)?;
        limits::uuid("DomainUuid", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for DomainUuid {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for DomainUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a policy or its slug.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(String);

impl PolicyId {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("PolicyId", text, Some(1), None)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for PolicyId {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for PolicyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The direction of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Direction {
    /// `asc`.
    Asc,
    /// `desc`.
    Desc,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl Direction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for Direction {
    fn from(word: String) -> Self {
        match word.as_str() {
            "asc" => Self::Asc,
            "desc" => Self::Desc,
            _ => Self::Unknown(word),
        }
    }
}

impl From<Direction> for String {
    fn from(word: Direction) -> Self {
        match word {
            Direction::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The purpose of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum UserPurpose {
    /// `user`.
    User,
    /// `internal`.
    Internal,
    /// `external_api`.
    ExternalApi,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl UserPurpose {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Internal => "internal",
            Self::ExternalApi => "external_api",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for UserPurpose {
    fn from(word: String) -> Self {
        match word.as_str() {
            "user" => Self::User,
            "internal" => Self::Internal,
            "external_api" => Self::ExternalApi,
            _ => Self::Unknown(word),
        }
    }
}

impl From<UserPurpose> for String {
    fn from(word: UserPurpose) -> Self {
        match word {
            UserPurpose::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// Whether a login also creates a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum AccessType {
    /// `online`.
    Online,
    /// `offline`.
    Offline,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl AccessType {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for AccessType {
    fn from(word: String) -> Self {
        match word.as_str() {
            "online" => Self::Online,
            "offline" => Self::Offline,
            _ => Self::Unknown(word),
        }
    }
}

impl From<AccessType> for String {
    fn from(word: AccessType) -> Self {
        match word {
            AccessType::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which refresh tokens can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum RefreshTokenOrder {
    /// `created_at`.
    CreatedAt,
    /// `client_id`.
    ClientId,
    /// `mobile`.
    Mobile,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl RefreshTokenOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::CreatedAt => "created_at",
            Self::ClientId => "client_id",
            Self::Mobile => "mobile",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for RefreshTokenOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "created_at" => Self::CreatedAt,
            "client_id" => Self::ClientId,
            "mobile" => Self::Mobile,
            _ => Self::Unknown(word),
        }
    }
}

impl From<RefreshTokenOrder> for String {
    fn from(word: RefreshTokenOrder) -> Self {
        match word {
            RefreshTokenOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which policies can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum PolicyOrder {
    /// `name`.
    Name,
    /// `slug`.
    Slug,
    /// `description`.
    Description,
    /// `uuid`.
    Uuid,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl PolicyOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Slug => "slug",
            Self::Description => "description",
            Self::Uuid => "uuid",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for PolicyOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "name" => Self::Name,
            "slug" => Self::Slug,
            "description" => Self::Description,
            "uuid" => Self::Uuid,
            _ => Self::Unknown(word),
        }
    }
}

impl From<PolicyOrder> for String {
    fn from(word: PolicyOrder) -> Self {
        match word {
            PolicyOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which the policies of a user or of a group can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum RelatedPolicyOrder {
    /// `name`.
    Name,
    /// `description`.
    Description,
    /// `uuid`.
    Uuid,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl RelatedPolicyOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Uuid => "uuid",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for RelatedPolicyOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "name" => Self::Name,
            "description" => Self::Description,
            "uuid" => Self::Uuid,
            _ => Self::Unknown(word),
        }
    }
}

impl From<RelatedPolicyOrder> for String {
    fn from(word: RelatedPolicyOrder) -> Self {
        match word {
            RelatedPolicyOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which users can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum UserOrder {
    /// `username`.
    Username,
    /// `firstname`.
    Firstname,
    /// `lastname`.
    Lastname,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl UserOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Username => "username",
            Self::Firstname => "firstname",
            Self::Lastname => "lastname",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for UserOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "username" => Self::Username,
            "firstname" => Self::Firstname,
            "lastname" => Self::Lastname,
            _ => Self::Unknown(word),
        }
    }
}

impl From<UserOrder> for String {
    fn from(word: UserOrder) -> Self {
        match word {
            UserOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which the users of a group can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum MemberOrder {
    /// `username`.
    Username,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl MemberOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Username => "username",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for MemberOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "username" => Self::Username,
            _ => Self::Unknown(word),
        }
    }
}

impl From<MemberOrder> for String {
    fn from(word: MemberOrder) -> Self {
        match word {
            MemberOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which groups can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum GroupOrder {
    /// `name`.
    Name,
    /// `uuid`.
    Uuid,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl GroupOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Uuid => "uuid",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for GroupOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "name" => Self::Name,
            "uuid" => Self::Uuid,
            _ => Self::Unknown(word),
        }
    }
}

impl From<GroupOrder> for String {
    fn from(word: GroupOrder) -> Self {
        match word {
            GroupOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which sessions can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum SessionOrder {
    /// `mobile`.
    Mobile,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl SessionOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mobile => "mobile",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for SessionOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "mobile" => Self::Mobile,
            _ => Self::Unknown(word),
        }
    }
}

impl From<SessionOrder> for String {
    fn from(word: SessionOrder) -> Self {
        match word {
            SessionOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which tenants can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum TenantOrder {
    /// `name`.
    Name,
    /// `slug`.
    Slug,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl TenantOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Slug => "slug",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for TenantOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "name" => Self::Name,
            "slug" => Self::Slug,
            _ => Self::Unknown(word),
        }
    }
}

impl From<TenantOrder> for String {
    fn from(word: TenantOrder) -> Self {
        match word {
            TenantOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The columns by which external services can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ExternalOrder {
    /// `type`.
    Type,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ExternalOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Type => "type",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ExternalOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "type" => Self::Type,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ExternalOrder> for String {
    fn from(word: ExternalOrder) -> Self {
        match word {
            ExternalOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The parameters of a login.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// How many seconds the token is to be valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<i64>,
    /// Ignored by servers since 24.08.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<String>,
    /// `offline` for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_type: Option<AccessType>,
    /// The client that a refresh token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// The refresh token to log in with.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub(crate) refresh_token: Option<Secret>,
    /// A domain of the tenant whose LDAP is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_name: Option<String>,
    /// The tenant whose LDAP is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<String>,
    /// The session of SAML to log in with.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub(crate) saml_session_id: Option<Secret>,
}

impl Login {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.expiration {
            limits::integer("expiration", *value, Some(1), Some(315360000))?;
        }
        if let Some(value) = &self.client_id {
            limits::text("client_id", value, Some(1), Some(1024))?;
        }
        if let Some(value) = &self.saml_session_id {
            limits::text("saml_session_id", value.expose(), Some(1), Some(1024))?;
        }
        Ok(())
    }
}

/// Details of the user of a token. Empty for the tokens of messages; plugins may add members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenMetadata {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<UserUuid>,
    /// The tenant of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_uuid: Option<TenantUuid>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_id: Option<String>,
    /// The user, if its purpose is `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pbx_user_uuid: Option<String>,
    /// The installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xivo_uuid: Option<String>,
    /// The purpose of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UserPurpose>,
    /// Whether the user is an administrator, on servers with that plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "TokenRead")]
#[non_exhaustive]
pub struct Token {
    /// The token itself.
    pub token: Secret,
    /// The id of the user, or `wazo-auth` for tokens that the service creates for itself.
    pub auth_id: String,
    /// The session that the token belongs to.
    pub session_uuid: Option<SessionUuid>,
    /// The accesses that the token covers, as patterns.
    #[doc(alias = "acls")]
    #[serde(default)]
    pub acl: Vec<String>,
    /// Details of the user.
    #[serde(default)]
    pub metadata: TokenMetadata,
    /// When it was issued.
    pub utc_issued_at: Option<crate::UtcTime>,
    /// When it expires. A stored token lives up to a second less, since times are cut to seconds.
    pub utc_expires_at: Option<crate::UtcTime>,
    /// When it was issued, by the server's clock and in its zone: not for calculation.
    #[serde(default = "default_token_issued_at")]
    pub issued_at: String,
    /// When it expires, by the server's clock and in its zone: not for calculation.
    #[serde(default = "default_token_expires_at")]
    pub expires_at: String,
    /// The refresh token, in the answer to a login that asked for one.
    pub refresh_token: Option<Secret>,
    /// The program that logged in.
    #[serde(default = "default_token_user_agent")]
    pub user_agent: String,
    /// The address that it logged in from.
    #[serde(default = "default_token_remote_addr")]
    pub remote_addr: String,
    /// The user, if its purpose is `user`.
    pub xivo_user_uuid: Option<String>,
    /// The installation.
    pub xivo_uuid: Option<String>,
}

/// `Token`, as servers of all ages write it.
#[derive(Deserialize)]
struct TokenRead {
    /// The token itself.
    token: Secret,
    /// The id of the user, or `wazo-auth` for tokens that the service creates for itself.
    auth_id: String,
    /// The session that the token belongs to.
    session_uuid: Option<SessionUuid>,
    /// The accesses that the token covers, as patterns.
    #[serde(default)]
    acl: Vec<String>,
    #[serde(default, rename = "acls")]
    older_acl: Vec<String>,
    /// Details of the user.
    #[serde(default)]
    metadata: TokenMetadata,
    /// When it was issued.
    utc_issued_at: Option<crate::UtcTime>,
    /// When it expires. A stored token lives up to a second less, since times are cut to seconds.
    utc_expires_at: Option<crate::UtcTime>,
    /// When it was issued, by the server's clock and in its zone: not for calculation.
    #[serde(default = "default_token_issued_at")]
    issued_at: String,
    /// When it expires, by the server's clock and in its zone: not for calculation.
    #[serde(default = "default_token_expires_at")]
    expires_at: String,
    /// The refresh token, in the answer to a login that asked for one.
    refresh_token: Option<Secret>,
    /// The program that logged in.
    #[serde(default = "default_token_user_agent")]
    user_agent: String,
    /// The address that it logged in from.
    #[serde(default = "default_token_remote_addr")]
    remote_addr: String,
    /// The user, if its purpose is `user`.
    xivo_user_uuid: Option<String>,
    /// The installation.
    xivo_uuid: Option<String>,
}

impl From<TokenRead> for Token {
    fn from(read: TokenRead) -> Self {
        Self {
            token: read.token,
            auth_id: read.auth_id,
            session_uuid: read.session_uuid,
            acl: if read.acl.is_empty() { read.older_acl } else { read.acl },
            metadata: read.metadata,
            utc_issued_at: read.utc_issued_at,
            utc_expires_at: read.utc_expires_at,
            issued_at: read.issued_at,
            expires_at: read.expires_at,
            refresh_token: read.refresh_token,
            user_agent: read.user_agent,
            remote_addr: read.remote_addr,
            xivo_user_uuid: read.xivo_user_uuid,
            xivo_uuid: read.xivo_uuid,
        }
    }
}

/// A token in the form of requests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TokenAnswer {
    /// A token.
    pub(crate) data: Token,
}

/// Accesses to check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScopeCheck {
    /// The accesses.
    pub scopes: Vec<String>,
    /// Also check that the token is of this tenant or of one above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_uuid: Option<TenantUuid>,
}

impl ScopeCheck {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            tenant_uuid: None,
        }
    }

    /// Also check that the token is of this tenant or of one above it.
    ///
    /// A UUID.
    #[must_use]
    pub fn tenant_uuid(mut self, tenant_uuid: &TenantUuid) -> Self {
        self.tenant_uuid = Some(tenant_uuid.clone());
        self
    }
}

/// For each access whether a token covers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScopeAnswers {
    /// By access.
    pub(crate) scopes: BTreeMap<String, bool>,
}

/// The data of a refresh token, without the token itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefreshToken {
    /// The client that it is for.
    pub client_id: String,
    /// When it was created.
    pub created_at: String,
    /// Whether it is that of a mobile client.
    #[serde(default)]
    pub mobile: bool,
    /// The user.
    pub user_uuid: UserUuid,
    /// The tenant of the user.
    pub tenant_uuid: TenantUuid,
    /// What else is known, by plugins.
    #[serde(default)]
    pub metadata: BTreeMap<String, serde_json::Value>,
}

/// A page of refresh tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefreshTokenPage {
    /// How many refresh tokens are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The refresh tokens of this page.
    pub items: Vec<RefreshToken>,
}

/// A policy: a named set of accesses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "PolicyRead")]
#[non_exhaustive]
pub struct Policy {
    /// Its id.
    pub uuid: PolicyId,
    /// The tenant that it belongs to, or the tenant of the call if it is shared or of the
    /// configuration.
    pub tenant_uuid: TenantUuid,
    /// Its name.
    pub name: String,
    /// Its short name.
    #[serde(default = "default_policy_slug")]
    pub slug: String,
    /// Its purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its accesses, in no order.
    #[doc(alias = "acl_templates")]
    #[serde(default)]
    pub acl: Vec<String>,
    /// Whether it cannot be changed from this tenant.
    #[serde(default)]
    pub read_only: bool,
    /// Whether the tenants below see it.
    #[serde(default)]
    pub shared: bool,
}

/// `Policy`, as servers of all ages write it.
#[derive(Deserialize)]
struct PolicyRead {
    /// Its id.
    uuid: PolicyId,
    /// The tenant that it belongs to, or the tenant of the call if it is shared or of the
    /// configuration.
    tenant_uuid: TenantUuid,
    /// Its name.
    name: String,
    /// Its short name.
    #[serde(default = "default_policy_slug")]
    slug: String,
    /// Its purpose.
    description: Option<String>,
    /// Its accesses, in no order.
    #[serde(default)]
    acl: Vec<String>,
    #[serde(default, rename = "acl_templates")]
    older_acl: Vec<String>,
    /// Whether it cannot be changed from this tenant.
    #[serde(default)]
    read_only: bool,
    /// Whether the tenants below see it.
    #[serde(default)]
    shared: bool,
}

impl From<PolicyRead> for Policy {
    fn from(read: PolicyRead) -> Self {
        Self {
            uuid: read.uuid,
            tenant_uuid: read.tenant_uuid,
            name: read.name,
            slug: read.slug,
            description: read.description,
            acl: if read.acl.is_empty() { read.older_acl } else { read.acl },
            read_only: read.read_only,
            shared: read.shared,
        }
    }
}

/// A page of policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PolicyPage {
    /// How many policies are in scope.
    pub total: i64,
    /// The policies of this page.
    pub items: Vec<Policy>,
}

/// A page of policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RelatedPolicyPage {
    /// How many policies are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The policies of this page.
    pub items: Vec<Policy>,
}

/// A policy to create.
#[doc(alias = "acl_templates")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewPolicy {
    /// Its name.
    pub name: String,
    /// Its short name. Default: made of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Its purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its accesses.
    #[serde(default)]
    pub acl: Vec<String>,
    /// Whether the tenants below see it. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
}

impl NewPolicy {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            slug: None,
            description: None,
            acl: Default::default(),
            shared: None,
        }
    }

    /// Its short name. Default: made of the name.
    ///
    /// 1 to 80 characters; must match `^\[a-zA-Z0-9_-\]+$`.
    #[must_use]
    pub fn slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = Some(slug.into());
        self
    }

    /// Its purpose.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Its accesses.
    #[must_use]
    pub fn acl(mut self, acl: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.acl = acl.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the tenants below see it. Default: false.
    #[must_use]
    pub fn shared(mut self, shared: bool) -> Self {
        self.shared = Some(shared);
        self
    }
}

impl NewPolicy {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), Some(80))?;
        if let Some(value) = &self.slug {
            limits::text("slug", value, Some(1), Some(80))?;
        }
        Ok(())
    }
}

/// The new data of a policy.
#[doc(alias = "acl_templates")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PolicyEdit {
    /// Its name.
    pub name: String,
    /// Its purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its accesses.
    #[serde(default)]
    pub acl: Vec<String>,
}

impl PolicyEdit {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            acl: Default::default(),
        }
    }

    /// Its purpose.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Its accesses.
    #[must_use]
    pub fn acl(mut self, acl: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.acl = acl.into_iter().map(Into::into).collect();
        self
    }
}

impl PolicyEdit {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), Some(80))?;
        Ok(())
    }
}

/// An e-mail address of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Email {
    /// Its id.
    pub uuid: EmailUuid,
    /// The address.
    pub address: String,
    /// Whether it is the main address.
    #[serde(default)]
    pub main: bool,
    /// Whether the user has confirmed it; null if that was not said as an administrator added it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// Its id.
    pub uuid: UserUuid,
    /// The name that it logs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Its first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// Its last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// Its purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UserPurpose>,
    /// Whether it may log in.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its tenant.
    pub tenant_uuid: TenantUuid,
    /// The identity provider that knows its password; `default` for that of the tenant.
    #[serde(default = "default_user_authentication_method")]
    pub authentication_method: String,
    /// Its addresses, in no order.
    #[serde(default)]
    pub emails: Vec<Email>,
}

/// A page of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserPage {
    /// How many users are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The users of this page.
    pub items: Vec<User>,
}

/// A user to create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewUser {
    /// The name to log in with, unique in the whole installation, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The purpose of the user. Default: `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UserPurpose>,
    /// The identity provider that knows the password. Default: `default` for the purpose `user`,
    /// else `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_method: Option<String>,
    /// Whether the user may log in. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The id. Default: random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<UserUuid>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub password: Option<Secret>,
    /// The main address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
}

impl NewUser {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            username: None,
            firstname: None,
            lastname: None,
            purpose: None,
            authentication_method: None,
            enabled: None,
            uuid: None,
            password: None,
            email_address: None,
        }
    }

    /// The name to log in with, unique in the whole installation, in upper or lower case.
    ///
    /// 1 to 256 characters.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The first name.
    #[must_use]
    pub fn firstname(mut self, firstname: impl Into<String>) -> Self {
        self.firstname = Some(firstname.into());
        self
    }

    /// The last name.
    #[must_use]
    pub fn lastname(mut self, lastname: impl Into<String>) -> Self {
        self.lastname = Some(lastname.into());
        self
    }

    /// The purpose of the user. Default: `user`.
    #[must_use]
    pub fn purpose(mut self, purpose: UserPurpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// The identity provider that knows the password. Default: `default` for the purpose `user`,
    /// else `native`.
    #[must_use]
    pub fn authentication_method(
        mut self,
        authentication_method: impl Into<String>,
    ) -> Self {
        self.authentication_method = Some(authentication_method.into());
        self
    }

    /// Whether the user may log in. Default: true.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// The id. Default: random.
    ///
    /// A UUID.
    #[must_use]
    pub fn uuid(mut self, uuid: &UserUuid) -> Self {
        self.uuid = Some(uuid.clone());
        self
    }

    /// The password.
    ///
    /// Not empty.
    #[must_use]
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The main address.
    ///
    /// An e-mail address.
    #[must_use]
    pub fn email_address(mut self, email_address: impl Into<String>) -> Self {
        self.email_address = Some(email_address.into());
        self
    }
}

impl NewUser {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.username {
            limits::text("username", value, Some(1), Some(256))?;
        }
        if let Some(value) = &self.password {
            limits::text("password", value.expose(), Some(1), None)?;
        }
        Ok(())
    }
}

/// The new data of a user; missing values are removed, or get their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserEdit {
    /// The name to log in with, unique in the whole installation, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The purpose of the user. Default: `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UserPurpose>,
    /// The identity provider that knows the password. Default: `default` for the purpose `user`,
    /// else `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_method: Option<String>,
    /// Whether the user may log in. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl UserEdit {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            username: None,
            firstname: None,
            lastname: None,
            purpose: None,
            authentication_method: None,
            enabled: None,
        }
    }

    /// The name to log in with, unique in the whole installation, in upper or lower case.
    ///
    /// 1 to 256 characters.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The first name.
    #[must_use]
    pub fn firstname(mut self, firstname: impl Into<String>) -> Self {
        self.firstname = Some(firstname.into());
        self
    }

    /// The last name.
    #[must_use]
    pub fn lastname(mut self, lastname: impl Into<String>) -> Self {
        self.lastname = Some(lastname.into());
        self
    }

    /// The purpose of the user. Default: `user`.
    #[must_use]
    pub fn purpose(mut self, purpose: UserPurpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// The identity provider that knows the password. Default: `default` for the purpose `user`,
    /// else `native`.
    #[must_use]
    pub fn authentication_method(
        mut self,
        authentication_method: impl Into<String>,
    ) -> Self {
        self.authentication_method = Some(authentication_method.into());
        self
    }

    /// Whether the user may log in. Default: true.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }
}

impl UserEdit {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.username {
            limits::text("username", value, Some(1), Some(256))?;
        }
        Ok(())
    }
}

/// A user who registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Registration {
    /// The name to log in with.
    pub username: String,
    /// The password.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub password: Secret,
    /// The address, which must be confirmed.
    pub email_address: String,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
}

impl Registration {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        username: impl Into<String>,
        password: impl Into<Secret>,
        email_address: impl Into<String>,
    ) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
            email_address: email_address.into(),
            firstname: None,
            lastname: None,
        }
    }

    /// The first name.
    #[must_use]
    pub fn firstname(mut self, firstname: impl Into<String>) -> Self {
        self.firstname = Some(firstname.into());
        self
    }

    /// The last name.
    #[must_use]
    pub fn lastname(mut self, lastname: impl Into<String>) -> Self {
        self.lastname = Some(lastname.into());
        self
    }
}

impl Registration {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("username", &self.username, Some(1), Some(256))?;
        limits::text("password", self.password.expose(), Some(1), None)?;
        Ok(())
    }
}

/// The first user of an installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FirstUser {
    /// The name to log in with.
    pub username: String,
    /// The password.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub password: Secret,
    /// The key of the installation.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub key: Secret,
    /// The purpose of the user. Default: `internal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UserPurpose>,
}

impl FirstUser {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        username: impl Into<String>,
        password: impl Into<Secret>,
        key: impl Into<Secret>,
    ) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
            key: key.into(),
            purpose: None,
        }
    }

    /// The purpose of the user. Default: `internal`.
    #[must_use]
    pub fn purpose(mut self, purpose: UserPurpose) -> Self {
        self.purpose = Some(purpose);
        self
    }
}

impl FirstUser {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("username", &self.username, Some(1), Some(256))?;
        limits::text("password", self.password.expose(), Some(1), None)?;
        limits::text("key", self.key.expose(), Some(20), Some(20))?;
        Ok(())
    }
}

/// An old and a new password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PasswordChange {
    /// The old password.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub old_password: Secret,
    /// The new password.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub new_password: Secret,
}

impl PasswordChange {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        old_password: impl Into<Secret>,
        new_password: impl Into<Secret>,
    ) -> Self {
        Self {
            old_password: old_password.into(),
            new_password: new_password.into(),
        }
    }
}

impl PasswordChange {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("old_password", self.old_password.expose(), Some(1), None)?;
        limits::text("new_password", self.new_password.expose(), Some(1), None)?;
        Ok(())
    }
}

/// A new password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PasswordReset {
    /// The new password; null removes it.
    #[serde(deserialize_with = "present", serialize_with = "expose_optional")]
    pub password: Option<Secret>,
}

impl PasswordReset {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(password: Option<Secret>) -> Self {
        Self { password }
    }
}

impl PasswordReset {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.password {
            limits::text("password", value.expose(), Some(1), None)?;
        }
        Ok(())
    }
}

/// The addresses of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmailList {
    /// All of them.
    pub emails: Vec<NewEmail>,
}

impl EmailList {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(emails: impl IntoIterator<Item = NewEmail>) -> Self {
        Self {
            emails: emails.into_iter().collect(),
        }
    }
}

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewEmail {
    /// The address.
    pub address: String,
    /// Whether it is the main address.
    #[serde(default)]
    pub main: bool,
}

impl NewEmail {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            main: Default::default(),
        }
    }

    /// Whether it is the main address.
    ///
    /// Default: `false`.
    #[must_use]
    pub fn main(mut self, main: bool) -> Self {
        self.main = main;
        self
    }
}

/// The addresses of a user, as an administrator sets them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdminEmailList {
    /// All of them.
    pub emails: Vec<AdminEmail>,
}

impl AdminEmailList {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(emails: impl IntoIterator<Item = AdminEmail>) -> Self {
        Self {
            emails: emails.into_iter().collect(),
        }
    }
}

/// An e-mail address, as an administrator sets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdminEmail {
    /// The address.
    pub address: String,
    /// Whether it is the main address.
    #[serde(default)]
    pub main: bool,
    /// Whether it counts as confirmed. Default: as before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
}

impl AdminEmail {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            main: Default::default(),
            confirmed: None,
        }
    }

    /// Whether it is the main address.
    ///
    /// Default: `false`.
    #[must_use]
    pub fn main(mut self, main: bool) -> Self {
        self.main = main;
        self
    }

    /// Whether it counts as confirmed. Default: as before.
    #[must_use]
    pub fn confirmed(mut self, confirmed: bool) -> Self {
        self.confirmed = Some(confirmed);
        self
    }
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// Its id.
    pub uuid: GroupUuid,
    /// Its tenant.
    pub tenant_uuid: TenantUuid,
    /// Its name.
    pub name: String,
    /// Its short name.
    #[serde(default = "default_group_slug")]
    pub slug: String,
    /// Whether the system manages it, so that it cannot be changed.
    #[serde(default)]
    pub system_managed: bool,
    /// The same, as newer servers call it.
    #[serde(default)]
    pub read_only: bool,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupPage {
    /// How many groups are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The groups of this page.
    pub items: Vec<Group>,
}

/// A group to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// Its short name. Default: made of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

impl NewGroup {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            slug: None,
        }
    }

    /// Its short name. Default: made of the name.
    ///
    /// 1 to 80 characters; must match `^\[a-zA-Z0-9_-\]+$`.
    #[must_use]
    pub fn slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = Some(slug.into());
        self
    }
}

impl NewGroup {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), Some(128))?;
        if let Some(value) = &self.slug {
            limits::text("slug", value, Some(1), Some(80))?;
        }
        Ok(())
    }
}

/// The new data of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupEdit {
    /// Its name.
    pub name: String,
}

impl GroupEdit {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl GroupEdit {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), Some(128))?;
        Ok(())
    }
}

/// A session, which a token keeps open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// Its id.
    pub uuid: SessionUuid,
    /// Whether it is that of a mobile client.
    #[serde(default)]
    pub mobile: bool,
    /// The tenant of the user.
    pub tenant_uuid: TenantUuid,
    /// The user; null for tokens that the service creates for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_uuid: Option<UserUuid>,
}

/// A page of sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionPage {
    /// How many sessions are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The sessions of this page.
    pub items: Vec<Session>,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Address {
    /// The first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_1: Option<String>,
    /// The second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_2: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip_code: Option<String>,
}

impl Address {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            line_1: None,
            line_2: None,
            city: None,
            state: None,
            country: None,
            zip_code: None,
        }
    }

    /// The first line.
    ///
    /// 1 to 256 characters.
    #[must_use]
    pub fn line_1(mut self, line_1: impl Into<String>) -> Self {
        self.line_1 = Some(line_1.into());
        self
    }

    /// The second line.
    ///
    /// 1 to 256 characters.
    #[must_use]
    pub fn line_2(mut self, line_2: impl Into<String>) -> Self {
        self.line_2 = Some(line_2.into());
        self
    }

    /// The city.
    ///
    /// 1 to 128 characters.
    #[must_use]
    pub fn city(mut self, city: impl Into<String>) -> Self {
        self.city = Some(city.into());
        self
    }

    /// The state.
    ///
    /// 1 to 128 characters.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// The country.
    ///
    /// 1 to 128 characters.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.country = Some(country.into());
        self
    }

    /// The postal code.
    ///
    /// 1 to 16 characters.
    #[must_use]
    pub fn zip_code(mut self, zip_code: impl Into<String>) -> Self {
        self.zip_code = Some(zip_code.into());
        self
    }
}

impl Address {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.line_1 {
            limits::text("line_1", value, Some(1), Some(256))?;
        }
        if let Some(value) = &self.line_2 {
            limits::text("line_2", value, Some(1), Some(256))?;
        }
        if let Some(value) = &self.city {
            limits::text("city", value, Some(1), Some(128))?;
        }
        if let Some(value) = &self.state {
            limits::text("state", value, Some(1), Some(128))?;
        }
        if let Some(value) = &self.country {
            limits::text("country", value, Some(1), Some(128))?;
        }
        if let Some(value) = &self.zip_code {
            limits::text("zip_code", value, Some(1), Some(16))?;
        }
        Ok(())
    }
}

/// A tenant: a part of the installation with its own users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    /// Its id.
    pub uuid: TenantUuid,
    /// The tenant above it; the top tenant is its own parent.
    pub parent_uuid: TenantUuid,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its short name.
    #[serde(default = "default_tenant_slug")]
    pub slug: String,
    /// Its phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The user to contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<UserUuid>,
    /// The identity provider of users that name none.
    #[serde(default = "default_tenant_default_authentication_method")]
    pub default_authentication_method: String,
    /// Its domains, in no order.
    #[serde(default)]
    pub domain_names: Vec<String>,
    /// Its postal address.
    #[serde(default)]
    pub address: Address,
}

/// A page of tenants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantPage {
    /// How many tenants are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The tenants of this page.
    pub items: Vec<Tenant>,
}

/// A tenant to create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewTenant {
    /// Its name, which others may have too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The user to contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<UserUuid>,
    /// The identity provider of users that name none. Default: `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_authentication_method: Option<String>,
    /// Its domains, each with a dot and unique in the installation.
    #[serde(default)]
    pub domain_names: Vec<String>,
    /// Its postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The id. Default: random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<TenantUuid>,
    /// Its short name, unique in the installation. Default: made of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

impl NewTenant {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: None,
            phone: None,
            contact: None,
            default_authentication_method: None,
            domain_names: Default::default(),
            address: None,
            uuid: None,
            slug: None,
        }
    }

    /// Its name, which others may have too.
    ///
    /// 1 to 128 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its phone number.
    ///
    /// 1 to 32 characters.
    #[must_use]
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phone = Some(phone.into());
        self
    }

    /// The user to contact.
    ///
    /// A UUID.
    #[must_use]
    pub fn contact(mut self, contact: &UserUuid) -> Self {
        self.contact = Some(contact.clone());
        self
    }

    /// The identity provider of users that name none. Default: `native`.
    #[must_use]
    pub fn default_authentication_method(
        mut self,
        default_authentication_method: impl Into<String>,
    ) -> Self {
        self.default_authentication_method = Some(default_authentication_method.into());
        self
    }

    /// Its domains, each with a dot and unique in the installation.
    #[must_use]
    pub fn domain_names(
        mut self,
        domain_names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.domain_names = domain_names.into_iter().map(Into::into).collect();
        self
    }

    /// Its postal address.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// The id. Default: random.
    ///
    /// A UUID.
    #[must_use]
    pub fn uuid(mut self, uuid: &TenantUuid) -> Self {
        self.uuid = Some(uuid.clone());
        self
    }

    /// Its short name, unique in the installation. Default: made of the name.
    ///
    /// 1 to 10 characters; must match `^\[a-zA-Z0-9_\]+$`.
    #[must_use]
    pub fn slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = Some(slug.into());
        self
    }
}

impl NewTenant {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.name {
            limits::text("name", value, Some(1), Some(128))?;
        }
        if let Some(value) = &self.phone {
            limits::text("phone", value, Some(1), Some(32))?;
        }
        if let Some(value) = &self.address {
            value.check()?;
        }
        if let Some(value) = &self.slug {
            limits::text("slug", value, Some(1), Some(10))?;
        }
        Ok(())
    }
}

/// The new data of a tenant; missing values are removed, or get their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantEdit {
    /// Its name, which others may have too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The user to contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<UserUuid>,
    /// The identity provider of users that name none. Default: `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_authentication_method: Option<String>,
    /// Its domains, each with a dot and unique in the installation.
    #[serde(default)]
    pub domain_names: Vec<String>,
    /// Its postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

impl TenantEdit {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: None,
            phone: None,
            contact: None,
            default_authentication_method: None,
            domain_names: Default::default(),
            address: None,
        }
    }

    /// Its name, which others may have too.
    ///
    /// 1 to 128 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its phone number.
    ///
    /// 1 to 32 characters.
    #[must_use]
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phone = Some(phone.into());
        self
    }

    /// The user to contact.
    ///
    /// A UUID.
    #[must_use]
    pub fn contact(mut self, contact: &UserUuid) -> Self {
        self.contact = Some(contact.clone());
        self
    }

    /// The identity provider of users that name none. Default: `native`.
    #[must_use]
    pub fn default_authentication_method(
        mut self,
        default_authentication_method: impl Into<String>,
    ) -> Self {
        self.default_authentication_method = Some(default_authentication_method.into());
        self
    }

    /// Its domains, each with a dot and unique in the installation.
    #[must_use]
    pub fn domain_names(
        mut self,
        domain_names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.domain_names = domain_names.into_iter().map(Into::into).collect();
        self
    }

    /// Its postal address.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
}

impl TenantEdit {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.name {
            limits::text("name", value, Some(1), Some(128))?;
        }
        if let Some(value) = &self.phone {
            limits::text("phone", value, Some(1), Some(32))?;
        }
        if let Some(value) = &self.address {
            value.check()?;
        }
        Ok(())
    }
}

/// A domain of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Domain {
    /// Its id.
    pub uuid: DomainUuid,
    /// Its name.
    pub name: String,
}

/// All domains of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DomainList {
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<i64>,
    /// The domains.
    pub(crate) items: Vec<Domain>,
}

/// The push tokens of a phone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mobile {
    /// For Android.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub token: Option<Secret>,
    /// For Apple; deprecated.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub apns_token: Option<Secret>,
    /// For calls, at Apple.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub apns_voip_token: Option<Secret>,
    /// For notifications, at Apple.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub apns_notification_token: Option<Secret>,
    /// The topic of calls, at Apple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apns_call_topic: Option<String>,
    /// The topic of everything else, at Apple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apns_default_topic: Option<String>,
}

impl Mobile {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            token: None,
            apns_token: None,
            apns_voip_token: None,
            apns_notification_token: None,
            apns_call_topic: None,
            apns_default_topic: None,
        }
    }

    /// For Android.
    ///
    /// 1 to 512 characters.
    #[must_use]
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// For Apple; deprecated.
    ///
    /// At most 512 characters.
    #[must_use]
    pub fn apns_token(mut self, apns_token: impl Into<Secret>) -> Self {
        self.apns_token = Some(apns_token.into());
        self
    }

    /// For calls, at Apple.
    ///
    /// At most 512 characters.
    #[must_use]
    pub fn apns_voip_token(mut self, apns_voip_token: impl Into<Secret>) -> Self {
        self.apns_voip_token = Some(apns_voip_token.into());
        self
    }

    /// For notifications, at Apple.
    ///
    /// At most 512 characters.
    #[must_use]
    pub fn apns_notification_token(
        mut self,
        apns_notification_token: impl Into<Secret>,
    ) -> Self {
        self.apns_notification_token = Some(apns_notification_token.into());
        self
    }

    /// The topic of calls, at Apple.
    ///
    /// At most 512 characters.
    #[must_use]
    pub fn apns_call_topic(mut self, apns_call_topic: impl Into<String>) -> Self {
        self.apns_call_topic = Some(apns_call_topic.into());
        self
    }

    /// The topic of everything else, at Apple.
    ///
    /// At most 512 characters.
    #[must_use]
    pub fn apns_default_topic(mut self, apns_default_topic: impl Into<String>) -> Self {
        self.apns_default_topic = Some(apns_default_topic.into());
        self
    }
}

impl Mobile {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        if let Some(value) = &self.token {
            limits::text("token", value.expose(), Some(1), Some(512))?;
        }
        if let Some(value) = &self.apns_token {
            limits::text("apns_token", value.expose(), None, Some(512))?;
        }
        if let Some(value) = &self.apns_voip_token {
            limits::text("apns_voip_token", value.expose(), None, Some(512))?;
        }
        if let Some(value) = &self.apns_notification_token {
            limits::text("apns_notification_token", value.expose(), None, Some(512))?;
        }
        if let Some(value) = &self.apns_call_topic {
            limits::text("apns_call_topic", value, None, Some(512))?;
        }
        if let Some(value) = &self.apns_default_topic {
            limits::text("apns_default_topic", value, None, Some(512))?;
        }
        Ok(())
    }
}

/// The sender of push messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MobileSender {
    /// The id, if one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender_id: Option<String>,
}

/// The permissions to request from a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Consent {
    /// The permissions; those of the configuration if it is empty.
    #[serde(default)]
    pub scope: Vec<String>,
}

impl Consent {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self { scope: Default::default() }
    }

    /// The permissions; those of the configuration if it is empty.
    ///
    /// Each: 1 to 512 characters.
    #[must_use]
    pub fn scope(mut self, scope: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope = scope.into_iter().map(Into::into).collect();
        self
    }
}

impl Consent {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        for value in self.scope.iter() {
            limits::text("scope", value, Some(1), Some(512))?;
        }
        Ok(())
    }
}

/// The URL where a user consents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsentUrl {
    /// The page to open.
    pub authorization_url: String,
    /// What the external service sends back to tell logins apart.
    pub state: String,
}

/// A token at an external service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ExternalToken {
    /// The token.
    pub access_token: Secret,
    /// When it expires, in seconds since 1970.
    pub token_expiration: Option<i64>,
    /// What it permits.
    #[serde(default)]
    pub scope: Vec<String>,
}

/// An external service, and whether a user is connected to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExternalService {
    /// Its type.
    pub r#type: String,
    /// Whether the user is connected.
    #[serde(default)]
    pub enabled: bool,
    /// What may be shown of the connection.
    #[serde(default)]
    pub data: BTreeMap<String, serde_json::Value>,
    /// What the plugin says of itself.
    #[serde(default)]
    pub plugin_info: BTreeMap<String, serde_json::Value>,
}

/// A page of services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExternalPage {
    /// How many services are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The services of this page.
    pub items: Vec<ExternalService>,
}

/// A user that is connected to an external service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectedUser {
    /// The user.
    pub uuid: UserUuid,
}

/// A page of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectedUserPage {
    /// How many users are in scope.
    pub total: i64,
    /// How many of them the search and the filters let through; old servers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<i64>,
    /// The users of this page.
    pub items: Vec<ConnectedUser>,
}

/// The login backends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BackendList {
    /// Their names.
    pub(crate) data: Vec<String>,
}

/// The identity providers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IdpList {
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<i64>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filtered: Option<i64>,
    /// Their names.
    pub(crate) items: Vec<String>,
}

/// Users whose authentication method is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdpUsers {
    /// The users.
    pub users: Vec<IdpUser>,
}

impl IdpUsers {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(users: impl IntoIterator<Item = IdpUser>) -> Self {
        Self {
            users: users.into_iter().collect(),
        }
    }
}

/// A user whose authentication method is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdpUser {
    /// The user.
    pub uuid: UserUuid,
}

impl IdpUser {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(uuid: &UserUuid) -> Self {
        Self { uuid: uuid.clone() }
    }
}

/// How the connection to LDAP is protected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum LdapSecurity {
    /// `ldaps`.
    Ldaps,
    /// `tls`.
    Tls,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl LdapSecurity {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ldaps => "ldaps",
            Self::Tls => "tls",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for LdapSecurity {
    fn from(word: String) -> Self {
        match word.as_str() {
            "ldaps" => Self::Ldaps,
            "tls" => Self::Tls,
            _ => Self::Unknown(word),
        }
    }
}

impl From<LdapSecurity> for String {
    fn from(word: LdapSecurity) -> Self {
        match word {
            LdapSecurity::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The LDAP configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LdapConfig {
    /// The tenant; null if there is no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_uuid: Option<String>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
    /// Where users are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_base_dn: Option<String>,
    /// The attribute that holds the name to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_login_attribute: Option<String>,
    /// The attribute that holds the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email_attribute: Option<String>,
    /// The version of the protocol, 2 or 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<i64>,
    /// How the connection is protected; null if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_security: Option<LdapSecurity>,
    /// Who searches for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_dn: Option<String>,
    /// A filter for the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_filters: Option<String>,
}

/// The LDAP configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LdapEdit {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: i64,
    /// Where users are.
    pub user_base_dn: String,
    /// The attribute that holds the name to log in with.
    pub user_login_attribute: String,
    /// The attribute that holds the address.
    pub user_email_attribute: String,
    /// The version of the protocol, 2 or 3. Default: 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<i64>,
    /// How the connection is protected. Default: as before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_security: Option<LdapSecurity>,
    /// Who searches for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_dn: Option<String>,
    /// A filter for the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_filters: Option<String>,
    /// The password of the account that searches.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub bind_password: Option<Secret>,
}

impl LdapEdit {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: i64,
        user_base_dn: impl Into<String>,
        user_login_attribute: impl Into<String>,
        user_email_attribute: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            user_base_dn: user_base_dn.into(),
            user_login_attribute: user_login_attribute.into(),
            user_email_attribute: user_email_attribute.into(),
            protocol_version: None,
            protocol_security: None,
            bind_dn: None,
            search_filters: None,
            bind_password: None,
        }
    }

    /// The version of the protocol, 2 or 3. Default: 3.
    ///
    /// From 2 to 3.
    #[must_use]
    pub fn protocol_version(mut self, protocol_version: i64) -> Self {
        self.protocol_version = Some(protocol_version);
        self
    }

    /// How the connection is protected. Default: as before.
    #[must_use]
    pub fn protocol_security(mut self, protocol_security: LdapSecurity) -> Self {
        self.protocol_security = Some(protocol_security);
        self
    }

    /// Who searches for users.
    ///
    /// At most 256 characters.
    #[must_use]
    pub fn bind_dn(mut self, bind_dn: impl Into<String>) -> Self {
        self.bind_dn = Some(bind_dn.into());
        self
    }

    /// A filter for the search.
    #[must_use]
    pub fn search_filters(mut self, search_filters: impl Into<String>) -> Self {
        self.search_filters = Some(search_filters.into());
        self
    }

    /// The password of the account that searches.
    #[must_use]
    pub fn bind_password(mut self, bind_password: impl Into<Secret>) -> Self {
        self.bind_password = Some(bind_password.into());
        self
    }
}

impl LdapEdit {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("host", &self.host, None, Some(512))?;
        limits::integer("port", self.port, Some(0), Some(65535))?;
        limits::text("user_base_dn", &self.user_base_dn, None, Some(256))?;
        limits::text(
            "user_login_attribute",
            &self.user_login_attribute,
            None,
            Some(64),
        )?;
        limits::text(
            "user_email_attribute",
            &self.user_email_attribute,
            None,
            Some(64),
        )?;
        if let Some(value) = &self.protocol_version {
            limits::integer("protocol_version", *value, Some(2), Some(3))?;
        }
        if let Some(value) = &self.bind_dn {
            limits::text("bind_dn", value, None, Some(256))?;
        }
        Ok(())
    }
}

/// The SAML configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamlConfig {
    /// The domain of the tenant whose users log in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_uuid: Option<String>,
    /// The name of the service at the identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_uuid: Option<TenantUuid>,
    /// Where the identity provider sends its answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_url: Option<String>,
}

/// A template of a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AcsTemplate {
    /// The template.
    pub(crate) acs_url: String,
}

/// The start of a login through SAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamlStart {
    /// Where the user goes in the end.
    pub redirect_url: String,
    /// The domain of the user.
    pub domain: String,
}

impl SamlStart {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(redirect_url: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            redirect_url: redirect_url.into(),
            domain: domain.into(),
        }
    }
}

/// The URL where a user logs in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SamlRedirect {
    /// The page to open.
    pub location: String,
    /// What a token can be created with, once, after the login.
    pub saml_session_id: Secret,
}

/// The answer of an identity provider.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct SamlAnswer {
    /// Which login it is about.
    #[serde(rename = "RelayState")]
    pub(crate) relay_state: Secret,
    /// The assertion.
    #[serde(rename = "SAMLResponse")]
    pub(crate) saml_response: Secret,
}

/// The URL where a user logs out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SamlLogout {
    /// The page to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// The same, as the older client expects it.
    #[serde(rename = "Location", skip_serializing_if = "Option::is_none")]
    pub(crate) location_too: Option<String>,
}

/// A change of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConfigChange {
    /// What to do.
    #[serde(default = "default_config_change_op")]
    pub op: ConfigOp,
    /// The setting.
    pub path: ConfigPath,
    /// Its new value.
    pub value: bool,
}

impl ConfigChange {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(path: ConfigPath, value: bool) -> Self {
        Self {
            op: default_config_change_op(),
            path,
            value,
        }
    }

    /// What to do.
    ///
    /// Default: `replace`.
    #[must_use]
    pub fn op(mut self, op: ConfigOp) -> Self {
        self.op = op;
        self
    }
}

/// What to do with a setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ConfigOp {
    /// `replace`.
    Replace,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ConfigOp {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Replace => "replace",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ConfigOp {
    fn from(word: String) -> Self {
        match word.as_str() {
            "replace" => Self::Replace,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ConfigOp> for String {
    fn from(word: ConfigOp) -> Self {
        match word {
            ConfigOp::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// A setting that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ConfigPath {
    /// `/debug`.
    Debug,
    /// `/profiling_enabled`.
    ProfilingEnabled,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ConfigPath {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Debug => "/debug",
            Self::ProfilingEnabled => "/profiling_enabled",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ConfigPath {
    fn from(word: String) -> Self {
        match word.as_str() {
            "/debug" => Self::Debug,
            "/profiling_enabled" => Self::ProfilingEnabled,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ConfigPath> for String {
    fn from(word: ConfigPath) -> Self {
        match word {
            ConfigPath::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// Reads a value that may be null but not absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

fn yes() -> bool {
    true
}

/// Writes a secret, or null, into the body of a request.
fn expose_optional<S: serde::Serializer>(
    secret: &Option<Secret>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => vouchsafe_core::__private::expose(secret, to),
        None => to.serialize_none(),
    }
}

fn default_token_issued_at() -> String {
    "".to_owned()
}

fn default_token_expires_at() -> String {
    "".to_owned()
}

fn default_token_user_agent() -> String {
    "".to_owned()
}

fn default_token_remote_addr() -> String {
    "".to_owned()
}

fn default_policy_slug() -> String {
    "".to_owned()
}

fn default_user_authentication_method() -> String {
    "default".to_owned()
}

fn default_group_slug() -> String {
    "".to_owned()
}

fn default_tenant_slug() -> String {
    "".to_owned()
}

fn default_tenant_default_authentication_method() -> String {
    "native".to_owned()
}

fn default_config_change_op() -> ConfigOp {
    ConfigOp::Replace
}
