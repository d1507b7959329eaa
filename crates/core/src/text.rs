//! Text that comes from a file or a peer.

/// Drops a byte order mark at the front: editors write one that nobody sees.
///
/// Whatever reads text from a file, a variable or an answer reads it through this.
///
/// ```
/// use vouchsafe_core::text::without_mark;
///
/// assert_eq!(without_mark("\u{feff}{}".as_bytes()), b"{}");
/// assert_eq!(without_mark(b"{}"), b"{}");
/// ```
#[must_use]
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// As [`without_mark`], for text that is known to be UTF-8.
#[must_use]
pub fn str_without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
