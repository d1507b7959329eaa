//! A token and what is known about it.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, Secret};

/// A credential as returned by a source.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    expires_at: Option<SystemTime>,
    generation: u64,
    header: Arc<OnceLock<(&'static str, HeaderValue)>>,
}

impl Token {
    /// Creates a token of generation 0 without a known expiry.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            expires_at: None,
            generation: 0,
            header: Arc::default(),
        }
    }

    /// Sets when the token expires.
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sets the generation. A source gives each new token a new generation, so that the refusal of
    /// an old token does not discard its replacement.
    #[must_use]
    pub fn of_generation(mut self, generation: u64) -> Self {
        self.generation = generation;
        self
    }

    /// Returns the token's text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Returns when the token expires, if that is known.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Returns the generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the value of the header that presents the token, kept from the first time on. Its
    /// memory is zeroed with the last copy.
    pub(super) fn header(&self, scheme: &'static str) -> Result<HeaderValue> {
        if let Some((kept, value)) = self.header.get()
            && *kept == scheme
        {
            return Ok(value.clone());
        }
        let value = self.form_header(scheme)?;
        // If another scheme was first, its value stays: a token rarely has two.
        let _ = self.header.set((scheme, value.clone()));
        Ok(value)
    }

    fn form_header(&self, scheme: &str) -> Result<HeaderValue> {
        let secret = self.secret.expose();
        let is_plain = !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_graphic());
        let text = Zeroizing::new([scheme, secret].concat());
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(text));
        let mut value = value.ok().filter(|_| is_plain).ok_or_else(|| {
            Error::new(
                ErrorKind::Credential,
                "the token is empty or has characters that a header cannot have",
            )
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
