//! Finds where a text stops being JSON for the server's decoder, whose message and position in
//! characters are part of the answer.

/// Parses a text as the server's decoder does.
///
/// Call it only for texts that a strict parser refused: it recurses as deeply as the text is
/// nested, at most [`MAX_DEPTH`] levels.
pub(super) fn find(text: &str) -> Verdict {
    let text: Vec<char> = text.chars().collect();
    let scan = Scan { text: &text };
    let start = scan.blanks(0);
    match scan.value(start, 0) {
        Ok(end) => match scan.blanks(end) {
            end if end < text.len() => Verdict::Fault("Extra data", end),
            _ => Verdict::Json,
        },
        Err((TOO_DEEP, _)) => Verdict::TooDeep,
        Err((what, at)) => Verdict::Fault(what, at),
    }
}

/// The decoder's verdict on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is accepted, though it may contain what a strict parser refuses.
    Json,
    /// It is refused with this message at this position in characters.
    Fault(&'static str, usize),
    /// It is nested too deeply for the decoder.
    TooDeep,
}

/// The decoder's message and the position.
type Fault = (&'static str, usize);

const MAX_DEPTH: usize = 128;
const TOO_DEEP: &str = "too deep";

struct Scan<'t> {
    text: &'t [char],
}

impl Scan<'_> {
    fn at(&self, index: usize) -> Option<char> {
        self.text.get(index).copied()
    }

    fn blanks(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(' ' | '\t' | '\n' | '\r')) {
            index += 1;
        }
        index
    }

    fn value(&self, index: usize, depth: usize) -> Result<usize, Fault> {
        if let Some(end) = self.number(index) {
            return Ok(end);
        }
        match self.at(index) {
            Some('"') => self.string(index),
            Some('{' | '[') if depth >= MAX_DEPTH => Err((TOO_DEEP, index)),
            Some('{') => self.object(index, depth),
            Some('[') => self.array(index, depth),
            _ => ["null", "true", "false", "NaN", "Infinity", "-Infinity"]
                .into_iter()
                .find(|word| self.starts_with(index, word))
                .map(|word| index + word.len())
                .ok_or(("Expecting value", index)),
        }
    }

    fn starts_with(&self, index: usize, word: &str) -> bool {
        let rest = self.text.get(index..).unwrap_or_default();
        rest.len() >= word.len() && rest.iter().copied().zip(word.chars()).all(|(a, b)| a == b)
    }

    fn object(&self, start: usize, depth: usize) -> Result<usize, Fault> {
        let mut index = self.blanks(start + 1);
        if self.at(index) == Some('}') {
            return Ok(index + 1);
        }
        loop {
            if self.at(index) != Some('"') {
                return Err(("Expecting property name enclosed in double quotes", index));
            }
            index = self.blanks(self.string(index)?);
            if self.at(index) != Some(':') {
                return Err(("Expecting ':' delimiter", index));
            }
            index = self.blanks(index + 1);
            index = self.blanks(self.value(index, depth + 1)?);
            match self.at(index) {
                Some('}') => return Ok(index + 1),
                Some(',') => {}
                _ => return Err(("Expecting ',' delimiter", index)),
            }
            let comma = index;
            index = self.blanks(index + 1);
            if self.at(index) == Some('}') {
                return Err(("Illegal trailing comma before end of object", comma));
            }
        }
    }

    fn array(&self, start: usize, depth: usize) -> Result<usize, Fault> {
        let mut index = self.blanks(start + 1);
        if self.at(index) == Some(']') {
            return Ok(index + 1);
        }
        loop {
            index = self.blanks(self.value(index, depth + 1)?);
            match self.at(index) {
                Some(']') => return Ok(index + 1),
                Some(',') => {}
                _ => return Err(("Expecting ',' delimiter", index)),
            }
            let comma = index;
            index = self.blanks(index + 1);
            if self.at(index) == Some(']') {
                return Err(("Illegal trailing comma before end of array", comma));
            }
        }
    }

    fn string(&self, start: usize) -> Result<usize, Fault> {
        let unterminated = ("Unterminated string starting at", start);
        let mut index = start + 1;
        loop {
            match self.at(index).ok_or(unterminated)? {
                '"' => return Ok(index + 1),
                '\\' => match self.at(index + 1).ok_or(unterminated)? {
                    'u' => {
                        let digits = self.text.get(index + 2..index + 6);
                        if digits.is_none_or(|four| !four.iter().all(char::is_ascii_hexdigit)) {
                            return Err(("Invalid \\uXXXX escape", index + 1));
                        }
                        index += 6;
                    }
                    '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => index += 2,
                    _ => return Err(("Invalid \\escape", index)),
                },
                control if control < ' ' => return Err(("Invalid control character at", index)),
                _ => index += 1,
            }
        }
    }

    /// Returns the end of the number that begins here.
    fn number(&self, start: usize) -> Option<usize> {
        let digits = |mut index: usize| {
            while self.at(index).is_some_and(|c| c.is_ascii_digit()) {
                index += 1;
            }
            index
        };
        let first = start + usize::from(self.at(start) == Some('-'));
        let mut end = match self.at(first)? {
            '0' => first + 1,
            '1'..='9' => digits(first),
            _ => return None,
        };
        if self.at(end) == Some('.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if matches!(self.at(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some('+' | '-')));
            if digits(end + 1 + sign) > end + 1 + sign {
                end = digits(end + 1 + sign);
            }
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_position_is_where_the_decoder_gives_up() {
        for (text, at, message) in [
            ("", 0, "Expecting value"),
            ("  ", 2, "Expecting value"),
            ("nope", 0, "Expecting value"),
            ("{", 1, "property name"),
            ("{x", 1, "property name"),
            ("{ 'a': 1}", 2, "property name"),
            (r#"{"a" 1}"#, 5, "':' delimiter"),
            (r#"{"a":}"#, 5, "Expecting value"),
            (r#"{"a": "#, 6, "Expecting value"),
            (r#"{"a": 1"#, 7, "',' delimiter"),
            (r#"{"a": 1,}"#, 7, "trailing comma before end of object"),
            (r#"{"é": 1 "b": 2}"#, 8, "',' delimiter"),
            ("[1, 2", 5, "',' delimiter"),
            ("[1, ]", 2, "trailing comma before end of array"),
            ("[1, ", 4, "Expecting value"),
            ("01", 1, "Extra data"),
            ("1.", 1, "Extra data"),
            ("-", 0, "Expecting value"),
            ("{} x", 3, "Extra data"),
            (r#""abc"#, 0, "Unterminated"),
            (r#" "a\"#, 1, "Unterminated"),
            ("\"a\nb\"", 2, "control character"),
            (r#""a\x""#, 2, "Invalid \\escape"),
            (r#""\u12g4""#, 2, "uXXXX"),
        ] {
            let Verdict::Fault(found, position) = find(text) else {
                panic!("{text}");
            };
            assert!(found.contains(message), "{text}: {found}");
            assert_eq!(position, at, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(find(&"[".repeat(1_000_000)), Verdict::TooDeep);
        assert!(matches!(find(&"[".repeat(128)), Verdict::Fault(..)));
    }

    proptest! {
        #[test]
        fn it_finds_a_fault_wherever_a_strict_parser_does(text in r#"[\[\]{},:"a0-3.eE+ \\-]{0,12}"#) {
            let strict = serde_json::from_str::<serde_json::Value>(&text);
            // A number that is too large is not a syntax error.
            let is_json = !matches!(&strict, Err(error) if !error.to_string().contains("out of range"));
            prop_assert_eq!(find(&text) == Verdict::Json, is_json, "{:?}", strict);
        }
    }
}
