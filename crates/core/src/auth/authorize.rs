//! Schemes that put a token on a request.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use super::Token;
use crate::Result;

/// Puts a token on a request. The header values it sets are marked sensitive.
pub trait Authorize: fmt::Debug + Send + Sync + 'static {
    /// Adds the headers that present the token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) if the token is not valid in a
    /// header; the message does not repeat it.
    fn authorize(&self, token: &Token, headers: &mut HeaderMap) -> Result<()>;
}

/// `Authorization: Bearer …` (RFC 6750, 2.1).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to configure")]
pub struct Bearer;

impl Authorize for Bearer {
    fn authorize(&self, token: &Token, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(AUTHORIZATION, token.header("Bearer ")?);
        Ok(())
    }
}

/// Sends the bare token in a custom header, such as `X-Auth-Token`.
#[derive(Clone, Debug)]
pub struct HeaderToken(HeaderName);

impl HeaderToken {
    /// Creates a scheme that uses the given header.
    #[must_use]
    pub fn new(name: HeaderName) -> Self {
        Self(name)
    }
}

impl Authorize for HeaderToken {
    fn authorize(&self, token: &Token, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(self.0.clone(), token.header("")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Secret};

    #[test]
    fn the_header_is_marked_sensitive() {
        let mut headers = HeaderMap::new();
        Bearer
            .authorize(&Token::new(Secret::from("planted")), &mut headers)
            .unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer planted");
        assert!(!format!("{headers:?}").contains("planted"));
    }

    #[test]
    fn each_scheme_gets_its_own_value_whichever_was_first() {
        let token = Token::new(Secret::from("planted"));
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            Bearer.authorize(&token, &mut headers).unwrap();
            let bare = HeaderToken::new(HeaderName::from_static("x-auth-token"));
            bare.authorize(&token.clone(), &mut headers).unwrap();
            assert_eq!(headers[AUTHORIZATION], "Bearer planted");
            assert_eq!(headers["x-auth-token"], "planted");
        }
        assert!(!format!("{token:?}").contains("planted"));
    }

    #[test]
    fn a_token_that_would_end_the_header_is_refused_and_not_repeated() {
        for bad in [
            "",
            "planted\nX-Evil: 1",
            "planted\r",
            "plänted",
            "planted secret",
            "a\0",
        ] {
            let token = Token::new(Secret::from(bad));
            let mut headers = HeaderMap::new();
            let error = Bearer.authorize(&token, &mut headers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
            assert!(!format!("{error} {error:?}").contains("nted"));
            assert!(headers.is_empty());
        }
    }

    #[test]
    fn a_custom_header_carries_only_the_token() {
        let mut headers = HeaderMap::new();
        let scheme = HeaderToken::new(HeaderName::from_static("x-auth-token"));
        scheme
            .authorize(&Token::new(Secret::from("t")), &mut headers)
            .unwrap();
        assert_eq!(headers["x-auth-token"], "t");
    }
}
