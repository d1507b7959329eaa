//! Checks the fields of forms.

use super::super::schema::only_constrains;
use super::super::source::Cursor;
use super::Lint;

impl<'s> Lint<'_, 's> {
    /// Checks the fields of a form: each must have one text, or be a list of such.
    pub(super) fn form(&mut self, content: &Cursor<'s>) {
        // A broken reference has been reported with its place.
        let Some(Ok(schema)) = content.get("schema").map(|schema| schema.resolve()) else {
            return;
        };
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(key).filter(|list| !only_constrains(list)) {
                for choice in choices.items() {
                    if let Ok(choice) = choice.resolve() {
                        self.fields(&choice);
                    }
                }
                return;
            }
        }
        self.fields(&schema);
    }

    fn fields(&mut self, schema: &Cursor<'s>) {
        let mut fields = Vec::new();
        let mut others = Vec::new();
        collect(schema, &mut fields, &mut others);
        if fields.is_empty() == others.is_empty() {
            return self.fault(
                schema,
                "a form is an object with known fields, or with free ones, not both",
                "`type: object` with `properties`, or with `additionalProperties: {type: string}`",
            );
        }
        for (name, field) in &fields {
            if !is_plain(field, true) {
                self.fault(
                    field,
                    format!("field `{name}` of a form has no text of its own"),
                    "text, a number, a boolean, words, or a list of one of these",
                );
            }
        }
        for other in &others {
            if !other.resolve().is_ok_and(|other| is_text(&other)) {
                self.fault(
                    other,
                    "free fields of a form that are not text",
                    "`additionalProperties: {type: string}`",
                );
            }
        }
    }
}

/// Collects the properties of a schema and its parts, and the schemas of free keys.
fn collect<'s>(
    schema: &Cursor<'s>,
    fields: &mut Vec<(String, Cursor<'s>)>,
    others: &mut Vec<Cursor<'s>>,
) {
    let properties = schema.get("properties");
    fields.extend(properties.map(|all| all.entries()).unwrap_or_default());
    let free = schema.get("additionalProperties");
    others.extend(free.filter(|free| free.value().is_mapping()));
    let parts = schema.get("allOf").map(|parts| parts.items());
    for part in parts.unwrap_or_default() {
        if let Ok(part) = part.resolve() {
            collect(&part, fields, others);
        }
    }
}

fn is_plain(schema: &Cursor<'_>, may_be_list: bool) -> bool {
    let Ok(schema) = schema.resolve() else {
        return true;
    };
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema.get(key) {
            let choices = choices.items();
            let mut real = choices
                .iter()
                .filter(|choice| choice.text("type").as_deref() != Some("null"));
            return match (real.next(), real.next()) {
                (Some(only), None) => is_plain(only, may_be_list),
                _ => false,
            };
        }
    }
    let words: Vec<_> = schema
        .texts("type")
        .into_iter()
        .filter(|word| word != "null")
        .collect();
    match words.as_slice() {
        [] => schema.has("enum") || schema.has("const"),
        [one] if one == "array" => {
            may_be_list
                && schema.get("items").is_some_and(|items| {
                    let secret = items.resolve().is_ok_and(|item| item.flag("x-sensitive"));
                    !secret && is_plain(&items, false)
                })
        }
        [one] => ["boolean", "integer", "number", "string"].contains(&one.as_str()),
        _ => false,
    }
}

fn is_text(schema: &Cursor<'_>) -> bool {
    schema.texts("type") == ["string"]
        && ["enum", "x-sensitive", "x-rust-type"]
            .iter()
            .all(|key| !schema.has(key))
}
