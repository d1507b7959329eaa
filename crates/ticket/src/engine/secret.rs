//! The secret shared by a service and the authority, and signatures with it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use vouchsafe_core::text::str_without_mark;
use vouchsafe_core::{Secret, SecretBytes};
use zeroize::Zeroizing;

use crate::engine::base64url;
use crate::error::{Error, ErrorKind};

/// A service's secret, which signs requests for service tickets.
///
/// `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct ServiceSecret(SecretBytes);

impl ServiceSecret {
    /// Parses the text form. Trailing newlines, as in files, are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedSecret`] if it is empty or not base64url. The error does not include
    /// the text.
    pub fn parse(text: &Secret) -> Result<Self, Error> {
        let malformed = |what| {
            let message = format!("Malformed TVM secret: {what}");
            Error::new(ErrorKind::MalformedSecret, message)
        };
        let text = str_without_mark(text.expose()).trim_end_matches('\n');
        if text.is_empty() {
            return Err(malformed("it is empty"));
        }
        base64url::decode(text.as_bytes())
            .map(|bytes| Self(SecretBytes::from(bytes)))
            .ok_or_else(|| malformed("invalid base64url"))
    }

    /// Signs the parameters of a request for tickets, each exactly as it is sent: the time, the
    /// destinations joined by commas, the scopes joined by commas.
    ///
    /// The result authenticates the service to the authority, so it is secret as well.
    #[must_use]
    #[doc(alias = "sign_cgi_params_for_tvm")]
    pub fn sign_params(&self, time: &str, destinations: &str, scopes: &str) -> Secret {
        let parts = [time, "|", destinations, "|", scopes, "|"];
        let signature = hmac_sha256(self.0.expose(), parts.into_iter().map(str::as_bytes));
        Secret::from(base64url::encode(&signature))
    }
}

impl FromStr for ServiceSecret {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(&Secret::from(text))
    }
}

/// Parses the text form, as in a configuration. The error does not include it.
impl<'de> Deserialize<'de> for ServiceSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(from)?;
        Self::parse(&text).map_err(|fault| D::Error::custom(fault.message()))
    }
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceSecret(..)")
    }
}

/// HMAC-SHA256 (RFC 2104) of the concatenated parts.
pub(crate) fn hmac_sha256<'a>(key: &[u8], parts: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = Zeroizing::new([0; BLOCK]);
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let begin = |pad: u8| {
        let padded = Zeroizing::new(block.map(|byte| byte ^ pad));
        Sha256::new_with_prefix(padded.as_slice())
    };
    let mut inner = begin(0x36);
    parts.for_each(|part| inner.update(part));
    begin(0x5C).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use vouchsafe_core::text::hex;

    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        let mac = hmac_sha256(&[0x0b; 20], [&b"Hi "[..], b"There"].into_iter());
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&mac), expected);
        let mac = hmac_sha256(&[0xaa; 20], [&[0xdd; 50][..]].into_iter());
        let expected = "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe";
        assert_eq!(hex(&mac), expected);
        let text = &b"Test Using Larger Than Block-Size Key - Hash Key First"[..];
        let mac = hmac_sha256(&[0xaa; 131], [text].into_iter());
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex(&mac), expected);
    }

    #[test]
    fn newlines_at_the_end_are_dropped() {
        let plain = ServiceSecret::parse(&Secret::from("c2VjcmV0")).unwrap();
        assert_eq!(
            ServiceSecret::parse(&Secret::from("c2VjcmV0\n\n\n")).unwrap(),
            plain
        );
        for bad in ["\n\n", "c2VjcmV0\r\n", " c2VjcmV0"] {
            assert!(ServiceSecret::parse(&Secret::from(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_read_from_a_configuration_and_not_shown() {
        let read = |text: &str| serde_json::from_value::<ServiceSecret>(serde_json::json!(text));
        let plain: ServiceSecret = "c2VjcmV0".parse().unwrap();
        assert_eq!(read("\u{feff}c2VjcmV0\n").unwrap(), plain);
        let error = read("planted secret").unwrap_err().to_string();
        assert!(!error.contains("planted"), "{error}");
    }

    #[test]
    fn nothing_shows_the_secret() {
        let secret = ServiceSecret::parse(&Secret::from("cGxhbnRlZA")).unwrap();
        let signature = secret.sign_params("1", "2", "");
        let shown = format!("{secret:?} {signature:?}");
        assert_eq!(shown, "ServiceSecret(..) Secret(..)");
        let error = ServiceSecret::parse(&Secret::from("planted secret")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
