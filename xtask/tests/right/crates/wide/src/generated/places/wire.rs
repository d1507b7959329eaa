// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;
use vouchsafe_core::call::limits;

/// The schema `VisitEnvelope`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VisitEnvelope {
    /// The key `data`.
    pub(crate) data: i64,
}

/// The id of a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceId(String);

impl PlaceId {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the text is not valid. A UUID.
    pub fn parse(text: &str) -> vouchsafe_core::Result<Self> {
        limits::text("PlaceId", text, Some(1), None)?;
        limits::uuid("PlaceId", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for PlaceId {
    type Err = vouchsafe_core::Error;
    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
        Self::parse(text)
    }
}

impl std::fmt::Display for PlaceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The schema `PlaceKind`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum PlaceKind {
    /// `room`.
    Room,
    /// `street`.
    Street,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl PlaceKind {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Room => "room",
            Self::Street => "street",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for PlaceKind {
    fn from(word: String) -> Self {
        match word.as_str() {
            "room" => Self::Room,
            "street" => Self::Street,
            _ => Self::Unknown(word),
        }
    }
}

impl From<PlaceKind> for String {
    fn from(word: PlaceKind) -> Self {
        match word {
            PlaceKind::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// What can be done with a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum PlaceAction {
    /// Gives it another colour.
    Paint,
    /// Gives it to another owner.
    Sell,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl PlaceAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Paint => "paint",
            Self::Sell => "sell",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for PlaceAction {
    fn from(word: String) -> Self {
        match word.as_str() {
            "paint" => Self::Paint,
            "sell" => Self::Sell,
            _ => Self::Unknown(word),
        }
    }
}

impl From<PlaceAction> for String {
    fn from(word: PlaceAction) -> Self {
        match word {
            PlaceAction::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "PlaceRead")]
#[non_exhaustive]
pub struct Place {
    /// The id of a place.
    pub id: PlaceId,
    /// The key `name`.
    pub name: String,
    /// The key `kind`.
    pub kind: PlaceKind,
    /// The key `labels`.
    #[doc(alias = "tags")]
    #[serde(default)]
    pub labels: Vec<String>,
}

/// `Place`, as servers of all ages write it.
#[derive(Deserialize)]
struct PlaceRead {
    /// The id of a place.
    id: PlaceId,
    /// The key `name`.
    name: String,
    /// The key `kind`.
    kind: PlaceKind,
    /// The key `labels`.
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default, rename = "tags")]
    older_labels: Vec<String>,
}

impl From<PlaceRead> for Place {
    fn from(read: PlaceRead) -> Self {
        Self {
            id: read.id,
            name: read.name,
            kind: read.kind,
            labels: if read.labels.is_empty() { read.older_labels } else { read.labels },
        }
    }
}

/// A page of places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlacePage {
    /// How many there are.
    pub total: i64,
    /// How many fit the filters.
    pub filtered: i64,
    /// The key `items`.
    pub items: Vec<Place>,
}

/// A place to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewPlace {
    /// The key `name`.
    pub name: String,
    /// The key `kind`.
    #[serde(default = "default_new_place_kind")]
    pub kind: PlaceKind,
    /// The key `labels`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The id of a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<PlaceId>,
}

impl NewPlace {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: default_new_place_kind(),
            labels: Default::default(),
            near: None,
        }
    }

    /// Sets `kind`.
    ///
    /// Default: `room`.
    #[must_use]
    pub fn kind(mut self, kind: PlaceKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets `labels`.
    #[must_use]
    pub fn labels(
        mut self,
        labels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// The id of a place.
    ///
    /// A UUID.
    #[must_use]
    pub fn near(mut self, near: &PlaceId) -> Self {
        self.near = Some(near.clone());
        self
    }
}

impl NewPlace {
    /// Refuses values that the service is known to refuse.
    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> {
        limits::text("name", &self.name, Some(1), Some(8))?;
        Ok(())
    }
}

/// The schema `PlaceOwner`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlaceOwner {
    /// The key `kind`.
    pub(crate) kind: PlaceOwnerKind,
    /// The key `name`.
    pub(crate) name: String,
}

/// The schema `PlaceOwnerKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum PlaceOwnerKind {
    /// `owner`.
    #[serde(rename = "owner")]
    Owner,
}

/// An owner to be introduced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewOwner {
    /// The key `kind`.
    pub(crate) kind: NewOwnerKind,
    /// The key `name`.
    pub name: crate::Address,
    /// The key `also`.
    #[serde(default)]
    pub also: Vec<crate::Address>,
}

impl NewOwner {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<crate::Address>) -> Self {
        Self {
            kind: NewOwnerKind::Owner,
            name: name.into(),
            also: Default::default(),
        }
    }

    /// Sets `also`.
    #[must_use]
    pub fn also(
        mut self,
        also: impl IntoIterator<Item = impl Into<crate::Address>>,
    ) -> Self {
        self.also = also.into_iter().map(Into::into).collect();
        self
    }
}

/// The schema `NewOwnerKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum NewOwnerKind {
    /// `owner`.
    #[serde(rename = "owner")]
    Owner,
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlaceLogin {
    /// The key `user`.
    pub user: String,
    /// The key `password`.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub password: Secret,
    /// The key `code`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub code: Option<Secret>,
}

impl PlaceLogin {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            code: None,
        }
    }

    /// Sets `code`.
    #[must_use]
    pub fn code(mut self, code: impl Into<Secret>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// What a login gives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PlaceSession {
    /// The key `key`.
    pub key: Secret,
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

fn default_new_place_kind() -> PlaceKind {
    PlaceKind::Room
}
