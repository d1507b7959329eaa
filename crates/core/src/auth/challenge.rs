//! Challenges in refusals of tokens (RFC 6750, section 3).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use http_auth::ChallengeParser;

/// The `Bearer` challenge of a refusal: why a token was refused, and what an accepted one needs.
///
/// ```
/// use http::HeaderMap;
/// use http::header::WWW_AUTHENTICATE;
/// use vouchsafe_core::auth::BearerChallenge;
///
/// let mut headers = HeaderMap::new();
/// let value = r#"Bearer realm="logs", error="insufficient_scope", scope="logs:write""#;
/// headers.insert(WWW_AUTHENTICATE, value.parse()?);
/// let challenge = BearerChallenge::of(&headers).ok_or("none")?;
/// assert!(challenge.is_insufficient_scope());
/// assert_eq!(challenge.scope.as_deref(), Some("logs:write"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BearerChallenge {
    /// Why the token was refused, such as `invalid_token` or `insufficient_scope`. `None` if the
    /// request had no token.
    pub error: Option<String>,
    /// The reason as text, for developers.
    pub error_description: Option<String>,
    /// The protected realm.
    pub realm: Option<String>,
    /// The scopes that the token needs, separated by spaces.
    pub scope: Option<String>,
}

impl BearerChallenge {
    /// Reads the first `Bearer` challenge of a response. `None` if it has none, or its header is
    /// not a list of challenges.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let mut found = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| ChallengeParser::new(text).map_while(Result::ok))
            .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer"));
        let challenge = found.next()?;
        let value = |name: &str| {
            let mut named = challenge.params.iter();
            let (_, value) = named.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
            Some(value.to_unescaped())
        };
        Some(Self {
            error: value("error"),
            error_description: value("error_description"),
            realm: value("realm"),
            scope: value("scope"),
        })
    }

    /// Returns whether the token is valid but not sufficient, so that a newer one would not help.
    #[must_use]
    pub fn is_insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<BearerChallenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        BearerChallenge::of(&headers)
    }

    #[test]
    fn the_challenge_is_found_among_others_and_read_without_regard_to_case() {
        let error = |values| read(values).and_then(|challenge| challenge.error);
        assert_eq!(
            error(&[r#"Basic realm="a, b", bearer ERROR="invalid_token""#]),
            Some("invalid_token".to_owned())
        );
        assert_eq!(
            error(&["Negotiate", r#"Bearer error="insufficient_scope""#]),
            Some("insufficient_scope".to_owned())
        );
        let quoted = read(&[r#"Bearer realm="say \"please\"""#]).unwrap();
        assert_eq!(quoted.realm.as_deref(), Some("say \"please\""));
    }

    #[test]
    fn a_request_without_token_has_no_error_and_what_is_no_challenge_is_none() {
        assert_eq!(read(&["Bearer"]), Some(BearerChallenge::default()));
        for other in [&[][..], &[""], &["Basic realm=\"x\""], &["=,="]] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
