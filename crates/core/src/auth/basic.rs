//! Basic credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::{Authorize, Token};
use crate::{Error, ErrorKind, Result, Secret};

/// `Authorization: Basic …` (RFC 7617), in UTF-8: the id of a user or an OAuth 2.0 client, and a
/// secret.
///
/// As a scheme it uses the token of a [`TokenSource`](super::TokenSource) as the secret.
///
/// ```
/// use vouchsafe_core::Secret;
/// use vouchsafe_core::auth::Basic;
///
/// let basic = Basic::new("Aladdin")?;
/// let header = basic.header(&Secret::from("open sesame"))?;
/// assert_eq!(header.expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Basic(String);

impl Basic {
    /// Creates credentials with an id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it contains a colon, which would end it, or a control character
    /// (RFC 7617, section 2). The message does not quote it.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if id.contains(':') {
            return Err(invalid("the id of basic credentials holds a colon"));
        }
        if id.contains(char::is_control) {
            return Err(invalid(
                "the id of basic credentials holds a control character",
            ));
        }
        Ok(Self(id))
    }

    /// Returns the value of the header `Authorization`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the secret contains a control character. The message does not
    /// quote it.
    pub fn header(&self, secret: &Secret) -> Result<Secret> {
        let secret = secret.expose();
        if secret.contains(char::is_control) {
            return Err(invalid(
                "the secret of basic credentials holds a control character",
            ));
        }
        let pair = Zeroizing::new([&self.0, ":", secret].concat());
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Ok(Secret::from(["Basic ", encoded.as_str()].concat()))
    }
}

impl Authorize for Basic {
    fn authorize(&self, token: &Token, headers: &mut HeaderMap) -> Result<()> {
        let refuse = |error: Error| error.with_kind(ErrorKind::Credential);
        let header = self.header(token.secret()).map_err(refuse)?;
        // Base64 is always valid in a header.
        let mut value = HeaderValue::from_str(header.expose())
            .map_err(|_| refuse(invalid("the credentials are not valid in a header")))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::Invalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_a_colon_and_control_characters_are_refused_and_not_repeated() {
        for (id, secret) in [("plan:ted", "x"), ("planted\n", "x"), ("x", "planted\0")] {
            let made = Basic::new(id).and_then(|basic| basic.header(&Secret::from(secret)));
            let error = made.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(!format!("{error} {error:?}").contains("plan"), "{error}");
        }
    }

    #[test]
    fn a_secret_may_hold_a_colon_and_characters_beyond_ascii() {
        let basic = Basic::new("test").unwrap();
        let header = basic.header(&Secret::from("12:3\u{a3}")).unwrap();
        assert_eq!(header.expose(), "Basic dGVzdDoxMjozwqM=");
    }

    #[test]
    fn as_a_scheme_it_takes_a_token_for_the_secret() {
        let basic = Basic::new("test").unwrap();
        let mut headers = HeaderMap::new();
        let token = Token::new(Secret::from("123\u{a3}"));
        basic.authorize(&token, &mut headers).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Basic dGVzdDoxMjPCow==");
        assert!(headers[AUTHORIZATION].is_sensitive());
        let token = Token::new(Secret::from("planted\n"));
        let error = basic.authorize(&token, &mut headers).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
    }
}
