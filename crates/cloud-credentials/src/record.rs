//! The record of one profile in a store: one document with all values.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use vouchsafe_core::text::hex;
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret, SecretBytes};

use crate::Result;
use crate::error::Corrupt;
use crate::jwt::{Claims, since_1970};

/// The credentials of one profile, as stores hold them: a JSON object.
///
/// Unknown members are kept when a record is written again.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The id of the client.
    pub client_id: Option<String>,
    /// The secret of the client.
    pub client_secret: Option<Secret>,
    /// The refresh token to use next.
    pub refresh_token: Option<Secret>,
    /// The newest access token.
    pub access_token: Option<Secret>,
    /// When the access token expires, in whole seconds, if the token does not state it.
    pub expires_at: Option<SystemTime>,
    /// The mark of the refresh token that a program was given outside of this record, such as in the
    /// environment: the current one is that, or descends from it.
    pub lineage: Option<String>,
    /// The digest of a refresh token that was refused.
    pub dead: Option<String>,
    /// Other members.
    pub extra: Map<String, Value>,
    /// Whether to leave out a missing access token rather than write it as null, as a client does
    /// that does not cache access tokens.
    pub(crate) is_token_left_out: bool,
}

impl Record {
    /// Reads a record from a store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) if it is not a JSON object, or a
    /// known member has another type.
    pub fn read(value: &SecretBytes) -> Result<Self> {
        let wire: Wire = serde_json::from_slice(value.expose()).map_err(|_| {
            let what = "the record in the store cannot be read; correct or remove it";
            let cause = Corrupt {
                what: "it is not a JSON object of credentials",
                is_repairable: false,
            };
            Core::new(Kind::Store, what).with_source(cause)
        })?;
        let is_there = |secret: &Secret| !secret.is_empty();
        Ok(Self {
            client_id: wire.client_id.filter(|id| !id.is_empty()),
            client_secret: wire.client_secret.filter(is_there),
            refresh_token: wire.refresh_token.filter(is_there),
            is_token_left_out: wire.access_token.is_none(),
            access_token: wire.access_token.flatten().filter(is_there),
            expires_at: wire.expires_at.map(since_1970),
            lineage: wire.lineage,
            dead: wire.dead,
            extra: wire.extra,
        })
    }

    /// Writes the record for a store.
    ///
    /// # Errors
    ///
    /// Of kind `Store` if another member has the name of a known one.
    pub fn write(&self) -> Result<SecretBytes> {
        let access_token = match (&self.access_token, self.is_token_left_out) {
            (None, true) => None,
            (token, _) => Some(Shown(token.as_ref())),
        };
        let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let shown = ShownRecord {
            access_token,
            client_id: self.client_id.as_deref(),
            client_secret: Shown(self.client_secret.as_ref()),
            refresh_token: Shown(self.refresh_token.as_ref()),
            expires_at: self.expires_at.map(seconds),
            lineage: self.lineage.as_deref(),
            dead: self.dead.as_deref(),
            extra: &self.extra,
        };
        if let Some(name) = self
            .extra
            .keys()
            .find(|name| KNOWN.contains(&name.as_str()))
        {
            let what = format!("a record cannot have another member {name:?}");
            return Err(Core::new(Kind::Store, what).into());
        }
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let secrets = [&self.access_token, &self.client_secret, &self.refresh_token];
        let lengths = secrets
            .into_iter()
            .flatten()
            .map(Secret::len)
            .sum::<usize>();
        let mut bytes = Vec::with_capacity(2 * lengths + 1024);
        serde_json::to_writer(&mut bytes, &shown).map_err(|cause| {
            Core::new(Kind::Store, "the record cannot be written as JSON").with_source(cause)
        })?;
        Ok(SecretBytes::from(bytes))
    }

    /// Returns the refresh token that the current one descends from, which is the first one that a
    /// client with this id was given.
    #[must_use]
    pub fn descent(&self) -> Option<String> {
        self.lineage.clone().or_else(|| self.first())
    }

    /// Returns whether the refresh token is the first of its lineage, as far as the record says.
    pub(crate) fn is_first(&self) -> bool {
        self.lineage.is_none() || self.lineage == self.first()
    }

    /// Returns the lineage that begins with the refresh token.
    pub(crate) fn first(&self) -> Option<String> {
        let (id, token) = (self.client_id.as_deref()?, self.refresh_token.as_ref()?);
        Some(lineage(id, token))
    }

    /// Returns whether the refresh token is known to be refused.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let digest = self.refresh_token.as_ref().map(digest);
        digest.is_some() && digest == self.dead
    }

    /// Returns whether both have the refresh token of one login, or are equal.
    pub(crate) fn is_same_login(&self, other: &Self) -> bool {
        let login = |record: &Self| (record.client_id.clone(), record.refresh_token.clone());
        self == other || (self.refresh_token.is_some() && login(self) == login(other))
    }

    /// Returns when the access token expires, if the token or the record states it.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        let token = self.access_token.as_ref()?;
        let claimed = Claims::of(token).and_then(|claims| claims.expiry());
        claimed.ok().or(self.expires_at)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("refresh_token", &self.refresh_token)
            .field("access_token", &self.access_token)
            .field("expires_at", &self.expires_at)
            .field("lineage", &self.lineage)
            .field("dead", &self.dead)
            .finish_non_exhaustive()
    }
}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let text = |secret: &Option<Secret>| secret.as_ref().map(digest);
        self.client_id.hash(state);
        text(&self.client_secret).hash(state);
        text(&self.refresh_token).hash(state);
        text(&self.access_token).hash(state);
        self.expires_at.hash(state);
        self.lineage.hash(state);
        self.dead.hash(state);
    }
}

