//! Paths and queries, encoded part by part.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Error, ErrorKind, Result};

/// A path and query under construction; each part is encoded on its own. `Debug` does not show
/// them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Target(pub(super) Cow<'static, str>);

impl Target {
    /// Starts with text from an operation's path template, which is trusted.
    #[must_use]
    pub fn new(literal: &'static str) -> Self {
        Self(Cow::Borrowed(literal))
    }

    /// Creates a target from an encoded path and query, for protocols that have their own encoding.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the text does not begin with exactly one slash, has a `.` or `..`
    /// segment (encoded or not), or contains characters that would end it early. The message does
    /// not include it.
    pub fn encoded(text: &str) -> Result<Self> {
        let refuse = |why: &str| Err(Error::new(ErrorKind::Invalid, format!("target {why}")));
        let path = text.split('?').next().unwrap_or_default();
        if !path.starts_with('/') || path.starts_with("//") {
            return refuse("must begin with one slash");
        }
        // Some servers decode dots before they check for such segments, or treat a backslash as a
        // slash.
        let leads_away = |segment: &str| {
            let decoded: Vec<u8> = percent_encoding::percent_decode_str(segment).collect();
            matches!(decoded.as_slice(), b"." | b"..")
        };
        if path.split(['/', '\\']).any(leads_away) {
            return refuse("must not have a segment \".\" or \"..\"");
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        {
            return refuse("holds a character that is not encoded");
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }

    /// Appends more text from the template.
    #[must_use]
    pub fn literal(mut self, literal: &'static str) -> Self {
        self.0.to_mut().push_str(literal);
        self
    }

    /// Appends a value that stays within its segment: all but unreserved characters are encoded
    /// (RFC 3986, 2.3).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value is empty, `.` or `..`, which no encoding can make safe.
    /// The message includes the name of the parameter, but not the value.
    pub fn segment(mut self, name: &'static str, value: &str) -> Result<Self> {
        if matches!(value, "" | "." | "..") {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("{name} must not be empty, \".\" or \"..\": it is part of a path"),
            ));
        }
        let text = self.0.to_mut();
        text.extend(utf8_percent_encode(value, UNRESERVED));
        Ok(self)
    }

    /// Appends `name=value` to the query; both are encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let text = self.0.to_mut();
        text.push(if text.contains('?') { '&' } else { '?' });
        text.extend(utf8_percent_encode(name, UNRESERVED));
        text.push('=');
        text.extend(utf8_percent_encode(value, UNRESERVED));
        self
    }

    /// Appends `name=value` to the query if there is a value.
    #[must_use]
    pub fn query_opt(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Returns the encoded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target(..)")
    }
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
