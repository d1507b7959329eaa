//! Schemas.

use yaml_serde::Value;

use super::super::limits::{INTEGERS, NUMBERS, TEXTS};
use super::super::schema::{are_words, only_constrains};
use super::super::source::{Cursor, scalar};
use super::{Lint, example, keys};

impl<'s> Lint<'_, 's> {
    pub(super) fn schema(&mut self, schema: &Cursor<'s>) {
        if self.reference(schema, "schemas") {
            self.rust_name(schema, None);
            self.flags(schema);
            self.default(schema);
            return self.value(schema, "default");
        }
        if schema.value().is_bool() {
            return;
        }
        if !schema.value().is_mapping() {
            return self.fault(
                schema,
                "not a schema",
                "`{type: <type>}` or `{$ref: \"…\"}`",
            );
        }
        self.keys(&keys::SCHEMA, schema);
        self.types(schema);
        self.limits(schema);
        self.object(schema);
        self.words(schema);
        self.extensions(schema);
        for key in ["oneOf", "anyOf", "allOf"] {
            let Some(list) = schema.get(key) else {
                continue;
            };
            if list.items().is_empty() {
                self.fault(&list, format!("`{key}` is empty"), "a list of schemas");
            }
            for part in list.items() {
                match only_constrains(&list) {
                    true => self.required(&part, schema),
                    false => self.schema(&part),
                }
            }
        }
        for (key, property) in schema
            .get("properties")
            .map(|p| p.entries())
            .unwrap_or_default()
        {
            if !property.has("x-rust-name") {
                self.rust_name(&property, Some(&key));
            }
            self.secret(&property, &key, &property);
            self.schema(&property);
            let is_required = schema.texts("required").contains(&key);
            if is_required && let Some(default) = property.get("default") {
                self.fault(
                    &default,
                    format!("a default of `{key}`, which is required and so never absent"),
                    "no `default`, or no `required`",
                );
            }
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(key) {
                self.schema(&inner);
            }
        }
        self.default(schema);
        self.value(schema, "example");
        self.value(schema, "default");
    }

    /// Checks a value in a schema.
    fn value(&mut self, schema: &Cursor<'s>, key: &str) {
        let value = schema
            .get(key)
            .filter(|value| key == "example" || !value.value().is_null());
        if let Some(value) = value
            && let Some(fault) = example::fault(schema, value.value())
        {
            self.fault(
                &value,
                format!("`{key}` does not fit its schema: {fault}"),
                "a value of the schema",
            );
        }
    }

    fn types(&mut self, schema: &Cursor<'s>) {
        let types = schema.texts("type");
        let place = schema.get("type").unwrap_or_else(|| schema.clone());
        for word in &types {
            if !TYPES.contains(&word.as_str()) {
                let near = keys::nearest(word, &TYPES).map(|near| format!("`{near}`"));
                self.fault(
                    &place,
                    format!("there is no type `{word}`"),
                    near.unwrap_or_else(|| format!("one of {}", keys::quoted(&TYPES))),
                );
            }
        }
        if types == ["null"] && schema.entries().len() > 1 {
            self.fault(
                &place,
                "a type that is only null",
                "`type: [<type>, \"null\"]`",
            );
        }
        if types.contains(&"array".to_owned()) && !schema.has("items") && !schema.has("prefixItems")
        {
            self.fault(
                schema,
                "a list without items",
                "`items: <schema>`, or `items: {}` for any",
            );
        }
    }

    /// Checks that limits are for the right type and can be met.
    fn limits(&mut self, schema: &Cursor<'s>) {
        let types = schema.texts("type");
        let is = |words: &[&str]| types.iter().any(|word| words.contains(&word.as_str()));
        for (key, of, what) in LIMITS {
            let Some(value) = schema.get(key) else {
                continue;
            };
            if !is(of) {
                self.fault(
                    &value,
                    format!("`{key}` of what is not {what}"),
                    format!("it beside `type: {}`", of[0]),
                );
            } else if of[0] == "integer" && !value.value().is_number()
                || of[0] != "integer" && value.value().as_u64().is_none()
            {
                self.fault(
                    &value,
                    format!("`{key}: {}` is not a limit", scalar(value.value())),
                    format!("`{key}: <number>`"),
                );
            } else if of[0] == "integer"
                && types.iter().any(|word| word == "integer")
                && value.value().as_i64().is_none()
            {
                self.fault(
                    &value,
                    format!("`{key}: {}` of an integer", scalar(value.value())),
                    "a whole number",
                );
            }
        }
        for key in ["exclusiveMinimum", "exclusiveMaximum"] {
            if let Some(value) = schema.get(key)
                && !types.iter().any(|word| word == "integer")
            {
                self.fault(
                    &value,
                    format!("`{key}` is supported for integers only"),
                    "`minimum` or `maximum`",
                );
            }
        }
        for (low, high) in [
            ("minimum", "maximum"),
            ("minLength", "maxLength"),
            ("minItems", "maxItems"),
        ] {
            let number = |key| schema.get(key).and_then(|value| value.value().as_f64());
            if let (Some(least), Some(most)) = (number(low), number(high))
                && least > most
                && let Some(place) = schema.get(low)
            {
                self.fault(
                    &place,
                    format!("`{low}` is above `{high}`"),
                    "limits that allow some value",
                );
            }
        }
        if let Some(format) = schema.get("format") {
            let word = scalar(format.value());
            let known: Vec<&str> = match () {
                () if is(&["string"]) => TEXTS.iter().map(|(word, _)| *word).collect(),
                () if is(&["integer"]) => INTEGERS.to_vec(),
                () if is(&["number"]) => NUMBERS.to_vec(),
                () => Vec::new(),
            };
            if !known.contains(&word.as_str()) {
                let near = keys::nearest(&word, &known).map(|near| format!("`{near}`"));
                let all = match known.is_empty() {
                    true => "no format".to_owned(),
                    false => format!("one of {}, or nothing", keys::quoted(&known)),
                };
                self.fault(
                    &format,
                    format!("the format `{word}` is not supported"),
                    near.unwrap_or(all),
                );
            }
        }
    }

    /// Checks that the generated type can have a default.
    fn default(&mut self, schema: &Cursor<'s>) {
        let Some(default) = schema.get("default") else {
            return;
        };
        let value = default.value();
        let Ok(resolved) = schema.resolve() else {
            return;
        };
        let is_choice = ["oneOf", "anyOf"].iter().any(|key| resolved.has(key));
        let is_several = resolved.texts("type").len() > 1;
        let is_kept = !["x-sensitive", "x-rust-type", "x-id"]
            .iter()
            .any(|key| resolved.flag(key) || resolved.text(key).is_some());
        let is_empty = match value {
            Value::Sequence(items) => items.is_empty(),
            Value::Mapping(entries) => entries.is_empty(),
            _ => true,
        };
        if !value.is_null() && (is_choice || is_several) {
            self.fault(
                &default,
                "a default of a value with several types",
                "one type, or no `default`",
            );
        } else if !value.is_null() && !is_kept {
            self.fault(
                &default,
                "a default of a type that has none",
                "no `default`: what is absent stays so",
            );
        } else if !is_empty {
            self.fault(
                &default,
                "a default that is not empty",
                "`default: []` or `default: {}`, or none",
            );
        }
    }

    fn object(&mut self, schema: &Cursor<'s>) {
        // With allOf, the property may stand in another part.
        if !schema.has("allOf") {
            self.required(schema, schema);
        }
    }

    /// Checks that properties that one schema requires exist in another.
    fn required(&mut self, schema: &Cursor<'s>, owner: &Cursor<'s>) {
        let properties = owner.get("properties");
        for name in schema
            .get("required")
            .map(|list| list.items())
            .unwrap_or_default()
        {
            let text = scalar(name.value());
            if !properties
                .as_ref()
                .is_some_and(|properties| properties.has(&text))
            {
                self.fault(
                    &name,
                    format!("`{text}` is required and not described"),
                    format!("`{text}:` under `properties`"),
                );
            }
        }
    }

    fn words(&mut self, schema: &Cursor<'s>) {
        let list = schema.get("oneOf").filter(are_words);
        let Some(list) = schema.get("enum").or(list) else {
            if let Some(closed) = schema.get("x-closed") {
                self.fault(
                    &closed,
                    "`x-closed` without an enum",
                    "`enum: [<word>, …]` beside it",
                );
            }
            return;
        };
        let words: Vec<_> = list
            .items()
            .iter()
            .map(|word| scalar(word.get("const").unwrap_or_else(|| word.clone()).value()))
            .collect();
        if words.is_empty() {
            self.fault(&list, "an enum without words", "`enum: [<word>, …]`");
        }
        for (index, word) in words.iter().enumerate() {
            if words[..index].contains(word) {
                self.fault(&list, format!("`{word}` is in the enum twice"), "it once");
            }
        }
    }

    fn flags(&mut self, schema: &Cursor<'s>) {
        for key in [
            "x-sensitive",
            "x-closed",
            "x-hand",
            "x-id",
            "x-public",
            "x-send-null",
        ] {
            if let Some(value) = schema.get(key).filter(|value| !value.value().is_bool()) {
                self.fault(
                    &value,
                    format!("`{key}: {}` is neither yes nor no", scalar(value.value())),
                    format!("`{key}: true`"),
                );
            }
        }
    }

    fn extensions(&mut self, schema: &Cursor<'s>) {
        self.flags(schema);
        let types = schema.texts("type");
        if schema.flag("x-sensitive") && !types.contains(&"string".to_owned()) {
            self.fault(
                &schema.get("x-sensitive").unwrap_or_else(|| schema.clone()),
                "`x-sensitive` on what is not text",
                "it at each property that is a secret, with `type: string`",
            );
        }
        let is_plain = types == ["string"] && !schema.has("enum") && !schema.flag("x-sensitive");
        if schema.flag("x-id") && !is_plain {
            self.fault(
                &schema.get("x-id").unwrap_or_else(|| schema.clone()),
                "`x-id` on what is not a plain text",
                "`type: string` beside it",
            );
        }
        if let Some(older) = schema.get("x-older-name")
            && (types != ["array"] || older.value().as_str().is_none_or(|name| name.is_empty()))
        {
            self.fault(
                &older,
                "`x-older-name` is not the name of a list",
                "the name that older servers have for it, at a property of `type: array`",
            );
        }
        if let Some(model) = schema.get("x-model") {
            self.path_of_a_type(&model, "x-model");
        }
        if let Some(path) = schema.text("x-rust-type") {
            let is_path = is_path(&path);
            if !is_path || types.is_empty() {
                self.fault(
                    &schema.get("x-rust-type").unwrap_or_else(|| schema.clone()),
                    format!("`{path}` cannot stand for this schema"),
                    "the path of a type, such as `crate::HttpUrl`, and what it is on the wire beside it: `type: string`",
                );
            }
        }
        self.rust_name(schema, None);
    }
}

/// Returns whether a text is the path of a type, with its module.
pub(super) fn is_path(text: &str) -> bool {
    syn::parse_str::<syn::Path>(text).is_ok_and(|path| {
        path.segments.len() > 1 && path.segments.iter().all(|part| part.arguments.is_none())
    })
}

/// Limits, the types that have them, and the names of these types.
const LIMITS: [(&str, &[&str], &str); 8] = [
    ("minimum", &["integer", "number"], "a number"),
    ("maximum", &["integer", "number"], "a number"),
    ("exclusiveMinimum", &["integer", "number"], "a number"),
    ("exclusiveMaximum", &["integer", "number"], "a number"),
    ("minLength", &["string"], "a text"),
    ("maxLength", &["string"], "a text"),
    ("minItems", &["array"], "a list"),
    ("maxItems", &["array"], "a list"),
];

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
