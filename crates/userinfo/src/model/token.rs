//! Gafaelfawr's opaque tokens and how they are shown. `service_token.rs` has the sources of a
//! service's own token.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use vouchsafe_core::auth::{StaticToken, Token as CoreToken, TokenSource};
use vouchsafe_core::cache::Digest;
use vouchsafe_core::{BoxFuture, Secret};

use crate::generated::gafaelfawr::wire;

/// A token of the form `gt-KEY.SECRET`, with 22 characters each in key and secret (protocol section
/// 2.1).
///
/// The key alone is not secret: it appears in logs and in [`TokenInfo`](crate::TokenInfo). `Debug`
/// shows only the key. Cheap to clone; equality takes constant time.
///
/// ```
/// use vouchsafe_userinfo::Token;
///
/// let token: Token = "gt-0123456789012345678901.abcdefghijklmnopqrstuv".parse()?;
/// assert_eq!(token.key(), "0123456789012345678901");
/// assert_eq!(format!("{token:?}"), "Token(gt-0123456789012345678901.…)");
/// # Ok::<(), vouchsafe_userinfo::TokenError>(())
/// ```
#[derive(Clone)]
pub struct Token(Arc<Inner>);

struct Inner {
    token: StaticToken,
    secret: Secret,
    /// The cache key; computed once, since a hit must be cheap.
    digest: Digest,
}

impl Token {
    /// Parses a token as the server does: it checks the prefix, the first dot and the two lengths,
    /// but not the alphabet.
    ///
    /// # Errors
    ///
    /// If the text does not have that form, or contains characters that are not valid in a header.
    /// The error does not include the token.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Self::check(text)?;
        Ok(Self::well_formed(Secret::from(text)))
    }

    pub(crate) fn check(text: &str) -> Result<(), TokenError> {
        parts(text)?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(())
    }

    /// Creates a random token that no server knows: a bootstrap token for a server's configuration,
    /// or one for tests.
    ///
    /// # Panics
    ///
    /// If the operating system's random number generator fails.
    #[doc(alias = "create_token")]
    #[must_use]
    pub fn random() -> Self {
        let part = || {
            let mut bytes = zeroize::Zeroizing::new([0; 16]);
            #[expect(clippy::expect_used, reason = "a guessable token would be worse")]
            getrandom::getrandom(&mut *bytes).expect("the operating system gives random bytes");
            zeroize::Zeroizing::new(base64::Engine::encode(
                &base64::engine::general_purpose::URL_SAFE_NO_PAD,
                *bytes,
            ))
        };
        let mut text = String::with_capacity(TOKEN_CHARS);
        text.push_str(PREFIX);
        text.push_str(&part());
        text.push('.');
        text.push_str(&part());
        Self::well_formed(Secret::from(text))
    }

    fn well_formed(secret: Secret) -> Self {
        let digest = Digest::of(secret.expose());
        Self(Arc::new(Inner {
            token: StaticToken::new(secret.clone()),
            secret,
            digest,
        }))
    }

    /// Returns the public part, 22 characters.
    #[must_use]
    pub fn key(&self) -> &str {
        let text = self.secret().expose();
        &text[PREFIX.len()..PREFIX.len() + PART_CHARS]
    }

    /// Returns the whole text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.0.digest
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::parse(text)
    }
}

/// Parses the text of a token, such as one in a configuration. The error does not include it.
impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(from)?;
        Self::parse(text.expose()).map_err(D::Error::custom)
    }
}

impl TryFrom<wire::NewToken> for Token {
    type Error = String;

    fn try_from(new: wire::NewToken) -> Result<Self, String> {
        Self::parse(new.token.expose())
            .map_err(|fault| format!("the answer holds no well-formed token: {fault}"))
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.secret() == other.secret()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(gt-{}.…)", self.key())
    }
}

impl TokenSource for Token {
    fn token(&self) -> BoxFuture<'_, vouchsafe_core::Result<CoreToken>> {
        self.0.token.token()
    }
}

/// Why a text is not a token. Where the server has a message, it is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The text does not begin with `gt-` in lower case.
    #[error("Token does not start with gt-")]
    Prefix,
    /// The dot is missing, or a part does not have 22 characters.
    #[error("Token is malformed")]
    Malformed,
    /// It contains characters that are not valid in a header. No server has issued such a token.
    #[error("Token holds characters that are not printable ASCII")]
    Characters,
}

/// Splits a token into key and secret as the server does, without checking the alphabet.
pub(crate) fn parts(text: &str) -> Result<(&str, &str), TokenError> {
    let rest = text.strip_prefix(PREFIX).ok_or(TokenError::Prefix)?;
    let (key, secret) = rest.split_once('.').ok_or(TokenError::Malformed)?;
    let is_part = |part: &str| part.chars().count() == PART_CHARS;
    if is_part(key) && is_part(secret) {
        Ok((key, secret))
    } else {
        Err(TokenError::Malformed)
    }
}

const PREFIX: &str = "gt-";
const PART_CHARS: usize = 22;
const TOKEN_CHARS: usize = PREFIX.len() + 2 * PART_CHARS + 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "gt-AAAAAAAAAAAAAAAAAAAAAA.planted-secret-bbbbbbb";

    #[test]
    fn a_token_is_read_as_the_server_reads_it() {
        for (text, expected) in [
            ("", TokenError::Prefix),
            (
                "GT-AAAAAAAAAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbbb",
                TokenError::Prefix,
            ),
            ("gt-", TokenError::Malformed),
            (
                "gt-AAAAAAAAAAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbb",
                TokenError::Malformed,
            ),
            (
                "gt-AAAAAAAAAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbbb\n",
                TokenError::Malformed,
            ),
            (
                "gt-AAAAAAAAAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbb\n",
                TokenError::Characters,
            ),
            (
                "gt-AAAAAAAAAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbbé",
                TokenError::Characters,
            ),
        ] {
            assert_eq!(Token::parse(text).unwrap_err(), expected, "{text:?}");
        }
        // The secret may contain dots, and neither part is checked further.
        for text in [GOOD, "gt-!!!!!!!!!!!!!!!!!!!!!!.....................bb"] {
            assert_eq!(Token::parse(text).unwrap().secret().expose(), text);
        }
    }

    #[test]
    fn a_token_is_read_from_a_configuration_and_not_repeated() {
        let read = |text: &str| serde_json::from_value::<Token>(serde_json::json!(text));
        assert_eq!(read(GOOD).unwrap().secret().expose(), GOOD);
        for bad in ["planted", "gt-planted"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(!error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn only_the_key_is_shown() {
        let token = Token::parse(GOOD).unwrap();
        assert_eq!(format!("{token:?}"), "Token(gt-AAAAAAAAAAAAAAAAAAAAAA.…)");
    }

    #[test]
    fn random_tokens_are_well_formed_and_differ() {
        let (one, two) = (Token::random(), Token::random());
        assert_ne!(one, two);
        assert_eq!(one.secret().len(), TOKEN_CHARS);
        assert_eq!(Token::parse(one.secret().expose()).unwrap(), one);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(gt-)?\\PC{0,24}\\.?\\PC{0,24}") {
            if let Ok(token) = Token::parse(&text) {
                prop_assert_eq!(token.key().len(), PART_CHARS);
            }
        }
    }
}
