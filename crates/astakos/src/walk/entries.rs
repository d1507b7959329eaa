//! Splits a JSON object into its entries while it arrives.
//!
//! Only enough of the JSON is scanned to find the end of an entry: strings, and the depth of
//! brackets. Each entry is put between braces and so becomes a document that a parser validates.

use std::fmt;

use bytes::{Buf as _, Bytes};

/// The maximum length of an entry.
const LONGEST: usize = 1 << 20;

/// The position in the object, and the entry that is being collected.
#[derive(Debug)]
pub(super) struct Entries {
    place: Place,
    /// `{` and the received part of the entry; `}` too once it is complete.
    entry: Vec<u8>,
    depth: usize,
    in_string: bool,
    after_backslash: bool,
    may_close: bool,
    /// How much white space was received since the last entry.
    spaces: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Only white space has been received.
    Start,
    /// Between entries.
    Between,
    /// Within an entry.
    Within,
    /// After the object.
    End,
}

/// A fault in the received data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NoObject,
    EndsEarly,
    TooLong,
    NotJson,
    GoesOn,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoObject => "the answer is no JSON object",
            Self::EndsEarly => "the answer ends too early",
            Self::TooLong => {
                "one entry of the answer, or the blank between two, is larger than 1 MiB"
            }
            Self::NotJson => "the answer is not JSON",
            Self::GoesOn => "there is text after the answer's JSON",
        })
    }
}

