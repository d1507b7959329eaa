//! Compares answers of the emulator with recorded ones: facts of the protocol must be the same;
//! texts for people and the order of lists may differ.

use std::collections::BTreeMap;

use serde_json::Value;
use vouchsafe::core::timestamp;

/// What the comparison knows of the run.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Values taken out of earlier answers, by name.
    pub(super) bound: BTreeMap<String, Value>,
    /// The projects of the fixture, which leaves out how they are described.
    pub(super) described_nowhere: Vec<String>,
}

impl Known {
    /// Replaces names by their bound values.
    pub(super) fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let name = text.strip_prefix("{{").and_then(|t| t.strip_suffix("}}"));
                match name.and_then(|name| self.bound.get(name)) {
                    Some(value) => value.clone(),
                    None => self.filled_text(text).into(),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter();
                let filled =
                    fields.map(|(name, value)| (self.filled_text(name), self.filled(value)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    /// Replaces names in a text by their bound values.
    pub(super) fn filled_text(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.bound {
            let shown = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            filled = filled.replace(&format!("{{{{{name}}}}}"), &shown);
        }
        filled
    }

    /// Returns what differs, one line each.
    pub(super) fn differences(&self, expected: &Value, got: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(expected, got, "", false, &mut found);
        found
    }

    fn compare(
        &self,
        expected: &Value,
        got: &Value,
        place: &str,
        is_vague: bool,
        found: &mut Vec<String>,
    ) {
        match (expected, got) {
            (Value::Object(one), Value::Object(other)) => {
                let id = one.get("id").and_then(Value::as_str).unwrap_or_default();
                let is_vague = is_vague || self.described_nowhere.iter().any(|known| known == id);
                for (name, expected) in one {
                    let place = format!("{place}/{name}");
                    let Some(got) = other.get(name) else {
                        found.push(format!("{place}: missing, expected {expected}"));
                        continue;
                    };
                    let is_left_out = matches!(name.as_str(), "description" | "comments")
                        && is_vague
                        && got == ""
                        && expected.is_string();
                    if !is_left_out && !is_for_people(name, expected, got) {
                        self.compare(expected, got, &place, is_vague, found);
                    }
                }
                let more = other.keys().filter(|name| !one.contains_key(*name));
                found.extend(more.map(|name| format!("{place}/{name}: not expected")));
            }
            (Value::Array(one), Value::Array(other)) => {
                let mut left: Vec<&Value> = other.iter().collect();
                let mut missing = Vec::new();
                for item in one {
                    let same = left.iter().position(|other| {
                        let mut differences = Vec::new();
                        self.compare(item, other, place, is_vague, &mut differences);
                        differences.is_empty()
                    });
                    match same {
                        Some(at) => drop(left.remove(at)),
                        None => missing.push(item),
                    }
                }
                if let ([one], [other]) = (missing.as_slice(), left.as_slice()) {
                    return self.compare(one, other, &format!("{place}/.."), is_vague, found);
                }
                let lines = missing
                    .iter()
                    .map(|item| format!("{place}: no item {item}"));
                found.extend(lines);
                let lines = left
                    .iter()
                    .map(|item| format!("{place}: item {item} not expected"));
                found.extend(lines);
            }
            (Value::String(text), got) if text.starts_with("{{any:") => {
                let is_like = match text.as_str() {
                    "{{any:datetime}}" => got.as_str().is_some_and(is_time),
                    "{{any:string}}" => got.is_string(),
                    _ => false,
                };
                if !is_like {
                    found.push(format!("{place}: expected {text}, got {got}"));
                }
            }
            (expected, got) if expected == got => {}
            (expected, got) => found.push(format!("{place}: expected {expected}, got {got}")),
        }
    }
}

/// Whether two texts are words for people under a name that holds such.
fn is_for_people(name: &str, expected: &Value, got: &Value) -> bool {
    matches!(name, "message" | "details" | "exception") && expected.is_string() && got.is_string()
}

/// A time in the only form that the service writes.
fn is_time(text: &str) -> bool {
    text.ends_with("+00:00") && timestamp::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, got: &Value) -> usize {
        let known = Known {
            bound: BTreeMap::from([("s".to_owned(), json!(7))]),
            described_nowhere: vec!["p".to_owned()],
        };
        known.differences(&known.filled(expected), got).len()
    }

    #[test]
    fn facts_count_and_words_do_not() {
        for (expected, got, count) in [
            (json!({"a": [1, 2]}), json!({"a": [2, 1]}), 0),
            (json!({"a": [1, 2]}), json!({"a": [2, 2]}), 1),
            (json!(["{{s}}", "x{{s}}"]), json!([7, "x7"]), 0),
            (json!({"message": "a"}), json!({"message": "b"}), 0),
            (json!({"message": "a"}), json!({}), 1),
            (json!({"name": "a"}), json!({"name": "a", "more": 1}), 1),
            (
                json!("{{any:datetime}}"),
                json!("2026-01-02T03:04:05.678900+00:00"),
                0,
            ),
            (
                json!("{{any:datetime}}"),
                json!("2026-01-02T03:04:05.678900Z"),
                1,
            ),
            (json!("{{any:string}}"), json!(1), 1),
            (
                json!({"id": "p", "description": "d"}),
                json!({"id": "p", "description": ""}),
                0,
            ),
            (
                json!({"id": "p", "description": "d"}),
                json!({"id": "p", "description": "e"}),
                1,
            ),
            (
                json!({"id": "q", "description": "d"}),
                json!({"id": "q", "description": ""}),
                1,
            ),
        ] {
            assert_eq!(differences(&expected, &got), count, "{expected} {got}");
        }
    }
}
