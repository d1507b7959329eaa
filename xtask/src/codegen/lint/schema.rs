//! Schemas.

use super::super::schema::only_constrains;
use super::super::source::{Cursor, scalar};
use super::{Lint, example, keys};

impl<'s> Lint<'_, 's> {
    pub(super) fn schema(&mut self, schema: &Cursor<'s>) {
        if self.reference(schema, "schemas") {
            self.rust_name(schema, None);
            self.flags(schema);
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
        self.object(schema);
        self.words(schema);
        self.extensions(schema);
        for key in ["oneOf", "anyOf", "allOf"] {
            let Some(list) = schema.get(key) else {
                continue;
            };
            if list.items().is_empty() {
                self.fault(&list, format!("`{key}` of nothing"), "a list of schemas");
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
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(key) {
                self.schema(&inner);
            }
        }
        self.value(schema, "example");
        self.value(schema, "default");
    }

    /// Checks a value that stands in a schema.
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

    fn object(&mut self, schema: &Cursor<'s>) {
        // With allOf, the property may stand in another part.
        if !schema.has("allOf") {
            self.required(schema, schema);
        }
    }

    /// Checks that what one schema requires is among the properties of another.
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
        let Some(list) = schema.get("enum") else {
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
            .map(|word| scalar(word.value()))
            .collect();
        if words.is_empty() {
            self.fault(&list, "an enum of nothing", "`enum: [<word>, …]`");
        }
        for (index, word) in words.iter().enumerate() {
            if words[..index].contains(word) {
                self.fault(&list, format!("`{word}` is in the enum twice"), "it once");
            }
        }
    }

    fn flags(&mut self, schema: &Cursor<'s>) {
        for key in ["x-sensitive", "x-closed", "x-public", "x-send-null"] {
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
        if let Some(path) = schema.text("x-rust-type") {
            let is_path = syn::parse_str::<syn::Path>(&path).is_ok_and(|path| {
                path.segments.len() > 1 && path.segments.iter().all(|part| part.arguments.is_none())
            });
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

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
