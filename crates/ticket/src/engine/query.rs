//! Escaping in the authority's query strings. It differs from the usual form encoding in which
//! characters stay unescaped.

/// Escapes a value for a query: a space becomes `+`, and all but a few plain characters become
/// `%XX` in upper case.
///
/// ```
/// assert_eq!(vouchsafe_ticket::query::escape("a b=c"), "a+b%3Dc");
/// ```
#[must_use]
pub fn escape(value: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";

    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            _ if is_plain(byte) => escaped.push(char::from(byte)),
            _ => {
                escaped.push('%');
                escaped.push(char::from(HEX[usize::from(byte >> 4)]));
                escaped.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    escaped
}

/// Reverses [`escape`]. A `%` that is not followed by two hex digits stays; invalid UTF-8 in the
/// result is replaced.
///
/// ```
/// assert_eq!(vouchsafe_ticket::query::unescape("a+b%3dc%"), "a b=c%");
/// ```
#[must_use]
pub fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' => plain.push(b' '),
            b'%' => match bytes.get(at..at + 2).and_then(hex_byte) {
                Some(value) => {
                    plain.push(value);
                    at += 2;
                }
                None => plain.push(b'%'),
            },
            _ => plain.push(byte),
        }
    }
    match String::from_utf8(plain) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$*-./;@^_~".contains(&byte)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    match digits {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bad_escape_stays() {
        assert_eq!(unescape("%zz%4"), "%zz%4");
        assert_eq!(unescape("%e4"), "\u{fffd}");
        assert_eq!(escape("ä"), "%C3%A4");
    }

    proptest! {
        #[test]
        fn unescape_reverses_escape(text in ".*") {
            prop_assert_eq!(unescape(&escape(&text)), text);
        }
    }
}
