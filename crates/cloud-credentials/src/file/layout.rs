//! The format of TinyDB files: tables of numbered documents (protocol section 12.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::error::Category;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

/// The tables of a file. The content of documents is wiped from memory when dropped.
pub(super) struct Tables(Map<String, Value>);

/// The table of `pancloud`.
pub(super) const TABLE: &str = "profiles";

/// The members of a document.
pub(super) type Members = Map<String, Value>;

impl Tables {
    /// Reads a file. An empty one has no tables. `None` if it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self(Map::new()));
        }
        let tables = Self(serde_json::from_slice(bytes).ok()?);
        let is_whole = tables.0.values().all(|table| match table {
            Value::Object(documents) => documents.iter().all(|(id, _)| id.parse::<u64>().is_ok()),
            _ => true,
        });
        is_whole.then_some(tables)
    }

    /// Returns where and why a file is not JSON, without its text. `None` if it is.
    pub(super) fn oddity(bytes: &[u8]) -> Option<String> {
        let cause = serde_json::from_slice(bytes).map(Self).err()?;
        Some(match cause.classify() {
            Category::Eof => "it ends too early".to_owned(),
            Category::Data | Category::Io => "it is not a JSON object".to_owned(),
            Category::Syntax => format!(
                "line {}, column {}; NaN, Infinity and half a surrogate pair are not JSON",
                cause.line(),
                cause.column()
            ),
        })
    }

    /// Returns the documents of a table by their ids. `None` if the table is not one.
    pub(super) fn documents(&self, table: &str) -> Option<BTreeMap<u64, &Members>> {
        let Some(table) = self.0.get(table) else {
            return Some(BTreeMap::new());
        };
        let documents = table.as_object()?.iter();
        let read = |(id, document): (&String, _)| {
            let document: &Value = document;
            Some((id.parse().ok()?, document.as_object()?))
        };
        documents.map(read).collect()
    }

    /// Returns the members of a document, which is created if it does not exist.
    pub(super) fn document(&mut self, table: &str, id: u64) -> Option<&mut Members> {
        let table = self.0.entry(table).or_insert_with(|| Map::new().into());
        let document = table.as_object_mut()?.entry(id.to_string());
        document
            .or_insert_with(|| Map::new().into())
            .as_object_mut()
    }

    /// Removes a document.
    pub(super) fn remove(&mut self, table: &str, id: u64) {
        let table = self.0.get_mut(table).and_then(Value::as_object_mut);
        if let Some(mut document) = table.and_then(|table| table.remove(&id.to_string())) {
            wipe(&mut document);
        }
    }

    /// Writes the file as TinyDB 3 does on Python 3.
    pub(super) fn text(&self) -> Zeroizing<String> {
        // A buffer that grows leaves copies behind.
        let length = self.0.iter().map(|(_, table)| room(table)).sum::<usize>();
        let mut text = Zeroizing::new(String::with_capacity(length + 64));
        write_members(&mut text, &self.0, 0, 2);
        text
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// Writes one document, so that versions can be compared.
pub(super) fn document_text(document: &Members) -> Zeroizing<String> {
    let length = document.iter().map(|(_, value)| room(value)).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(length + 64));
    write_members(&mut text, document, 0, 0);
    text
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Returns an upper estimate of the bytes that a value takes.
fn room(value: &Value) -> usize {
    match value {
        Value::String(text) => 6 * text.len() + 64,
        Value::Array(items) => items.iter().map(room).sum::<usize>() + 64,
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| 6 * name.len() + room(value) + 64)
                .sum::<usize>()
                + 64
        }
        _ => 64,
    }
}

/// `tables` is the number of levels below whose keys are ids.
fn write_members(text: &mut String, members: &Members, depth: usize, levels: usize) {
    let mut members: Vec<_> = members.iter().collect();
    match levels {
        // The documents of a table: in the order of their ids.
        1 => members.sort_by_key(|(id, _)| (id.parse::<u64>().ok(), *id)),
        _ => members.sort_by_key(|(name, _)| *name),
    }
    write_items(
        text,
        '{',
        '}',
        depth,
        members.into_iter(),
        |text, (name, value)| {
            write_text(text, name);
            text.push_str(": ");
            write_value(text, value, depth + 1, levels.saturating_sub(1));
        },
    );
}

fn write_value(text: &mut String, value: &Value, depth: usize, levels: usize) {
    match value {
        Value::String(string) => write_text(text, string),
        Value::Array(items) => write_items(text, '[', ']', depth, items.iter(), |text, item| {
            write_value(text, item, depth + 1, 0);
        }),
        Value::Object(members) => write_members(text, members, depth, levels),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

fn write_items<T>(
    text: &mut String,
    open: char,
    close: char,
    depth: usize,
    items: impl ExactSizeIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    text.push(open);
    let is_empty = items.len() == 0;
    for (number, item) in items.enumerate() {
        text.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(text, depth + 1);
        write(text, item);
    }
    if !is_empty {
        text.push('\n');
        indent(text, depth);
    }
    text.push(close);
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("    ");
    }
}

fn write_text(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            ' '..='~' => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_written_in_the_order_of_their_numbers_and_members_in_that_of_their_names() {
        let read = br#"{"profiles":{"10":{"b":2.5,"a":"x"},"9":{}},"_default":{}}"#;
        let text = "{\n    \"_default\": {},\n    \"profiles\": {\n        \"9\": {},\n        \
                    \"10\": {\n            \"a\": \"x\",\n            \"b\": 2.5\n        }\n    \
                    }\n}";
        assert_eq!(*Tables::read(read).unwrap().text(), text);
        assert_eq!(*Tables::read(text.as_bytes()).unwrap().text(), text);
    }

    #[test]
    fn characters_beyond_ascii_are_escaped_as_python_does() {
        let mut tables = Tables::read(b"").unwrap();
        let document = tables.document("t", 1).unwrap();
        document.insert("é\u{7f}".to_owned(), "🦀/\"\\\n\t\u{1f}".into());
        let text = tables.text();
        let line = r#""\u00e9\u007f": "\ud83e\udd80/\"\\\n\t\u001f""#;
        assert!(text.contains(line), "{}", *text);
    }

    #[test]
    fn numbers_stay_the_same_however_often_they_are_written() {
        let read = br#"{"t":{"1":{"x":123456701234567901234567890}}}"#;
        let text = Tables::read(read).unwrap().text();
        assert_eq!(*Tables::read(text.as_bytes()).unwrap().text(), *text);
    }

    #[test]
    fn what_is_not_a_file_of_tables_is_damaged() {
        for bad in [
            "[]",
            "\n",
            "{",
            "\u{feff}{}",
            "{} {}",
            "{\"t\": {\"x\": {}}}",
            "null",
        ] {
            assert!(Tables::read(bad.as_bytes()).is_none(), "{bad:?}");
        }
        let tables = Tables::read(b"{\"t\": [], \"u\": {\"1\": []}}").unwrap();
        assert!(tables.documents("t").is_none() && tables.documents("u").is_none());
        assert!(tables.documents("v").unwrap().is_empty());
    }
}
