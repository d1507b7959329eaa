// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// The schema `ListThingsOrder`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ListThingsOrder {
    /// `name`.
    Name,
    /// `-name`.
    Name_,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ListThingsOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Name_ => "-name",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ListThingsOrder {
    fn from(word: String) -> Self {
        match word.as_str() {
            "name" => Self::Name,
            "-name" => Self::Name_,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ListThingsOrder> for String {
    fn from(word: ListThingsOrder) -> Self {
        match word {
            ListThingsOrder::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The schema `ListThingsAnswer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListThingsAnswer {
    /// The key `items`.
    pub items: Vec<Thing>,
    /// The key `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The schema `Trade`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Trade {
    /// One code.
    Code(Code),
    /// One refresh.
    Refresh(Refresh),
}

/// Newer servers know more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Colour {
    /// `red`.
    Red,
    /// `dark-green`.
    DarkGreen,
    /// `2nd`.
    V2nd,
    /// `unknown`.
    UnknownWord,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl Colour {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Red => "red",
            Self::DarkGreen => "dark-green",
            Self::V2nd => "2nd",
            Self::UnknownWord => "unknown",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for Colour {
    fn from(word: String) -> Self {
        match word.as_str() {
            "red" => Self::Red,
            "dark-green" => Self::DarkGreen,
            "2nd" => Self::V2nd,
            "unknown" => Self::UnknownWord,
            _ => Self::Unknown(word),
        }
    }
}

impl From<Colour> for String {
    fn from(word: Colour) -> Self {
        match word {
            Colour::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// The schema `Size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(clippy::exhaustive_enums, reason = "the set is closed by the protocol")]
pub enum Size {
    /// `small`.
    #[serde(rename = "small")]
    Small,
    /// `large`.
    #[serde(rename = "large")]
    Large,
}

impl Size {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

/// A thing, and the things in it.
#[doc(alias = "Item")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Thing {
    /// The key `id`.
    pub id: i64,
    /// The key `name`.
    pub name: String,
    /// Its kind; an odd name in Rust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Null for the first ones.
    #[serde(rename = "createdAt", deserialize_with = "present")]
    pub created_at: Option<String>,
    /// Newer servers know more.
    #[serde(default = "default_thing_colour")]
    pub colour: Colour,
    /// The key `size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The key `weight`.
    #[serde(default = "default_thing_weight")]
    pub weight: f64,
    /// The key `count`.
    #[serde(default = "default_thing_count")]
    pub count: i64,
    /// The key `none`.
    #[serde(default)]
    pub none: i64,
    /// The key `note`.
    #[serde(default = "default_thing_note")]
    pub note: String,
    /// The key `visible`.
    #[serde(default = "yes")]
    pub visible: bool,
    /// The key `hidden`.
    #[serde(default)]
    pub hidden: bool,
    /// The key `tags`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The key `maybe_tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maybe_tags: Option<Vec<String>>,
    /// The key `labels`.
    #[serde(default)]
    pub labels: BTreeMap<String, Option<String>>,
    /// The key `free`.
    #[serde(default)]
    pub free: BTreeMap<String, serde_json::Value>,
    /// The key `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<crate::Address>,
    /// The key `inner`.
    #[serde(default)]
    pub inner: Inner,
    /// The key `self`.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub own: Option<Inner>,
    /// The key `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<serde_json::Value>,
    /// The key `id_or_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_or_name: Option<ThingIdOrName>,
    /// The key `within`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Box<Thing>>,
    /// The key `parts`.
    #[serde(default)]
    pub parts: Vec<Thing>,
}

/// The schema `ThingIdOrName`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ThingIdOrName {
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
}

/// The schema `Inner`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inner {
    /// The key `depth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<i64>,
}

/// The schema `Note`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// The key `text`.
    pub text: String,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, String>,
}

impl Note {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            rest: BTreeMap::new(),
        }
    }
}

/// Unset values are sent as null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewThing {
    /// The key `name`.
    pub name: String,
    /// The key `colour`.
    pub colour: Option<NewThingColour>,
    /// The key `weight`.
    pub weight: Option<f64>,
    /// The key `token_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// The key `tags`.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl NewThing {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            colour: None,
            weight: None,
            token_name: None,
            tags: Default::default(),
        }
    }

    /// Sets `colour`.
    #[must_use]
    pub fn colour(mut self, colour: NewThingColour) -> Self {
        self.colour = Some(colour);
        self
    }

    /// Sets `weight`.
    #[must_use]
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Sets `token_name`.
    #[must_use]
    pub fn token_name(mut self, token_name: impl Into<String>) -> Self {
        self.token_name = Some(token_name.into());
        self
    }

    /// Sets `tags`.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }
}

/// The schema `NewThingColour`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum NewThingColour {
    /// `red`.
    Red,
    /// `blue`.
    Blue,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl NewThingColour {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for NewThingColour {
    fn from(word: String) -> Self {
        match word.as_str() {
            "red" => Self::Red,
            "blue" => Self::Blue,
            _ => Self::Unknown(word),
        }
    }
}

impl From<NewThingColour> for String {
    fn from(word: NewThingColour) -> Self {
        match word {
            NewThingColour::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// What a form may hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// The key `id`.
    pub id: i64,
    /// The key `grant_type`.
    pub grant_type: String,
    /// The key `client_secret`.
    pub client_secret: Secret,
    /// The key `code`.
    pub code: Option<Secret>,
    /// The key `scope`.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The key `sizes`.
    pub sizes: Option<Vec<Size>>,
    /// Newer servers know more.
    #[serde(default = "default_grant_colour")]
    pub colour: Colour,
    /// The key `size`.
    pub size: Option<Size>,
    /// The key `state`.
    pub state: Option<String>,
    /// The key `age`.
    pub age: Option<i64>,
    /// The key `owner`.
    #[serde(default)]
    pub owner: u64,
    /// The key `hidden`.
    #[serde(default)]
    pub hidden: bool,
}

impl Grant {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        id: i64,
        grant_type: impl Into<String>,
        client_secret: impl Into<Secret>,
    ) -> Self {
        Self {
            id,
            grant_type: grant_type.into(),
            client_secret: client_secret.into(),
            code: None,
            scope: Default::default(),
            sizes: None,
            colour: default_grant_colour(),
            size: None,
            state: None,
            age: None,
            owner: Default::default(),
            hidden: Default::default(),
        }
    }

    /// Sets `code`.
    #[must_use]
    pub fn code(mut self, code: impl Into<Secret>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Sets `scope`.
    #[must_use]
    pub fn scope(mut self, scope: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope = scope.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `sizes`.
    #[must_use]
    pub fn sizes(mut self, sizes: impl IntoIterator<Item = Size>) -> Self {
        self.sizes = Some(sizes.into_iter().collect());
        self
    }

    /// Newer servers know more.
    ///
    /// Default: `red`.
    #[must_use]
    pub fn colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// Sets `size`.
    #[must_use]
    pub fn size(mut self, size: Size) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets `state`.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Sets `age`.
    #[must_use]
    pub fn age(mut self, age: i64) -> Self {
        self.age = Some(age);
        self
    }

    /// Sets `owner`.
    ///
    /// Default: `0`.
    #[must_use]
    pub fn owner(mut self, owner: u64) -> Self {
        self.owner = owner;
        self
    }

    /// Sets `hidden`.
    ///
    /// Default: `false`.
    #[must_use]
    pub fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }
}

/// The schema `Code`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Code {
    /// The key `code`.
    pub code: Secret,
    /// The key `numbers`.
    #[serde(default)]
    pub numbers: Vec<i64>,
}

impl Code {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(code: impl Into<Secret>) -> Self {
        Self {
            code: code.into(),
            numbers: Default::default(),
        }
    }

    /// Sets `numbers`.
    #[must_use]
    pub fn numbers(mut self, numbers: impl IntoIterator<Item = i64>) -> Self {
        self.numbers = numbers.into_iter().collect();
        self
    }
}

/// The schema `Refresh`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Refresh {
    /// The key `refresh_token`.
    pub refresh_token: Secret,
}

impl Refresh {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(refresh_token: impl Into<Secret>) -> Self {
        Self {
            refresh_token: refresh_token.into(),
        }
    }
}

/// The schema `Login`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Login {
    /// The key `user`.
    pub user: String,
    /// The key `password`.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub password: Secret,
    /// The key `code`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub code: Option<Secret>,
}

impl Login {
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

/// The schema `KeySession`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct KeySession {
    /// The key `key`.
    pub key: Secret,
    /// The key `lifetime`.
    #[serde(rename = "lifetime")]
    pub lives_for: Option<KeySessionLivesFor>,
}

/// The schema `KeySessionLivesFor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum KeySessionLivesFor {
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
}

/// The schema `Health`.
#[cfg(feature = "mock")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// The key `status`.
    pub(crate) status: HealthStatus,
}

/// The schema `HealthStatus`.
#[cfg(feature = "mock")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum HealthStatus {
    /// `fine`.
    #[serde(rename = "fine")]
    Fine,
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

fn default_thing_colour() -> Colour {
    Colour::Red
}

fn default_thing_weight() -> f64 {
    1.5
}

fn default_thing_count() -> i64 {
    3
}

fn default_thing_note() -> String {
    "-".to_owned()
}

fn default_grant_colour() -> Colour {
    Colour::Red
}
