//! Text from files and peers, and bytes as text.

/// Removes a byte order mark at the start, which some editors write invisibly.
///
/// All code that reads text from a file, a variable or an answer calls this first.
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

/// Like [`without_mark`], for text that is known to be UTF-8.
#[must_use]
pub fn str_without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Writes bytes in hexadecimal, in lower case.
///
/// ```
/// assert_eq!(vouchsafe_core::text::hex(&[0, 0xab]), "00ab");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, *byte]);
    digits.map(digit).collect()
}
