//! Values that a description permits: its examples, or else the simplest ones.

use serde_json::{Map, Value, json};

use super::super::limits::Limits;
use super::super::model::{Api, Field, Presence, Shape, Type};

/// Returns a value of a type as JSON; `None` if only a hand-written type knows one.
pub(super) fn of(api: &Api, ty: &Type, limits: &Limits, example: Option<&str>) -> Option<Value> {
    value(api, ty, limits, example, 0)
}

fn value(
    api: &Api,
    ty: &Type,
    limits: &Limits,
    example: Option<&str>,
    depth: usize,
) -> Option<Value> {
    if depth > 8 {
        return None;
    }
    Some(match ty {
        Type::Text | Type::Secret => text(limits, example).into(),
        ty if ty.is_integer() => integer(limits, example).parse::<i64>().ok()?.into(),
        Type::Number => json!(number(limits, example).parse::<f64>().ok()?),
        Type::Boolean => (example != Some("false")).into(),
        Type::Json | Type::Map(_) => json!({}),
        Type::List(item) => {
            let of_item = limits.items.as_deref().cloned().unwrap_or_default();
            let item = value(api, item, &of_item, example, depth + 1)?;
            Value::Array(vec![item; count(limits)])
        }
        Type::Optional(_) => Value::Null,
        Type::Boxed(inner) => value(api, inner, limits, example, depth + 1)?,
        Type::Named(name) => match &api.definition(name)?.shape {
            Shape::Struct { fields, .. } => Value::Object(object(api, fields, depth)?),
            Shape::Words { words, .. } => json!(words.first()?.text),
            Shape::Id { limits } => text(limits, example).into(),
            Shape::Union(choices) => {
                let mut choices = choices.iter();
                choices.find_map(|(_, ty)| value(api, ty, limits, None, depth + 1))?
            }
        },
        // Only the description shows the form of such a value.
        Type::Hand(_) | Type::Shown(_) => example?.into(),
        Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => return None,
    })
}

fn object(api: &Api, fields: &[Field], depth: usize) -> Option<Map<String, Value>> {
    let mut object = Map::new();
    for field in fields {
        let value = match field.presence {
            Presence::Required => {
                let example = field.example.as_deref();
                value(api, &field.ty, &field.limits, example, depth + 1)?
            }
            Presence::RequiredOrNull => Value::Null,
            _ => continue,
        };
        object.insert(field.name.clone(), value);
    }
    Some(object)
}

/// Returns a text within the limits.
pub(super) fn text(limits: &Limits, example: Option<&str>) -> String {
    if let Some(example) = example {
        return example.to_owned();
    }
    let usual = match limits.format.as_deref() {
        Some("uuid") => "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        Some("date") => "2026-01-31",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("email") => "alice@example.com",
        Some("hostname") => "example.com",
        Some("uri") => "https://example.com",
        _ => "example",
    };
    let mut text = usual.to_owned();
    while (text.chars().count() as u64) < limits.min_length.unwrap_or(0) {
        text.push('e');
    }
    let most = usize::try_from(limits.max_length.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    text.chars().take(most).collect()
}

/// Returns an integer within the limits, as it is written.
pub(super) fn integer(limits: &Limits, example: Option<&str>) -> String {
    let whole = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<i64>().ok());
    match example {
        Some(example) => example.to_owned(),
        None => {
            let low = whole(&limits.minimum).unwrap_or(i64::MIN);
            let high = whole(&limits.maximum).unwrap_or(i64::MAX);
            1.clamp(low, high.max(low)).to_string()
        }
    }
}

/// Returns a number within the limits, as it is written.
pub(super) fn number(limits: &Limits, example: Option<&str>) -> String {
    let given = example.or(limits.minimum.as_deref());
    let text = given.or(limits.maximum.as_deref()).unwrap_or("1.0");
    match text.contains(['.', 'e']) {
        true => text.to_owned(),
        false => format!("{text}.0"),
    }
}

/// Returns how many items a list needs; at least one, so that the example shows something.
pub(super) fn count(limits: &Limits) -> usize {
    usize::try_from(limits.min_items.unwrap_or(1).max(1)).unwrap_or(1)
}
