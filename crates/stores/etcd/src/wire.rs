//! Requests and answers of etcd, in the JSON form of its API. Numbers of 64 bits are texts, and
//! values that are zero, false or empty are left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use vouchsafe_core::Secret;
use vouchsafe_core::store::Base64;

/// Bytes that are not secret: the name of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name(pub(crate) Vec<u8>);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| de::Error::custom("not base64"))?;
        Ok(Self(bytes))
    }
}

/// A number of 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) i64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map(Self)
            .map_err(|_| de::Error::custom("not a number"))
    }
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Range {
    pub(crate) key: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) range_end: Option<Name>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) keys_only: bool,
}

impl Range {
    pub(crate) fn one(key: &[u8]) -> Self {
        Self {
            key: Name(key.to_owned()),
            ..Self::default()
        }
    }

    /// All names that begin with `prefix`, which ends with a byte other than 255.
    pub(crate) fn all(prefix: &[u8]) -> Self {
        let mut end = prefix.to_owned();
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        Self {
            key: Name(prefix.to_owned()),
            range_end: Some(Name(end)),
            keys_only: false,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Put {
    pub(crate) key: Name,
    pub(crate) value: Base64,
    /// Zero for none.
    pub(crate) lease: Number,
}

#[derive(Debug, Serialize)]
pub(crate) enum Request {
    #[serde(rename = "request_range")]
    Range(Range),
    #[serde(rename = "request_put")]
    Put(Put),
    #[serde(rename = "request_delete_range")]
    DeleteRange(Range),
}

/// A condition for a transaction to be applied.
#[derive(Debug, Serialize)]
pub(crate) struct Compare {
    key: Name,
    result: &'static str,
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mod_revision: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_revision: Option<Number>,
}

impl Compare {
    pub(crate) fn is_of_revision(key: &[u8], revision: i64) -> Self {
        Self {
            key: Name(key.to_owned()),
            result: "EQUAL",
            target: "MOD",
            mod_revision: Some(Number(revision)),
            create_revision: None,
        }
    }

    pub(crate) fn is_absent(key: &[u8]) -> Self {
        Self::was_created_at(key, 0)
    }

    /// Whatever was written since.
    pub(crate) fn was_created_at(key: &[u8], revision: i64) -> Self {
        Self {
            key: Name(key.to_owned()),
            result: "EQUAL",
            target: "CREATE",
            mod_revision: None,
            create_revision: Some(Number(revision)),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Txn {
    pub(crate) compare: Vec<Compare>,
    pub(crate) success: Vec<Request>,
    pub(crate) failure: Vec<Request>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    pub(crate) revision: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pair {
    pub(crate) key: Name,
    pub(crate) value: Base64,
    pub(crate) create_revision: Number,
    pub(crate) mod_revision: Number,
    pub(crate) lease: Number,
}

impl Pair {
    /// Returns whether it has this value.
    pub(crate) fn is(&self, value: &[u8]) -> bool {
        *self.value.clone().into_bytes().expose() == *value
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    pub(crate) kvs: Vec<Pair>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deleted {
    pub(crate) deleted: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Response {
    pub(crate) response_range: Found,
    pub(crate) response_delete_range: Deleted,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    pub(crate) header: Header,
    pub(crate) succeeded: bool,
    pub(crate) responses: Vec<Response>,
}

impl Done {
    pub(crate) fn found(self) -> Option<Pair> {
        self.all_found().next()?
    }

    /// Returns what each request found.
    pub(crate) fn all_found(self) -> impl Iterator<Item = Option<Pair>> {
        let responses = self.responses.into_iter();
        responses.map(|response| response.response_range.kvs.into_iter().next())
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Grant {
    #[serde(rename = "TTL")]
    pub(crate) seconds: Number,
}

#[derive(Debug, Serialize)]
pub(crate) struct Granted {
    #[serde(rename = "ID")]
    pub(crate) id: Number,
}

/// The answer both to a grant and to a query of the remaining time, which is -1 if the lease has
/// ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lasting {
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    #[serde(rename = "TTL")]
    pub(crate) seconds: Number,
}

#[derive(Debug, Serialize)]
pub(crate) struct Watching {
    pub(crate) create_request: Range,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Watched {
    pub(crate) result: Option<Events>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Events {
    pub(crate) created: bool,
    pub(crate) canceled: bool,
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) kv: Changed,
}

/// A pair without its value, which is not needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changed {
    pub(crate) key: Name,
}

#[derive(Debug, Serialize)]
pub(crate) struct Authenticate<'a> {
    pub(crate) name: &'a str,
    #[serde(serialize_with = "vouchsafe_core::__private::expose")]
    pub(crate) password: &'a Secret,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Authenticated {
    pub(crate) token: Secret,
}