/// Returns the common name of all tokens that descend from this one (protocol section 12.4).
pub(crate) fn lineage(client_id: &str, refresh_token: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(client_id);
    hash.update([0]);
    hash.update(refresh_token.expose());
    hex(&hash.finalize()[..16])
}

/// Returns the digest that a record keeps of a token that it must not hold.
pub(crate) fn digest(token: &Secret) -> String {
    hex(&Sha256::digest(token.expose())[..8])
}

#[derive(Deserialize)]
struct Wire {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    #[serde(default, deserialize_with = "present")]
    access_token: Option<Option<Secret>>,
    expires_at: Option<u64>,
    lineage: Option<String>,
    dead: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// Distinguishes null from absent.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Secret>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Serialize)]
struct ShownRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<Shown<'a>>,
    client_id: Option<&'a str>,
    client_secret: Shown<'a>,
    refresh_token: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<&'a str>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

/// A secret that is written into a store.
struct Shown<'a>(Option<&'a Secret>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(secret) => to.serialize_str(secret.expose()),
            None => to.serialize_none(),
        }
    }
}

const KNOWN: &[&str] = &[
    "access_token",
    "client_id",
    "client_secret",
    "refresh_token",
    "expires_at",
    "lineage",
    "dead",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn bytes(value: &Value) -> SecretBytes {
        SecretBytes::from(value.to_string().into_bytes())
    }

    fn written(record: &Record) -> Value {
        serde_json::from_slice(record.write().unwrap().expose()).unwrap()
    }

    #[test]
    fn a_record_is_written_as_it_was_read_with_members_of_others() {
        for value in [
            json!({
                "access_token": "a", "client_id": "c", "client_secret": "s", "refresh_token": "r",
                "expires_at": 1_700_000_000, "lineage": "l", "dead": "d", "note": {"x": [1]},
            }),
            json!({
                "access_token": null, "client_id": null, "client_secret": null,
                "refresh_token": null,
            }),
            json!({"client_id": "c", "client_secret": null, "refresh_token": "r"}),
        ] {
            let record = Record::read(&bytes(&value)).unwrap();
            assert_eq!(written(&record), value);
        }
    }

    #[test]
    fn an_invalid_record_is_corrupt_and_not_quoted() {
        for bad in [
            json!(["planted"]),
            json!({"client_id": ["planted"]}),
            json!("planted"),
        ] {
            let error = Record::read(&bytes(&bad)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreCorrupt);
            assert!(!format!("{error} {error:?}").contains("planted"));
        }
        let error = Record::read(&SecretBytes::from(b"{".to_vec())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreCorrupt);
    }

    #[test]
    fn an_expiry_beyond_all_clocks_is_the_end_of_the_year_9999() {
        for (stored, read) in [(u64::MAX, 253_402_300_799), (7, 7)] {
            let record = Record::read(&bytes(&json!({"expires_at": stored}))).unwrap();
            let at = UNIX_EPOCH + Duration::from_secs(read);
            assert_eq!(record.expires_at, Some(at));
        }
    }

    #[test]
    fn a_member_of_others_cannot_pass_for_a_known_one() {
        let mut record = Record::default();
        record.extra.insert("dead".to_owned(), json!("x"));
        assert!(record.write().is_err());
    }

    #[test]
    fn a_token_descends_from_the_first_one_that_was_given() {
        let mut record = Record {
            client_id: Some("c".to_owned()),
            refresh_token: Some(Secret::from("first")),
            ..Record::default()
        };
        let descent = record.descent().unwrap();
        assert_eq!(descent, lineage("c", &Secret::from("first")));
        assert_eq!(descent.len(), 32);
        assert!(record.is_first());
        record.lineage = Some(descent.clone());
        assert!(record.is_first());
        record.refresh_token = Some(Secret::from("second"));
        assert!(!record.is_first());
        assert_eq!(record.descent(), Some(descent.clone()));
        record.lineage = None;
        assert_ne!(record.descent().unwrap(), descent);
        record.lineage = None;
        record.refresh_token = None;
        assert_eq!(record.descent(), None);
    }

    #[test]
    fn only_the_token_that_was_refused_is_dead() {
        let mut record = Record {
            refresh_token: Some(Secret::from("refused")),
            ..Record::default()
        };
        assert!(!record.is_dead());
        record.dead = Some(digest(&Secret::from("refused")));
        assert!(record.is_dead());
        record.refresh_token = Some(Secret::from("new"));
        assert!(!record.is_dead());
        record.refresh_token = None;
        record.dead = None;
        assert!(!record.is_dead());
    }

    #[test]
    fn no_secret_is_shown() {
        let value = json!({
            "access_token": "planted", "client_id": "c", "client_secret": "planted",
            "refresh_token": "planted", "note": "planted",
        });
        let record = Record::read(&bytes(&value)).unwrap();
        assert!(!format!("{record:?}").contains("planted"));
    }
}
