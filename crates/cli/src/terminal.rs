//! Makes text safe for a terminal, which foreign text must not control.

use std::fmt::Write as _;

use serde_json::Value;

/// Formats JSON over several lines. Characters that control a terminal are escaped, including those
/// that JSON allows as they are.
pub(crate) fn to_json(value: &Value) -> String {
    escape(&format!("{value:#}"))
}

/// Formats JSON in one line, escaped likewise.
pub(crate) fn to_json_line(value: &Value) -> String {
    escape(&value.to_string())
}

fn escape(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        // Line breaks are the layout's: inside of strings they are escaped already.
        if c != '\n' && steers(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Makes foreign text safe for a terminal: control characters become `U+FFFD`.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Begins a text with a capital letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Returns whether a character moves the cursor, changes colours or reverses the direction of
/// writing, so that a text could look like another one.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
        )
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_for_a_terminal_is_the_same_json() {
        let value = json!({"a": "x\u{1b}\u{9b}\u{202e}\u{e0041}\n", "b": ["Zoë 李", 1]});
        for text in [to_json(&value), to_json_line(&value)] {
            assert!(!text.chars().any(|c| c != '\n' && steers(c)), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
        assert!(!to_json_line(&value).contains('\n'));
    }
}
