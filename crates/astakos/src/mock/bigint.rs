//! Integers too large for the JSON parser. Python keeps them as integers, where the parser would
//! produce floats.

use std::borrow::Cow;

use serde_json::Value;

/// The prefix of a text that takes an integer's place.
const MARK: &str = "\0int:";

/// Replaces each integer of more than 64 bits by a marked text.
pub(super) fn protect(json: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut copied = 0;
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..]
                    .iter()
                    .position(|b| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .map_or(bytes.len(), |length| at + length);
                let token = &json[at..end];
                if is_great(token) {
                    shown.push_str(&json[copied..at]);
                    shown.push_str("\"\\u0000int:");
                    shown.push_str(token);
                    shown.push('"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    shown.push_str(&json[copied..]);
    Cow::Owned(shown)
}

/// Restores the integers of a document.
pub(super) fn restore(json: String) -> String {
    const WRITTEN: &str = "\"\\u0000int:";
    if !json.contains(WRITTEN) {
        return json;
    }
    let mut parts = json.split(WRITTEN);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_once('"').unwrap_or((part, ""));
        shown.push_str(digits);
        shown.push_str(rest);
    }
    shown
}

/// Returns the integer that a marked text stands for, within bounds that sums cannot overflow.
pub(super) fn value(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(MARK)?;
    let bound = match digits.starts_with('-') {
        true => i128::MIN / 2,
        false => i128::MAX / 2,
    };
    Some(digits.parse().map_or(bound, |number: i128| {
        number.clamp(i128::MIN / 2, i128::MAX / 2)
    }))
}

/// Writes an integer, in a marked text if it needs more than 64 bits.
pub(super) fn shown(number: i128) -> Value {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => format!("{MARK}{number}").into(),
    }
}

fn is_great(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_plain = digits.len() == 1 || !digits.starts_with('0');
    is_integer && is_plain && token.parse::<i64>().is_err() && token.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_of_any_size_comes_back_as_it_was() {
        let great = "100000000000000000000";
        for text in [
            format!("[{great},-{great},1,\"{great}\",\"\\\"{great}\",1e30,18446744073709551615]"),
            format!("{{\"a\":{great}}}"),
            "[]".to_owned(),
        ] {
            let read: Value = serde_json::from_str(&protect(&text)).unwrap();
            assert_eq!(restore(read.to_string()).replace("1e+30", "1e30"), text);
        }
        let read: Value = serde_json::from_str(&protect(great)).unwrap();
        assert_eq!(
            value(read.as_str().unwrap()),
            Some(100_000_000_000_000_000_000)
        );
        assert_eq!(
            restore(shown(-(1 << 100)).to_string()),
            (-(1_i128 << 100)).to_string()
        );
        // Invalid JSON stays invalid.
        for bad in ["[00000000000000000000000000001]", "[1", "\"", "-"] {
            assert!(
                serde_json::from_str::<Value>(&protect(bad)).is_err(),
                "{bad}"
            );
        }
    }
}
