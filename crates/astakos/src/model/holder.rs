//! Holders and sources of quantities.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A holder of quantities: a user or a project. Projects are sources of quantities too.
///
/// On the wire it is a text such as `user:UUID` or `project:ID`; servers up to 0.15 have bare
/// uuids and one source, the word `system` (protocol section 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// A user, by uuid.
    User(String),
    /// A project, by id. A user's system project has the user's uuid as id.
    Project(String),
    /// A holder without prefix, on servers up to 0.15: a uuid, or `system`.
    Bare(String),
}

impl Holder {
    /// Creates the holder for a user.
    pub fn user(uuid: impl Into<String>) -> Self {
        Self::User(uuid.into())
    }

    /// Creates the holder for a project.
    pub fn project(id: impl Into<String>) -> Self {
        Self::Project(id.into())
    }

    /// Returns the id without prefix.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Project(id) | Self::Bare(id) => id,
        }
    }

    fn prefix(&self) -> &'static str {
        match self {
            Self::User(_) => "user:",
            Self::Project(_) => "project:",
            Self::Bare(_) => "",
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())?;
        f.write_str(self.id())
    }
}

impl From<&str> for Holder {
    fn from(text: &str) -> Self {
        match (text.strip_prefix("user:"), text.strip_prefix("project:")) {
            (Some(uuid), _) => Self::User(uuid.to_owned()),
            (_, Some(id)) => Self::Project(id.to_owned()),
            _ => Self::Bare(text.to_owned()),
        }
    }
}

impl FromStr for Holder {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl Serialize for Holder {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Holder {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_on_the_wire_is_kept() {
        for (text, holder) in [
            ("user:u1", Holder::user("u1")),
            ("project:p1", Holder::project("p1")),
            ("system", Holder::Bare("system".to_owned())),
            ("group:g", Holder::Bare("group:g".to_owned())),
            ("", Holder::Bare(String::new())),
        ] {
            assert_eq!(Holder::from(text), holder);
            assert_eq!(holder.to_string(), text);
        }
    }
}
