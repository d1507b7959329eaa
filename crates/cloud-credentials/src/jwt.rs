//! The claims of access tokens. Nothing here checks a signature.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use vouchsafe_core::Secret;
use zeroize::Zeroizing;

use crate::Result;
use crate::error::NotJwt;

/// The unverified claims of a JSON Web Token.
///
/// The signature is **never checked**: claims tell a client when to get a new token, but a server
/// must not use them to identify a caller (protocol section 8).
///
/// `Debug` shows the names of claims only, since the values may be personal. They are not erased from memory
/// as tokens are: without the signature they open nothing.
///
/// ```
/// use vouchsafe_cloud_credentials::{Claims, Secret};
///
/// let token = Secret::from("e30.eyJleHAiOjE3MDAwMDM2MDB9.c2ln");
/// let claims = Claims::of(&token)?;
/// assert_eq!(claims.get("exp").unwrap(), 1_700_003_600);
/// # Ok::<(), vouchsafe_cloud_credentials::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the claims of a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidJwt`](crate::ErrorKind::InvalidJwt) if the token does not have three
    /// parts, or the second is not a JSON object in base64. Both base64 alphabets are accepted,
    /// with or without padding.
    pub fn of(token: &Secret) -> Result<Self> {
        let mut parts = token.expose().split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotJwt::Parts.error());
        };
        let payload = Zeroizing::new(payload.replace('+', "-").replace('/', "_"));
        let payload = ANY_PADDING.decode(payload.trim_end_matches('='));
        let payload = Zeroizing::new(payload.map_err(|_| NotJwt::Encoding.error())?);
        let claims = serde_json::from_slice(&payload).map_err(|_| NotJwt::Payload.error())?;
        Ok(Self(claims))
    }

    /// Returns a claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns all claims.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns when the token expires: its `exp`, in whole seconds. A time after the year 9999 is
    /// returned as the end of that year.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoExpiry`](crate::ErrorKind::NoExpiry) without `exp`;
    /// [`ErrorKind::InvalidJwt`](crate::ErrorKind::InvalidJwt) if that is neither a number nor
    /// digits.
    pub fn expiry(&self) -> Result<SystemTime> {
        let exp = self.get("exp").ok_or_else(|| NotJwt::NoExpiry.error())?;
        time(exp).ok_or_else(|| NotJwt::Expiry.error())
    }

    /// Returns whether the token expired more than `leeway` ago. The leeway allows for differences
    /// between clocks.
    ///
    /// # Errors
    ///
    /// Those of [`expiry`](Self::expiry).
    pub fn is_expired(&self, now: SystemTime, leeway: Duration) -> Result<bool> {
        let expiry = self.expiry()?;
        Ok(expiry.checked_add(leeway).is_some_and(|until| until < now))
    }

    /// Returns when the token was issued, if it states that.
    pub(crate) fn issued_at(&self) -> Option<SystemTime> {
        time(self.get("iat")?)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads seconds since 1970 as a number, which may have a fraction, or as digits.
fn time(value: &Value) -> Option<SystemTime> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => seconds,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float beyond all integers becomes the largest"
            )]
            (None, seconds) => seconds?.trunc() as i64,
        },
        _ => return None,
    };
    match u64::try_from(seconds) {
        Ok(seconds) => Some(since_1970(seconds)),
        Err(_) => {
            UNIX_EPOCH.checked_sub(Duration::from_secs(seconds.unsigned_abs().min(END_OF_9999)))
        }
    }
}

/// Returns the moment this many seconds after the start of 1970, or the end of the year 9999
/// if that is earlier: not every clock can represent later ones.
pub(crate) fn since_1970(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(END_OF_9999))
}

const END_OF_9999: u64 = 253_402_300_799;

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn token(claims: &Value) -> Secret {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Secret::from(format!("e30.{payload}.c2ln"))
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn either_alphabet_is_read_with_or_without_padding() {
        // Both alphabets differ in these characters.
        let claims = json!({"a": "¿¿¿>?~", "exp": 7});
        let standard = STANDARD.encode(claims.to_string());
        assert!(standard.contains(['+', '/']));
        for token in [
            token(&claims),
            Secret::from(format!("x.{standard}.")),
            Secret::from(format!("x.{}.", standard.trim_end_matches('='))),
        ] {
            let read = Claims::of(&token).unwrap();
            assert_eq!(Value::Object(read.as_map().clone()), claims);
            assert_eq!(read.expiry().unwrap(), at(7));
        }
    }

    #[test]
    fn an_invalid_token_is_refused_without_quoting_it() {
        let array = format!("x.{}.", STANDARD.encode("[\"planted\"]"));
        for bad in [
            "planted",
            "a.b",
            "a.b.c.d",
            "a..c",
            "a.!.c",
            "e30.__79.x",
            &array,
        ] {
            let error = Claims::of(&Secret::from(bad)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidJwt, "{bad}");
            assert!(!format!("{error} {error:?}").contains("planted"));
        }
    }

    #[test]
    fn an_expiry_is_a_number_or_digits() {
        for (exp, seconds) in [
            (json!(1_700_000_000), 1_700_000_000),
            (json!("1700000000"), 1_700_000_000),
            (json!(17.9), 17),
            (json!(u64::MAX), END_OF_9999),
            (json!(1e300), END_OF_9999),
        ] {
            let claims = Claims::of(&token(&json!({"exp": exp}))).unwrap();
            assert_eq!(claims.expiry().unwrap(), at(seconds), "{exp}");
        }
        for exp in [json!(null), json!(true), json!("soon"), json!([1])] {
            let claims = Claims::of(&token(&json!({"exp": exp}))).unwrap();
            assert_eq!(claims.expiry().unwrap_err().kind(), ErrorKind::InvalidJwt);
        }
        let claims = Claims::of(&token(&json!({}))).unwrap();
        assert_eq!(claims.expiry().unwrap_err().kind(), ErrorKind::NoExpiry);
    }

    #[test]
    fn a_token_expires_after_its_last_second_and_leeway_lengthens_its_life() {
        let claims = Claims::of(&token(&json!({"exp": 100}))).unwrap();
        let is_expired = |now, leeway| {
            let leeway = Duration::from_secs(leeway);
            claims.is_expired(now, leeway).unwrap()
        };
        assert!(!is_expired(at(100), 0));
        assert!(is_expired(at(100) + Duration::from_millis(500), 0));
        assert!(!is_expired(at(110), 10));
        assert!(is_expired(at(111), 10));
    }

    #[test]
    fn claims_are_shown_by_name_only() {
        let claims = Claims::of(&token(&json!({"sub": "planted"}))).unwrap();
        assert_eq!(format!("{claims:?}"), "{\"sub\"}");
    }
}
