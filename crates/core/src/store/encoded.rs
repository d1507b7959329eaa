//! Bytes of a record in JSON.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use crate::{Secret, SecretBytes};

/// Secret bytes that are base64 in JSON, as servers with a JSON API take them. Serializing registers
/// the text as a secret of the call whose body it is in.
#[derive(Clone)]
pub struct Base64(SecretBytes);

impl Base64 {
    /// Wraps bytes.
    #[must_use]
    pub fn new(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn into_bytes(self) -> SecretBytes {
        self.0
    }
}

impl Default for Base64 {
    fn default() -> Self {
        Self(SecretBytes::from(Vec::new()))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = Secret::from(STANDARD.encode(self.0.expose()));
        crate::__private::expose(&text, to)
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        // The cause would reveal a byte of it.
        let bytes = STANDARD
            .decode(&*text)
            .map_err(|_| de::Error::custom("not base64"))?;
        Ok(Self(SecretBytes::from(bytes)))
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Base64(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_were_written_and_never_shown() {
        for bytes in [&b""[..], b"a", &[0, 255, 10]] {
            let wire = Base64::new(SecretBytes::from(bytes.to_vec()));
            let text = serde_json::to_string(&wire).unwrap();
            let read: Base64 = serde_json::from_str(&text).unwrap();
            assert_eq!(read.into_bytes().expose(), bytes);
        }
        let error = serde_json::from_str::<Base64>("\"planted!\"").unwrap_err();
        assert!(!error.to_string().contains("planted"), "{error}");
        let planted = Base64::new(SecretBytes::from(b"planted".to_vec()));
        assert_eq!(format!("{planted:?}"), "Base64(..)");
    }
}
