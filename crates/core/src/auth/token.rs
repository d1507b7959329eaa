//! A token and what is known about it.

use std::time::SystemTime;

use crate::Secret;

/// A credential as returned by a source.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    expires_at: Option<SystemTime>,
    generation: u64,
}

impl Token {
    /// Creates a token of generation 0 without a known expiry.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            expires_at: None,
            generation: 0,
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
}
