//! Ids of projects.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of a project: a uuid as text, or a number on servers of 0.15 (protocol section 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(Repr);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Number(i64),
    Text(String),
}

impl ProjectId {
    /// Returns the text, unless the id is a number.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Number(_) => None,
        }
    }

    /// Returns the id as a number, also if it is a number as text, for servers of 0.15.
    pub(crate) fn as_number(&self) -> Option<i64> {
        match &self.0 {
            Repr::Number(number) => Some(*number),
            Repr::Text(text) => text.parse().ok(),
        }
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => f.pad(text),
            Repr::Number(number) => number.fmt(f),
        }
    }
}

impl From<&str> for ProjectId {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.to_owned()))
    }
}

impl From<String> for ProjectId {
    fn from(text: String) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<&Self> for ProjectId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl From<i64> for ProjectId {
    fn from(number: i64) -> Self {
        Self(Repr::Number(number))
    }
}

impl Serialize for ProjectId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Text(text) => to.serialize_str(text),
            Repr::Number(number) => to.serialize_i64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for ProjectId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ProjectId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a project")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ProjectId, E> {
                Ok(ProjectId::from(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ProjectId, E> {
                i64::try_from(number)
                    .map(ProjectId::from)
                    .map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ProjectId, E> {
                Ok(ProjectId::from(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<ProjectId, E> {
                Ok(ProjectId::from(text))
            }
        }

        from.deserialize_any(Visitor)
    }
}
