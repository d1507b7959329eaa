//! A token with what is known about it.

use std::time::SystemTime;

use crate::Secret;

/// A credential as a source hands it out.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    expires_at: Option<SystemTime>,
    generation: u64,
}

impl Token {
    /// Makes a token that is not known to expire, of generation 0.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            expires_at: None,
            generation: 0,
        }
    }

    /// Sets when it expires.
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sets its generation: a source gives each new token a new one, so that a refusal of an
    /// old token does not throw away the one that replaced it.
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

    /// Returns when it expires, if that is known.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Returns its generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}
