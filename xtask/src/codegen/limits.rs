//! The limits of a schema's values, beyond their type.

use super::source::{Cursor, scalar};

/// The limits of a schema's values, which are checked before a request is sent and documented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The smallest and the largest number, as written.
    pub(crate) minimum: Option<String>,
    pub(crate) maximum: Option<String>,
    /// Characters of a text.
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    /// Items of a list.
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    /// Limits that are documented and checked by the server.
    pub(crate) pattern: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) default: Option<String>,
    /// The limits of each item of a list.
    pub(crate) items: Option<Box<Self>>,
}

impl Limits {
    /// Reads the limits of a schema, behind references and beside null.
    pub(crate) fn of(schema: &Cursor<'_>) -> Self {
        Self::within(schema, 0)
    }

    fn within(schema: &Cursor<'_>, depth: usize) -> Self {
        let Ok(found) = schema.resolve() else {
            return Self::default();
        };
        if depth > 16 {
            return Self::default();
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            let choices = found.get(key).map(|list| list.items()).unwrap_or_default();
            let mut real = choices
                .iter()
                .filter(|choice| choice.text("type").as_deref() != Some("null"));
            if let (Some(only), None) = (real.next(), real.next()) {
                return Self::within(only, depth + 1);
            }
        }
        let number = |key| found.get(key).map(|value| scalar(value.value()));
        let whole = |key: &str| found.get(key).and_then(|value| value.value().as_u64());
        let next = |key: &str, by: i64| {
            let bound = found.get(key).and_then(|value| value.value().as_i64())?;
            Some(bound.saturating_add(by).to_string())
        };
        let default = schema.get("default").or_else(|| found.get("default"));
        Self {
            minimum: number("minimum").or_else(|| next("exclusiveMinimum", 1)),
            maximum: number("maximum").or_else(|| next("exclusiveMaximum", -1)),
            min_length: whole("minLength"),
            max_length: whole("maxLength"),
            min_items: whole("minItems"),
            max_items: whole("maxItems"),
            pattern: found.text("pattern"),
            format: found.text("format"),
            default: default
                .map(|value| value.value().clone())
                .filter(|value| value.is_bool() || value.is_number() || value.is_string())
                .map(|value| scalar(&value)),
            items: found
                .get("items")
                .map(|items| Self::within(&items, depth + 1))
                .filter(Self::is_checked)
                .map(Box::new),
        }
    }

    /// Returns whether there is something to check before a request is sent.
    pub(crate) fn is_checked(&self) -> bool {
        self.minimum.is_some()
            || self.maximum.is_some()
            || self.min_length.is_some()
            || self.max_length.is_some()
            || self.min_items.is_some()
            || self.max_items.is_some()
            || self.items.is_some()
    }

    /// Returns the same limits, or a minimum length of one if there is none.
    pub(crate) fn or_not_empty(&self) -> Self {
        Self {
            min_length: self.min_length.or(Some(1)),
            ..self.clone()
        }
    }

    /// Describes the accepted values in words; empty if there are no limits.
    pub(crate) fn sentence(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.format.as_deref().and_then(format_in_words));
        parts.extend(span(
            self.minimum.as_deref(),
            self.maximum.as_deref(),
            "",
            "from ",
        ));
        let text = |bound: Option<u64>| bound.map(|bound| bound.to_string());
        let length = (text(self.min_length), text(self.max_length));
        parts.extend(span(
            length.0.as_deref(),
            length.1.as_deref(),
            " characters",
            "",
        ));
        let items = (text(self.min_items), text(self.max_items));
        parts.extend(span(items.0.as_deref(), items.1.as_deref(), " items", ""));
        if let Some(pattern) = &self.pattern {
            parts.push(format!("must match `{pattern}`"));
        }
        if let Some(items) = &self.items {
            let each = items.sentence();
            if !each.is_empty() {
                parts.push(format!("each: {}", each.trim_end_matches('.')));
            }
        }
        if let Some(default) = &self.default {
            parts.push(format!("default: `{default}`"));
        }
        let mut sentence = parts.join("; ");
        if let Some(first) = sentence.get(..1) {
            sentence = format!("{}{}.", first.to_uppercase(), &sentence[1..]);
        }
        sentence
    }
}

/// Describes the text of a format in words.
fn format_in_words(format: &str) -> Option<String> {
    let (_, words) = TEXTS.iter().find(|(known, _)| *known == format)?;
    Some((*words).to_owned()).filter(|words| !words.is_empty())
}

fn span(low: Option<&str>, high: Option<&str>, unit: &str, from: &str) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) if low == high => Some(format!("exactly {low}{unit}")),
        (Some(low), Some(high)) => Some(format!("{from}{low} to {high}{unit}")),
        (Some(low), None) if low == "1" && unit == " characters" => Some("not empty".to_owned()),
        (Some(low), None) => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        (None, None) => None,
    }
}

/// Formats of a text, and their descriptions.
pub(crate) const TEXTS: [(&str, &str); 7] = [
    ("date", "a date such as `2026-01-31`"),
    ("date-time", "a date and time of RFC 3339"),
    ("email", "an e-mail address"),
    ("hostname", "the name of a host"),
    ("password", ""),
    ("uri", "a URL"),
    ("uuid", "a UUID"),
];

/// Formats of an integer: each is a type in Rust.
pub(crate) const INTEGERS: [&str; 4] = ["int32", "int64", "uint32", "uint64"];

/// Formats of a number.
pub(crate) const NUMBERS: [&str; 2] = ["double", "float"];
