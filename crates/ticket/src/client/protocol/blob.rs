//! The format of the files of the disk cache, identical to the original's (protocol section 12).
//! `disk` writes them safely.

use subtle::ConstantTimeEq as _;

use crate::engine::ids::TvmId;
use crate::engine::query;
use crate::engine::secret::hmac_sha256;
use crate::error::{Error, ErrorKind};

/// The content of a file.
#[derive(Clone, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the two parts of the format")]
pub struct Blob {
    /// When it was written, in seconds since the epoch.
    pub time: i64,
    /// The data.
    pub data: zeroize::Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob")
            .field("time", &self.time)
            .field("data_bytes", &self.data.len())
            .finish()
    }
}

impl Blob {
    /// Reads a file's content.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Store)` if it is too small or was modified.
    pub fn unpack(file: &[u8]) -> Result<Self, Error> {
        let bad = |message| {
            let store = ErrorKind::Core(vouchsafe_core::ErrorKind::Store);
            Err(Error::new(store, message))
        };
        if file.len() <= HASH + TIME {
            return bad("File is too small");
        }
        let (hash, rest) = file.split_at(HASH);
        if !bool::from(hash.ct_eq(&seal(rest))) {
            return bad("Content was incorrectly changed");
        }
        let (time, data) = rest.split_at(TIME);
        let mut bytes = [0; TIME];
        bytes.copy_from_slice(time);
        Ok(Self {
            time: i64::from_le_bytes(bytes),
            data: data.to_vec().into(),
        })
    }

    /// Writes a file's content.
    #[must_use]
    pub fn pack(time: i64, data: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
        let mut file = zeroize::Zeroizing::new(Vec::with_capacity(HASH + TIME + data.len()));
        file.extend_from_slice(&[0; HASH]);
        file.extend_from_slice(&time.to_le_bytes());
        file.extend_from_slice(data);
        let hash = seal(&file[HASH..]);
        file[..HASH].copy_from_slice(&hash);
        file
    }

    /// Returns the data as text.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Store)` if it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.data).map_err(|_| {
            let store = ErrorKind::Core(vouchsafe_core::ErrorKind::Store);
            Error::new(store, "Content is no text")
        })
    }
}

/// Splits the content of the file of service tickets: the answers and the service they belong to.
#[must_use]
pub fn split_tickets(text: &str) -> Option<(&str, TvmId)> {
    let (body, id) = text.rsplit_once('\t')?;
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    Some((body, id.parse().ok().filter(|_| is_number)?))
}

/// The inverse of [`split_tickets`].
#[must_use]
pub fn join_tickets(body: &str, own_id: TvmId) -> String {
    format!("{body}\t{own_id}")
}

/// Splits the content of the file of roles: the document and the role system.
#[must_use]
pub fn split_roles(text: &str) -> Option<(&str, String)> {
    let (body, slug) = text.rsplit_once('\t')?;
    Some((body, query::unescape(slug)))
}

/// The inverse of [`split_roles`].
#[must_use]
pub fn join_roles(body: &str, slug: &str) -> String {
    format!("{body}\t{}", query::escape(slug))
}

/// Appends answers to a list of answers, as text. A base that is not a list becomes one; returns
/// `None` if it only begins or only ends like a list.
///
/// As in the original, an empty list gets a leading comma and then is not valid JSON: callers pass
/// no base instead of an empty one.
#[must_use]
pub fn append_json_array(base: Option<&str>, answers: &[&str]) -> Option<String> {
    let mut items: Vec<&str> = Vec::with_capacity(answers.len() + 1);
    if let Some(base) = base.filter(|base| !base.is_empty()) {
        let inner = match (base.strip_prefix('['), base.ends_with(']')) {
            (Some(rest), true) => rest.strip_suffix(']')?,
            (None, false) => base,
            _ => return None,
        };
        if !(inner.is_empty() && answers.is_empty()) {
            items.push(inner);
        }
    }
    items.extend(answers);
    Some(format!("[{}]", items.join(",")))
}

fn seal(rest: &[u8]) -> [u8; HASH] {
    hmac_sha256(&[], std::iter::once(rest))
}

const HASH: usize = 32;
const TIME: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again_unless_a_bit_was_changed() {
        let file = Blob::pack(-5, b"data");
        let blob = Blob::unpack(&file).unwrap();
        assert_eq!((blob.time, blob.text().unwrap()), (-5, "data"));
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(Blob::unpack(&changed).is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            assert!(Blob::unpack(&file[..length]).is_err(), "{length} bytes");
        }
        assert!(Blob::unpack(&Blob::pack(0, b"")).is_err());
    }

    #[test]
    fn nothing_shows_what_a_file_holds() {
        let blob = Blob::unpack(&Blob::pack(1, b"planted")).unwrap();
        assert_eq!(format!("{blob:?}"), "Blob { time: 1, data_bytes: 7 }");
    }

    #[test]
    fn the_last_tab_divides() {
        assert_eq!(split_tickets("a\tb\t7"), Some(("a\tb", TvmId::new(7))));
        assert_eq!(split_tickets("a\t+7"), None);
        assert_eq!(split_tickets("a"), None);
        let joined = join_roles("{}\t", "a b\t");
        assert_eq!(split_roles(&joined), Some(("{}\t", "a b\t".to_owned())));
    }

    #[test]
    fn answers_are_appended_as_text() {
        let append = append_json_array;
        assert_eq!(append(Some("[1,2]"), &["3"]).unwrap(), "[1,2,3]");
        assert_eq!(append(Some("1"), &["3"]).unwrap(), "[1,3]");
        assert_eq!(append(None, &[]).unwrap(), "[]");
        assert_eq!(append(Some("[]"), &[]).unwrap(), "[]");
        assert_eq!(append(Some("1]"), &[]), None);
    }
}
