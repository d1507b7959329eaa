// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// The schema `ListThingsOrder`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum ListThingsOrder {
    /// `name`.
    Name,
    /// `-name`.
    Name_,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl ListThingsOrder {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
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
pub(crate) struct ListThingsAnswer {
    /// The key `items`.
    pub(crate) items: Vec<Thing>,
    /// The key `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// The schema `Trade`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trade {
    /// One code.
    Code(Code),
    /// One refresh.
    Refresh(Refresh),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RefusedAnswer {
    /// The key `code`.
    pub(crate) code: String,
    /// The key `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<RefusedAnswerDetail>,
}

/// The schema `RefusedAnswerDetail`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum RefusedAnswerDetail {
    /// Text.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// One note.
    Note(Note),
}

/// Newer servers know more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum Colour {
    /// `red`.
    Red,
    /// `dark-green`.
    DarkGreen,
    /// `2nd`.
    V2nd,
    /// `unknown`.
    UnknownWord,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl Colour {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
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
pub(crate) struct Thing {
    /// The key `id`.
    pub(crate) id: i64,
    /// The key `name`.
    pub(crate) name: String,
    /// Its kind; an odd name in Rust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<String>,
    /// Null for the first ones.
    #[serde(rename = "createdAt", deserialize_with = "present")]
    pub(crate) created_at: Option<String>,
    /// Newer servers know more.
    #[serde(default = "default_thing_colour")]
    pub(crate) colour: Colour,
    /// The key `size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Size>,
    /// The key `weight`.
    #[serde(default = "default_thing_weight")]
    pub(crate) weight: f64,
    /// The key `count`.
    #[serde(default = "default_thing_count")]
    pub(crate) count: i64,
    /// The key `none`.
    #[serde(default)]
    pub(crate) none: i64,
    /// The key `note`.
    #[serde(default = "default_thing_note")]
    pub(crate) note: String,
    /// The key `visible`.
    #[serde(default = "yes")]
    pub(crate) visible: bool,
    /// The key `hidden`.
    #[serde(default)]
    pub(crate) hidden: bool,
    /// The key `tags`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// The key `maybe_tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maybe_tags: Option<Vec<String>>,
    /// The key `labels`.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, Option<String>>,
    /// The key `free`.
    #[serde(default)]
    pub(crate) free: BTreeMap<String, serde_json::Value>,
    /// The key `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<crate::Address>,
    /// The key `inner`.
    #[serde(default)]
    pub(crate) inner: Inner,
    /// The key `self`.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<Inner>,
    /// The key `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) any: Option<serde_json::Value>,
    /// The key `id_or_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_or_name: Option<ThingIdOrName>,
    /// The key `within`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Box<Thing>>,
    /// The key `parts`.
    #[serde(default)]
    pub(crate) parts: Vec<Thing>,
}

/// The schema `ThingIdOrName`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ThingIdOrName {
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
}

/// The schema `Inner`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inner {
    /// The key `depth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) depth: Option<i64>,
}

/// The schema `Note`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// The key `text`.
    pub text: String,
    /// Keys that the description does not name.
    #[serde(flatten)]
    pub rest: BTreeMap<String, String>,
}

/// Unset values are sent as null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NewThing {
    /// The key `name`.
    pub(crate) name: String,
    /// The key `colour`.
    pub(crate) colour: Option<NewThingColour>,
    /// The key `weight`.
    pub(crate) weight: Option<f64>,
    /// The key `token_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_name: Option<String>,
    /// The key `tags`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

/// The schema `NewThingColour`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum NewThingColour {
    /// `red`.
    Red,
    /// `blue`.
    Blue,
    /// A word that this version does not know, written back as it was read.
    Unknown(String),
}

impl NewThingColour {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
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
pub(crate) struct Grant {
    /// The key `id`.
    pub(crate) id: i64,
    /// The key `grant_type`.
    pub(crate) grant_type: String,
    /// The key `client_secret`.
    pub(crate) client_secret: Secret,
    /// The key `code`.
    pub(crate) code: Option<Secret>,
    /// The key `scope`.
    #[serde(default)]
    pub(crate) scope: Vec<String>,
    /// The key `sizes`.
    pub(crate) sizes: Option<Vec<Size>>,
    /// Newer servers know more.
    #[serde(default = "default_grant_colour")]
    pub(crate) colour: Colour,
    /// The key `size`.
    pub(crate) size: Option<Size>,
    /// The key `state`.
    pub(crate) state: Option<String>,
    /// The key `age`.
    pub(crate) age: Option<i64>,
    /// The key `owner`.
    #[serde(default)]
    pub(crate) owner: u64,
    /// The key `hidden`.
    #[serde(default)]
    pub(crate) hidden: bool,
}

/// The schema `Code`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Code {
    /// The key `code`.
    pub(crate) code: Secret,
    /// The key `numbers`.
    #[serde(default)]
    pub(crate) numbers: Vec<i64>,
}

/// The schema `Refresh`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Refresh {
    /// The key `refresh_token`.
    pub(crate) refresh_token: Secret,
}

/// The schema `Login`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// The key `user`.
    pub(crate) user: String,
    /// The key `password`.
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub(crate) password: Secret,
    /// The key `code`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub(crate) code: Option<Secret>,
}

/// The schema `KeySession`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct KeySession {
    /// The key `key`.
    pub(crate) key: Secret,
    /// The key `lifetime`.
    #[serde(rename = "lifetime")]
    pub(crate) lives_for: Option<KeySessionLivesFor>,
}

/// The schema `KeySessionLivesFor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum KeySessionLivesFor {
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

#[cfg(feature = "mock")]
impl HealthStatus {
    /// Returns the word on the wire.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
        }
    }
}

/// Reads a value that may be null but must be there.
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
