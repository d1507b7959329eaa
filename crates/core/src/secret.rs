//! Text and bytes that must not be shown. This module does not know what a secret *means*.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::text::str_without_mark;

/// Text that can be used and dropped, but not printed, logged or serialized.
///
/// `Debug` shows `Secret(..)`; there is no `Display`, `Deref`, `AsRef` or `Serialize`. Clones share
/// one text, whose memory is zeroed when the last owner drops it. Comparison takes the same time
/// wherever the texts differ (lengths are not hidden).
///
/// ```
/// use vouchsafe_core::Secret;
///
/// let secret = Secret::from("hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
///
/// None of these compile:
///
/// ```compile_fail
/// println!("{}", vouchsafe_core::Secret::from("hunter2"));
/// ```
///
/// ```compile_fail
/// let text: &str = &vouchsafe_core::Secret::from("hunter2");
/// ```
///
/// ```compile_fail
/// serde_json::to_string(&vouchsafe_core::Secret::from("hunter2"));
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Reads a text of at most `limit` bytes to its end, without a byte order mark at the start.
    ///
    /// No other copy of it stays in memory: the buffer does not grow, and is wiped.
    ///
    /// # Errors
    ///
    /// The error of the reader, or `InvalidData` if the text is larger or not UTF-8. No error
    /// includes the text.
    pub fn read(mut source: impl Read, limit: usize) -> io::Result<Self> {
        let wrong = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        let mut buffer = Zeroizing::new(vec![0; limit.saturating_add(1)]);
        let mut filled = 0;
        loop {
            match source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        if filled > limit {
            return wrong(format!("it has more than {limit} bytes"));
        }
        match std::str::from_utf8(&buffer[..filled]) {
            Ok(text) => Ok(Self::from(str_without_mark(text))),
            Err(_) => wrong("it is not UTF-8".to_owned()),
        }
    }

    /// Returns the secret without the white space and line ends around it.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let text = self.expose();
        match text.trim() {
            trimmed if trimmed.len() == text.len() => self.clone(),
            trimmed => Self::from(trimmed),
        }
    }

    /// Returns the text. This is the only access to it: search for `expose` to audit every use.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }
}

impl From<&Self> for Secret {
    fn from(secret: &Self) -> Self {
        secret.clone()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Serializes a secret into the body of a request, the one place where that is allowed. Use it with
/// `serialize_with` in types for [`Call::secret_json`](crate::call::Call::secret_json).
///
/// # Errors
///
/// Those of the serializer.
pub fn expose<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    NOTED.with_borrow_mut(|noted| {
        if let Some(noted) = noted {
            noted.add(secret);
        }
    });
    to.serialize_str(secret.expose())
}

thread_local! {
    /// The secrets written since [`noted`] began.
    static NOTED: RefCell<Option<Secrets>> = const { RefCell::new(None) };
}

/// Runs `write`, and returns the secrets that it serialized with [`expose`].
pub(crate) fn noted<T>(write: impl FnOnce() -> T) -> (T, Secrets) {
    /// Ends the recording, even after a panic.
    struct End;

    impl Drop for End {
        fn drop(&mut self) {
            NOTED.take();
        }
    }

    let _end = End;
    NOTED.set(Some(Secrets::default()));
    let written = write();
    (written, NOTED.take().unwrap_or_default())
}

/// The secrets of one call. Up to two are held without an allocation.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    few: [Option<Secret>; 2],
    more: Vec<Secret>,
}

impl Secrets {
    pub(crate) fn add(&mut self, secret: &Secret) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(secret.clone()),
            None => self.more.push(secret.clone()),
        }
    }

    pub(crate) fn extend(&mut self, others: &Self) {
        others.iter().for_each(|secret| self.add(secret));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.few[0].is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.few.iter().flatten().chain(&self.more)
    }
}

/// Bytes that follow the same rules as [`Secret`].
#[derive(Clone)]
pub struct SecretBytes(Arc<Zeroizing<Vec<u8>>>);

impl SecretBytes {
    /// Returns the bytes. This is the only access to them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from("planted")), "Secret(..)");
        assert_eq!(
            format!("{:#?}", SecretBytes::from(vec![7; 4])),
            "SecretBytes(..)"
        );
    }

    /// Returns one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            (&mut self.0).take(count as u64).read(buffer)
        }
    }

    #[test]
    fn a_secret_is_read_to_its_end_and_no_further_than_allowed() {
        let read = |text: &[u8]| Secret::read(Drip(text), 7);
        assert_eq!(read(b"planted").unwrap().expose(), "planted");
        assert_eq!(read(b"").unwrap().expose(), "");
        assert_eq!(read("\u{feff}abcd".as_bytes()).unwrap().expose(), "abcd");
        for bad in [&b"planted!"[..], b"plan\xff"] {
            let error = read(bad).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(!error.to_string().contains("plan"), "{error}");
        }
    }

    #[test]
    fn blanks_around_a_secret_can_be_dropped() {
        assert_eq!(Secret::from(" a b\r\n").trimmed().expose(), "a b");
        assert_eq!(Secret::from("a").trimmed().expose(), "a");
    }

    #[test]
    fn equality_is_by_content() {
        assert_eq!(Secret::from("a"), Secret::from("a"));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert_ne!(Secret::from("a"), Secret::from("aa"));
        assert_ne!(SecretBytes::from(vec![1]), SecretBytes::from(vec![2]));
    }
}
