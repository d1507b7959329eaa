//! Parses an `Authorization` header (protocol section 4.1) including the faults of the server's
//! Python, whose error text for a malformed Basic value is part of the answer.

use crate::model::token::parts as token_parts;

/// Returns the token in a header, if any. A token sent as `Bearer` may have any form.
///
/// # Errors
///
/// If the header cannot be parsed; the text is the server's message.
pub(super) fn credential(header: &str) -> Result<Option<String>, String> {
    if header.trim().is_empty() {
        return Ok(None);
    }
    let (scheme, rest) = split_scheme(header).ok_or("Malformed Authorization header")?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(format!("Unknown Authorization type {scheme}"));
    }
    let text = decode(rest).map_err(|fault| invalid(&fault))?;
    let parts: Vec<&str> = text.trim().split(':').collect();
    let [user, password] = parts[..] else {
        let few = if parts.len() < 2 {
            "not enough"
        } else {
            "too many"
        };
        let count = parts.len();
        return Err(invalid(&format!(
            "{few} values to unpack (expected 2, got {count})"
        )));
    };
    match (token_parts(user).is_ok(), token_parts(password).is_ok()) {
        (true, true) if user != password => {
            Err("Conflicting tokens in Basic username and password fields".to_owned())
        }
        (true, _) => Ok(Some(user.to_owned())),
        (_, true) => Ok(Some(password.to_owned())),
        _ => Ok(None),
    }
}

/// Splits a header into scheme and value, separated by any white space.
pub(super) fn split_scheme(header: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = header.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    (!rest.is_empty()).then_some((scheme, rest))
}

/// Decodes base64 like Python's lenient decoder, which skips characters outside of the alphabet.
///
/// # Errors
///
/// If the text cannot be decoded or is not UTF-8; the error text is Python's.
pub(super) fn decode(blob: &str) -> Result<String, String> {
    if !blob.is_ascii() {
        return Err("string argument should contain only ASCII characters".to_owned());
    }
    let mut bytes = Vec::new();
    let (mut left, mut in_quad, mut pads, mut count) = (0_u8, 0_usize, 0_usize, 0_usize);
    for byte in blob.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                pads += 1;
                if in_quad >= 2 && in_quad + pads >= 4 {
                    return utf8(bytes);
                }
                continue;
            }
            _ => continue,
        };
        (pads, count) = (0, count + 1);
        match in_quad {
            0 => {}
            1 => bytes.push(left << 2 | value >> 4),
            2 => bytes.push(left << 4 | value >> 2),
            _ => bytes.push(left << 6 | value),
        }
        left = value;
        in_quad = (in_quad + 1) % 4;
    }
    match in_quad {
        0 => utf8(bytes),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more \
             than a multiple of 4"
        )),
        _ => Err("Incorrect padding".to_owned()),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let start = matches!(byte, 0x80..=0xC1 | 0xF5..=0xFF);
        let fault = match error.utf8_error().error_len() {
            None => "unexpected end of data",
            _ if start => "invalid start byte",
            _ => "invalid continuation byte",
        };
        format!("'utf-8' codec can't decode byte {byte:#04x} in position {at}: {fault}")
    })
}

fn invalid(fault: &str) -> String {
    format!("Invalid Basic auth string: {fault}")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const ONE: &str = "gt-0000000000000000000000.1111111111111111111111";
    const TWO: &str = "gt-2222222222222222222222.3333333333333333333333";

    #[test]
    fn a_token_comes_by_bearer_or_either_half_of_basic() {
        let basic = |text: &str| format!("bAsIc   {}", STANDARD.encode(text));
        for (header, expected) in [
            (String::new(), Ok(None)),
            ("  ".to_owned(), Ok(None)),
            (format!("Bearer {ONE}"), Ok(Some(ONE))),
            (format!("bearer \t {ONE}"), Ok(Some(ONE))),
            ("Bearer what".to_owned(), Ok(Some("what"))),
            (basic(&format!("{ONE}:x")), Ok(Some(ONE))),
            (basic(&format!("x:{ONE}\n")), Ok(Some(ONE))),
            (basic(&format!("{ONE}:{ONE}")), Ok(Some(ONE))),
            (basic("user:password"), Ok(None)),
            (basic(&format!("{ONE}:{TWO}")), Err("Conflicting tokens")),
            ("Basic YQé==".to_owned(), Err("only ASCII characters")),
            (
                basic("a:b:c"),
                Err("too many values to unpack (expected 2, got 3)"),
            ),
            (
                basic("abc"),
                Err("not enough values to unpack (expected 2, got 1)"),
            ),
            ("Basic YQ".to_owned(), Err("Incorrect padding")),
            (
                "Basic YWFhY".to_owned(),
                Err("number of data characters (5)"),
            ),
            (
                "Basic /w==".to_owned(),
                Err("byte 0xff in position 0: invalid start byte"),
            ),
            ("Bearer".to_owned(), Err("Malformed")),
            (ONE.to_owned(), Err("Malformed")),
            (
                "Digest x".to_owned(),
                Err("Unknown Authorization type Digest"),
            ),
        ] {
            let found = credential(&header);
            match expected {
                Ok(token) => assert_eq!(found, Ok(token.map(str::to_owned)), "{header}"),
                Err(part) => assert!(found.unwrap_err().contains(part), "{header}"),
            }
        }
    }

    #[test]
    fn what_is_not_of_the_alphabet_is_skipped() {
        for text in ["", "a", "ab", "abc", "Ångström:x"] {
            let blob = STANDARD.encode(text);
            let spread: String = blob.chars().flat_map(|c| ['!', c, '\n']).collect();
            assert_eq!(decode(&blob).as_deref(), Ok(text));
            assert_eq!(decode(&spread).as_deref(), Ok(text));
        }
        assert_eq!(decode("YQ==ignored").as_deref(), Ok("a"));
    }
}