impl Entries {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Start,
            entry: vec![b'{'],
            depth: 0,
            in_string: false,
            after_backslash: false,
            may_close: true,
            spaces: 0,
        }
    }

    /// Returns the completed entry, as a separate object.
    pub(super) fn entry(&self) -> &[u8] {
        &self.entry
    }

    /// Consumes input until an entry is complete. Returns whether one is; if not, all input was
    /// consumed.
    pub(super) fn take(&mut self, input: &mut Bytes) -> Result<bool, Fault> {
        if self.place == Place::Between {
            self.entry.truncate(1);
        }
        while let Some(&byte) = input.first() {
            if self.place != Place::Within {
                self.spaces += 1;
                if self.spaces > LONGEST {
                    return Err(Fault::TooLong);
                }
            }
            match self.place {
                Place::Start => {
                    input.advance(1);
                    match byte {
                        b'{' => self.place = Place::Between,
                        byte if is_space(byte) => {}
                        _ => return Err(Fault::NoObject),
                    }
                }
                Place::Between => {
                    input.advance(1);
                    match byte {
                        b'"' => {
                            self.entry.push(byte);
                            self.in_string = true;
                            self.place = Place::Within;
                        }
                        b'}' if self.may_close => self.place = Place::End,
                        byte if is_space(byte) => {}
                        _ => return Err(Fault::NotJson),
                    }
                }
                Place::Within => {
                    let (end, is_complete) = self.scan(input)?;
                    if self.entry.len() + end > LONGEST {
                        return Err(Fault::TooLong);
                    }
                    self.entry.extend_from_slice(&input[..end]);
                    input.advance(end);
                    if is_complete {
                        // What ended it: a comma, after which another entry must follow, or the end
                        // of the object.
                        self.may_close = false;
                        let is_last = input.first() == Some(&b'}');
                        self.place = if is_last { Place::End } else { Place::Between };
                        input.advance(1);
                        self.entry.push(b'}');
                        self.spaces = 0;
                        return Ok(true);
                    }
                }
                Place::End => {
                    input.advance(1);
                    if !is_space(byte) {
                        return Err(Fault::GoesOn);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Searches for the end of the entry, and returns how much belongs to it.
    fn scan(&mut self, input: &[u8]) -> Result<(usize, bool), Fault> {
        for (at, &byte) in input.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.after_backslash => self.after_backslash = false,
                    b'\\' => self.after_backslash = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b'}' if self.depth == 0 => return Ok((at, true)),
                b']' if self.depth == 0 => return Err(Fault::NotJson),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        Ok((input.len(), false))
    }

    /// Checks that the object is complete. An empty answer is complete too.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.place {
            Place::Start | Place::End => Ok(()),
            Place::Between | Place::Within => Err(Fault::EndsEarly),
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    /// Splits a text that arrives in pieces, and parses each entry.
    fn cut(text: &str, sizes: &[usize]) -> Result<Vec<(String, Value)>, Fault> {
        let mut entries = Entries::new();
        let mut found = Vec::new();
        let mut rest = Bytes::copy_from_slice(text.as_bytes());
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
            let mut piece = rest.split_to(size);
            while entries.take(&mut piece)? {
                let one: Map<String, Value> =
                    serde_json::from_slice(entries.entry()).map_err(|_| Fault::NotJson)?;
                found.extend(one);
            }
            assert!(piece.is_empty());
        }
        entries.finish()?;
        Ok(found)
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            r#"[a-z"\\{}\[\],: \n]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(r#"[a-z"\\{},]{0,5}"#, inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_entries_are_those_that_a_parser_finds(
            document in prop::collection::btree_map(r#"[a-z"\\{},]{0,5}"#, any_json(), 0..6),
            sizes in prop::collection::vec(1_usize..40, 1..8),
            is_pretty in any::<bool>(),
        ) {
            let document = Value::Object(document.into_iter().collect());
            let text = if is_pretty { format!(" {document:#}\n") } else { document.to_string() };
            let found = cut(&text, &sizes).unwrap();
            let found = Value::Object(found.into_iter().collect());
            prop_assert_eq!(found, document);
        }

        #[test]
        fn what_a_parser_refuses_is_refused(
            document in prop::collection::btree_map("[a-z]{1,3}", any_json(), 0..4),
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(br#"{}[]",:\ a0"#.to_vec()),
            sizes in prop::collection::vec(1_usize..40, 1..8),
        ) {
            let mut text = Value::Object(document.into_iter().collect()).to_string().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(text) = String::from_utf8(text) {
                let parsed = serde_json::from_str::<Map<String, Value>>(&text);
                match cut(&text, &sizes) {
                    Ok(found) => {
                        let parsed = parsed.unwrap();
                        prop_assert_eq!(found.into_iter().collect::<Map<_, _>>(), parsed);
                    }
                    Err(fault) => prop_assert!(parsed.is_err(), "{fault:?} of {text}"),
                }
            }
        }
    }

    #[test]
    fn malformed_entries_are_errors() {
        for (text, fault) in [
            ("[]", Fault::NoObject),
            ("null", Fault::NoObject),
            ("{", Fault::EndsEarly),
            (r#"{"a":1"#, Fault::EndsEarly),
            (r#"{"a":1,"#, Fault::EndsEarly),
            (r#"{"a":1,}"#, Fault::NotJson),
            (r#"{,"a":1}"#, Fault::NotJson),
            (r#"{"a":1]"#, Fault::NotJson),
            (r#"{"a"}"#, Fault::NotJson),
            (r#"{"a":1}}"#, Fault::GoesOn),
            (r#"{"a":1}x"#, Fault::GoesOn),
        ] {
            assert_eq!(cut(text, &[3]), Err(fault), "{text}");
        }
        assert_eq!(cut("", &[1]), Ok(Vec::new()));
        assert_eq!(cut(" {} \n", &[1]), Ok(Vec::new()));
        let twice = vec![("a".to_owned(), json!(1)), ("a".to_owned(), json!(2))];
        assert_eq!(cut(r#"{"a":1,"a":2}"#, &[2]), Ok(twice));
    }

    #[test]
    fn an_entry_without_end_is_given_up() {
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST));
        assert_eq!(cut(&long, &[4096]), Err(Fault::TooLong));
        for (before, after) in [
            ("", "{}"),
            ("{", "}"),
            (r#"{"a":1,"#, r#""b":1}"#),
            ("{}", ""),
        ] {
            let blank = format!("{before}{}{after}", " ".repeat(LONGEST + 1));
            assert_eq!(cut(&blank, &[4096]), Err(Fault::TooLong));
        }
    }
}
