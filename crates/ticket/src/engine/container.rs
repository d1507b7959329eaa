//! The authority's public keys as it publishes them, and the keys that one context uses.

use std::fmt;

use vouchsafe_core::text::str_without_mark;

use crate::engine::base64url;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::KeyId;
use crate::engine::rw::PublicKey;
use crate::engine::wire::{Malformed, Reader, Value, Writer};
use crate::error::{Error, ErrorKind};

/// The public keys of the authority, for service tickets and for user tickets of each
/// environment.
///
/// Parsing reads the container. Each context then parses the keys that it uses, so that a malformed
/// key only affects the contexts that need it.
///
/// ```
/// use vouchsafe_ticket::{ErrorKind, KeyContainer};
///
/// let error = KeyContainer::parse("not keys").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::MalformedKeys);
/// ```
#[derive(Clone)]
pub struct KeyContainer {
    keys: Vec<ContainedKey>,
}

#[derive(Clone)]
struct ContainedKey {
    id: KeyId,
    /// `None` for service tickets.
    env: Option<BlackboxEnv>,
    der: Box<[u8]>,
}

impl KeyContainer {
    /// Parses the text form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedKeys`] if the text is not a key container.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let malformed = || Error::new(ErrorKind::MalformedKeys, MALFORMED);
        if text.len() > LONGEST {
            return Err(malformed());
        }
        let body = str_without_mark(text)
            .trim_end_matches('\n')
            .strip_prefix("1:")
            .ok_or_else(malformed)?;
        let message = base64url::decode(body.as_bytes()).ok_or_else(malformed)?;
        let keys = decode(&message).map_err(|Malformed| malformed())?;
        Ok(Self { keys })
    }

    /// Creates a builder for a new container, for emulators and tests.
    pub fn builder() -> KeyContainerBuilder {
        KeyContainerBuilder::default()
    }

    /// Returns the ids of the keys and the environment of each, in the container's order; `None`
    /// for service tickets.
    pub fn key_ids(&self) -> impl Iterator<Item = (KeyId, Option<BlackboxEnv>)> {
        self.keys.iter().map(|key| (key.id, key.env))
    }

    pub(crate) fn service_keys(&self) -> Result<KeyRing, Error> {
        KeyRing::new(self.keys.iter().filter(|key| key.env.is_none()))
    }

    pub(crate) fn user_keys(&self, context: BlackboxEnv) -> Result<KeyRing, Error> {
        KeyRing::new(
            self.keys
                .iter()
                .filter(|key| key.env.is_some_and(|env| context.accepts(env))),
        )
    }
}

impl fmt::Debug for KeyContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| (key.id, key.env)))
            .finish()
    }
}

/// Builds a key container.
#[derive(Debug, Default)]
#[must_use]
pub struct KeyContainerBuilder {
    keys: Writer,
}

impl KeyContainerBuilder {
    /// Adds a key for service tickets.
    pub fn service_key(self, id: KeyId, key: &PublicKey) -> Self {
        self.key(None, id, &key.to_der())
    }

    /// Adds a key for user tickets of an environment.
    pub fn user_key(self, env: BlackboxEnv, id: KeyId, key: &PublicKey) -> Self {
        self.key(Some(env), id, &key.to_der())
    }

    /// Adds all keys of another container, without parsing them.
    pub fn keys_of(self, container: &KeyContainer) -> Self {
        let keys = container.keys.iter();
        keys.fold(self, |builder, key| builder.key(key.env, key.id, &key.der))
    }

    fn key(mut self, env: Option<BlackboxEnv>, id: KeyId, der: &[u8]) -> Self {
        let general = Writer::default()
            .varint(1, id.get().into())
            .varint(2, 0)
            .bytes(3, der)
            .finish();
        let mut key = Writer::default();
        key.bytes(GEN, &general);
        let field = match env {
            Some(env) => {
                key.varint(ENV, env.number().into());
                USER_KEY
            }
            None => SERVICE_KEY,
        };
        self.keys.bytes(field, &key.finish());
        self
    }

    /// Returns the text form, as the authority would publish it.
    #[must_use]
    pub fn to_text(mut self) -> String {
        format!("1:{}", base64url::encode(&self.keys.finish()))
    }
}

/// The keys that one context uses.
pub(crate) struct KeyRing {
    /// By id; contexts have a few keys.
    keys: Vec<(KeyId, PublicKey)>,
}

impl KeyRing {
    /// Of keys with the same id only the first counts; the others are not even parsed.
    fn new<'a>(contained: impl Iterator<Item = &'a ContainedKey>) -> Result<Self, Error> {
        let mut keys: Vec<(KeyId, PublicKey)> = Vec::new();
        for ContainedKey { id, der, .. } in contained {
            if let Err(place) = keys.binary_search_by_key(id, |(id, _)| *id) {
                let key = PublicKey::from_der(der).map_err(|_| {
                    let message = format!("{MALFORMED}: key {id} cannot be read");
                    Error::new(ErrorKind::MalformedKeys, message)
                })?;
                keys.insert(place, (*id, key));
            }
        }
        Ok(Self { keys })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&PublicKey> {
        let place = self.keys.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.keys.get(place).map(|(_, key)| key)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|(id, _)| *id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

fn decode(message: &[u8]) -> Result<Vec<ContainedKey>, Malformed> {
    let mut keys = Vec::new();
    let mut fields = Reader::new(message);
    while let Some(field) = fields.next_field()? {
        match field {
            (USER_KEY, Value::Bytes(key)) => keys.push(decode_key(key, true)?),
            (SERVICE_KEY, Value::Bytes(key)) => keys.push(decode_key(key, false)?),
            _ => {}
        }
    }
    Ok(keys)
}

fn decode_key(message: &[u8], of_users: bool) -> Result<ContainedKey, Malformed> {
    let mut general = General::default();
    let mut env = None;
    let mut fields = Reader::new(message);
    while let Some(field) = fields.next_field()? {
        match field {
            (GEN, Value::Bytes(part)) => general.merge(part)?,
            (ENV, Value::Varint(number)) if of_users => {
                env = BlackboxEnv::from_number(number as u32).or(env);
            }
            _ => {}
        }
    }
    match general {
        General {
            id: Some(id),
            is_rabin_williams: true,
            body: Some(der),
        } if env.is_some() == of_users => Ok(ContainedKey {
            id,
            env,
            der: der.into(),
        }),
        _ => Err(Malformed),
    }
}

#[derive(Default)]
struct General<'b> {
    id: Option<KeyId>,
    is_rabin_williams: bool,
    body: Option<&'b [u8]>,
}

impl<'b> General<'b> {
    fn merge(&mut self, message: &'b [u8]) -> Result<(), Malformed> {
        let mut fields = Reader::new(message);
        while let Some(field) = fields.next_field()? {
            match field {
                (1, Value::Varint(id)) => self.id = Some(KeyId::new(id as u32)),
                // Another type is an unknown enum value, which is treated like a missing field.
                (2, Value::Varint(kind)) => self.is_rabin_williams |= kind as u32 == 0,
                (3, Value::Bytes(body)) => self.body = Some(body),
                _ => {}
            }
        }
        Ok(())
    }
}

const USER_KEY: u32 = 1;
const SERVICE_KEY: u32 = 2;
const GEN: u32 = 1;
const ENV: u32 = 2;

const MALFORMED: &str = "Malformed TVM keys";

/// Far above what twelve keys need (3 kB).
const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests;
