//! Checks that an example is valid for its schema.

use yaml_serde::Value;

use super::super::source::{Cursor, scalar};

/// Returns the fault of a value, and which part of it has the fault.
pub(super) fn fault(schema: &Cursor<'_>, value: &Value) -> Option<String> {
    at(schema, value, "", 0)
}

fn at(schema: &Cursor<'_>, value: &Value, place: &str, depth: usize) -> Option<String> {
    // A missing reference is reported at its place; a recursive one ends with the value.
    let schema = schema.resolve().ok()?;
    if depth > 64 {
        return None;
    }
    let here = |what: String| {
        let place = if place.is_empty() { "it" } else { place };
        Some(format!("{place} {what}"))
    };
    let deeper = |schema: &Cursor<'_>, value: &Value, key: &str| {
        at(
            schema,
            value,
            format!("{place}.{key}").trim_start_matches('.'),
            depth + 1,
        )
    };
    let types = schema.texts("type");
    if !types.is_empty() && !types.iter().any(|word| is_type(word, value)) {
        return here(format!("is not of type {}", types.join(" or ")));
    }
    if let Some(list) = schema.get("enum")
        && !list.items().iter().any(|word| word.value() == value)
    {
        return here(format!("is `{}`, which is not in the enum", scalar(value)));
    }
    if let Some(only) = schema.get("const")
        && only.value() != value
    {
        return here(format!("is not `{}`", scalar(only.value())));
    }
    for part in schema
        .get("allOf")
        .map(|list| list.items())
        .unwrap_or_default()
    {
        if let Some(fault) = at(&part, value, place, depth + 1) {
            return Some(fault);
        }
    }
    for key in ["oneOf", "anyOf"] {
        let choices = schema.get(key).map(|list| list.items()).unwrap_or_default();
        let faults: Vec<_> = choices
            .iter()
            .filter_map(|choice| at(choice, value, place, depth + 1))
            .collect();
        if !choices.is_empty() && faults.len() == choices.len() {
            return here(format!("fits no part of `{key}`"));
        }
    }
    if let Some(fault) = beyond(&schema, value) {
        return here(fault);
    }
    match value {
        Value::Mapping(mapping) => {
            for key in schema.texts("required") {
                if !mapping.iter().any(|(known, _)| scalar(known) == key) {
                    return here(format!("lacks the key `{key}`"));
                }
            }
            let properties = schema.get("properties");
            let others = schema.get("additionalProperties");
            for (key, value) in mapping {
                let key = scalar(key);
                let known = properties
                    .as_ref()
                    .and_then(|properties| properties.get(&key));
                let schema = known.or_else(|| others.clone().filter(|o| o.value().is_mapping()));
                if let Some(fault) = schema.and_then(|schema| deeper(&schema, value, &key)) {
                    return Some(fault);
                }
            }
            None
        }
        Value::Sequence(items) => {
            let schema = schema.get("items")?;
            items
                .iter()
                .enumerate()
                .find_map(|(index, value)| deeper(&schema, value, &index.to_string()))
        }
        _ => None,
    }
}

/// Returns the limit of its own schema that a value exceeds.
fn beyond(schema: &Cursor<'_>, value: &Value) -> Option<String> {
    let limit = |key: &str| schema.get(key).and_then(|limit| limit.value().as_f64());
    let (size, low, high) = match value {
        Value::Number(_) => (value.as_f64()?, "minimum", "maximum"),
        Value::String(text) => (text.chars().count() as f64, "minLength", "maxLength"),
        Value::Sequence(items) => (items.len() as f64, "minItems", "maxItems"),
        _ => return None,
    };
    if limit(low).is_some_and(|low| size < low) {
        return Some(format!("is below its `{low}`"));
    }
    limit(high)
        .is_some_and(|high| size > high)
        .then(|| format!("is above its `{high}`"))
}

fn is_type(word: &str, value: &Value) -> bool {
    match word {
        "null" => value.is_null(),
        "boolean" => value.is_bool(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_sequence(),
        "object" => value.is_mapping(),
        _ => true,
    }
}
