//! The default state of the emulator: a directory with three users, quotas, and a token of each
//! kind.

use serde_json::Value;

use super::seed::Seed;
use crate::Token;

impl Seed {
    /// Returns the state that [`Server::new`](super::Server::new) starts with. Tokens are random
    /// for each call.
    ///
    /// # Panics
    ///
    /// Never: the document is part of this crate.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests read the document")]
    pub fn sample() -> Self {
        let text = Self::sample_document().to_string();
        Self::parse(&text, "sample").expect("the sample is a world")
    }

    /// Returns the document of the [`sample`](Self::sample), as a template for your own.
    /// [`parse`](Self::parse) reads it, its configuration is named `sample`, and its tokens are
    /// random for each call.
    ///
    /// # Panics
    ///
    /// Never: the document is part of this crate.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests read the document")]
    pub fn sample_document() -> Value {
        let mut document: Value = serde_json::from_str(SAMPLE).expect("the sample is JSON");
        for record in document["tokens"].as_array_mut().into_iter().flatten() {
            record["token"] = Token::random().secret().expose().into();
        }
        document
    }
}

const SAMPLE: &str = include_str!("sample.json");

/// The names of the sample's tokens that handles return.
pub(super) const ADMIN: &str = "admin";
pub(super) const SERVICE: &str = "service";
pub(super) const USER: &str = "alice";
