//! The body of a refusal.

use std::fmt;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// The contents of a refusal: one object with one key, the name (protocol section 5.1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The name, such as `badRequest` or `overLimit`.
    pub name: String,
    /// The status, as repeated in the body.
    pub code: Option<u16>,
    /// The message for people.
    pub message: String,
    /// More details for people; usually empty.
    pub details: Option<String>,
    /// Data for programs: for refused commissions, the reason.
    pub data: Option<Value>,
}

impl Fault {
    /// Creates a fault with a name, a status and a message.
    pub fn new(name: impl Into<String>, code: u16, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            code: Some(code),
            message: message.into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.name),
            message => write!(f, "{message} ({})", self.name),
        }
    }
}

/// The object under the name. Servers leave out some fields, and some of their texts are null.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let content = Content {
            code: self.code,
            message: Some(self.message.clone()),
            details: self.details.clone().map(Value::from),
            data: self.data.clone(),
        };
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(&self.name, &content)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fault;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one key, the name of the fault")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Fault, A::Error> {
                let Some(name) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("a fault without a name"));
                };
                let content: Content = map.next_value()?;
                if map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("a fault with two names"));
                }
                let details = match content.details {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => Some(text),
                    Some(other) => Some(other.to_string()),
                };
                Ok(Fault {
                    name,
                    code: content.code,
                    message: content.message.unwrap_or_default(),
                    details,
                    data: content.data,
                })
            }
        }

        from.deserialize_map(Visitor)
    }
}
