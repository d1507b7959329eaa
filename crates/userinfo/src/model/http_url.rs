//! URLs in discovery documents: checked and normalized.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vouchsafe_core::url::{Absolute, Fault};

/// An absolute `http` or `https` URL of at most 2083 bytes, normalized: scheme and host in
/// lower case, no default port, `/` for an empty path, spaces encoded, dot segments removed
/// (protocol section 8.1). A host in another script becomes Punycode with the feature `punycode`,
/// and is refused without; servers send Punycode already.
///
/// `Display` and `Debug` omit user information; [`as_str`](Self::as_str) includes it.
///
/// ```
/// use vouchsafe_userinfo::HttpUrl;
///
/// let url: HttpUrl = "HTTPS://E.org:443".parse()?;
/// assert_eq!(url.as_str(), "https://e.org/");
/// # Ok::<(), vouchsafe_userinfo::HttpUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpUrl(Arc<str>);

impl HttpUrl {
    /// Parses and normalizes a URL; white space around it is removed.
    ///
    /// # Errors
    ///
    /// If the text is not such a URL. The error does not include it, since it may contain a
    /// password.
    pub fn parse(text: &str) -> Result<Self, HttpUrlError> {
        if text.len() > MAX_BYTES {
            return Err(HttpUrlError::TooLong);
        }
        let url = Absolute::parse(text).map_err(|fault| match fault {
            Fault::Scheme => HttpUrlError::Scheme,
            Fault::Script => HttpUrlError::Script,
            _ => HttpUrlError::Form,
        })?;
        Ok(Self(Arc::from(url.as_str())))
    }

    /// Returns the whole URL, including user information.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;

    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is normalized: `//` ends the scheme, the next `/` the authority.
        let (scheme, rest) = self.0.split_once("//").unwrap_or(("", &self.0));
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        write!(f, "{scheme}//{host}{path}")
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl Serialize for HttpUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a text is not an [`HttpUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpUrlError {
    /// The text is not an absolute URL.
    #[error("{}", Fault::Form)]
    Form,
    /// The scheme is neither `http` nor `https`.
    #[error("{}", Fault::Scheme)]
    Scheme,
    /// The host is in another script than ASCII, and the feature `punycode` is off.
    #[error("{}", Fault::Script)]
    Script,
    /// The text has more than 2083 bytes.
    #[error("a URL of more than 2083 bytes")]
    TooLong,
}

const MAX_BYTES: usize = 2083;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalized() {
        for (text, normal) in [
            ("https://h.example", "https://h.example/"),
            (" HTTP://H.Example:80/a b/../c ", "http://h.example/c"),
            ("https://h.example:8443/%20", "https://h.example:8443/%20"),
        ] {
            assert_eq!(HttpUrl::parse(text).unwrap().as_str(), normal);
        }
    }

    #[test]
    fn a_text_that_is_not_an_absolute_http_url_is_refused() {
        let long = format!("https://h.example/{}", "x".repeat(2066));
        assert!(HttpUrl::parse(&long[..2083]).is_ok());
        // The library of the Python client counts bytes.
        let wide = format!("https://h.example/{}", "é".repeat(1040));
        for (text, error) in [
            ("", HttpUrlError::Form),
            ("h.example/x", HttpUrlError::Form),
            ("//h.example/x", HttpUrlError::Form),
            ("https://", HttpUrlError::Form),
            ("ftp://h.example/", HttpUrlError::Scheme),
            (long.as_str(), HttpUrlError::TooLong),
            (wide.as_str(), HttpUrlError::TooLong),
        ] {
            assert_eq!(HttpUrl::parse(text).unwrap_err(), error, "{text:.30}");
        }
    }

    #[test]
    fn a_host_in_another_script_is_encoded_or_refused() {
        let url = HttpUrl::parse("https://ü.example/");
        if cfg!(feature = "punycode") {
            assert_eq!(url.unwrap().as_str(), "https://xn--tda.example/");
        } else {
            assert_eq!(url.unwrap_err(), HttpUrlError::Script);
        }
    }

    #[test]
    fn user_information_is_kept_and_not_shown() {
        let url = HttpUrl::parse("https://u:planted@h.example/a@b").unwrap();
        assert!(url.as_str().contains("planted"));
        assert_eq!(url.to_string(), "https://h.example/a@b");
        assert!(!format!("{url:?}").contains("planted"));
    }
}
