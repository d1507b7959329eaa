//! Reads types from schemas: named ones, and those written in place.

use std::collections::BTreeMap;

use super::limits::Limits;
use super::model::{Audience, DefaultValue, Field, Presence, Shape, Type, TypeDef, Word};
use super::names;
use super::source::{Cursor, Mistake, scalar};

/// Collects the types that schemas need.
pub(crate) struct Types<'s> {
    pub(super) root: Cursor<'s>,
    pub(super) defs: Vec<TypeDef>,
    /// The line of the schema for each name: the same name from two schemas is a mistake.
    pub(super) made: BTreeMap<String, usize>,
}

impl<'s> Types<'s> {
    pub(crate) fn new(root: &Cursor<'s>) -> Self {
        Self {
            root: root.clone(),
            defs: Vec::new(),
            made: BTreeMap::new(),
        }
    }

    /// Returns the type of a schema; `hint` is the name if it needs one and has none.
    pub(crate) fn of(&mut self, schema: &Cursor<'s>, hint: &str) -> Result<Type, Mistake> {
        if let Some(target) = schema.text("$ref") {
            let hint = names::pascal(target.rsplit('/').next().unwrap_or_default());
            return self.of(&schema.follow(&target)?, &hint);
        }
        let name = schema
            .text("x-rust-name")
            .unwrap_or_else(|| hint.to_owned());
        let (words, null) = type_words(schema);
        let ty = self.without_null(schema, &name, &words)?;
        Ok(if null { ty.or_null() } else { ty })
    }

    /// Returns the type of a schema whose `x-rust-name` is not the type's.
    pub(crate) fn unnamed(&mut self, schema: &Cursor<'s>, hint: &str) -> Result<Type, Mistake> {
        if schema.has("$ref") || !schema.has("x-rust-name") {
            return self.of(schema, hint);
        }
        let (words, null) = type_words(schema);
        let ty = self.without_null(schema, hint, &words)?;
        Ok(if null { ty.or_null() } else { ty })
    }

    fn without_null(
        &mut self,
        schema: &Cursor<'s>,
        name: &str,
        words: &[String],
    ) -> Result<Type, Mistake> {
        if schema.flag("x-sensitive") {
            return Ok(Type::Secret);
        }
        if let Some(path) = schema.text("x-rust-type") {
            return Ok(Type::Hand(path));
        }
        if schema.flag("x-id") {
            let limits = Limits::of(schema);
            return self.define(schema, name, Shape::Id { limits });
        }
        let is_text = words.is_empty() || words.iter().all(|word| word == "string");
        if let Some(only) = schema.get("const")
            && is_text
            && only.value().is_string()
        {
            return self.words(schema, name, &[only], true);
        }
        if let Some(list) = schema.get("enum") {
            let values: Vec<_> = list
                .items()
                .into_iter()
                .filter(|value| !value.value().is_null())
                .collect();
            if is_text && values.iter().all(|value| value.value().is_string()) {
                return self.words(schema, name, &values, schema.flag("x-closed"));
            }
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(list) = schema.get(key).filter(|list| !only_constrains(list)) {
                return match are_words(&list) {
                    true => self.words(schema, name, &list.items(), schema.flag("x-closed")),
                    false => self.union(schema, name, &list.items()),
                };
            }
        }
        if let Some(list) = schema.get("allOf") {
            return match list.items().as_slice() {
                [only] if !schema.has("properties") => self.of(only, name),
                _ => self.record(schema, name),
            };
        }
        match words {
            [] if schema.has("properties") => self.record(schema, name),
            [] if schema.has("items") => self.list(schema, name),
            [] if schema.has("additionalProperties") => self.map(schema, name),
            [] => Ok(Type::Json),
            [one] => match one.as_str() {
                "string" => Ok(Type::Text),
                "integer" => Ok(match schema.text("format").as_deref() {
                    Some("uint64") => Type::Unsigned,
                    Some("uint32") => Type::Unsigned32,
                    Some("int32") => Type::Integer32,
                    _ => Type::Integer,
                }),
                "number" => Ok(Type::Number),
                "boolean" => Ok(Type::Boolean),
                "array" => self.list(schema, name),
                _ if schema.has("properties") => self.record(schema, name),
                _ => self.map(schema, name),
            },
            several => {
                let mut variants = Vec::new();
                for word in several {
                    let ty = self.without_null(
                        schema,
                        &format!("{name}{}", names::pascal(word)),
                        std::slice::from_ref(word),
                    )?;
                    variants.push((variant(&ty), ty));
                }
                self.reachable(schema, &variants)?;
                self.define(schema, name, Shape::Union(variants))
            }
        }
    }

    fn list(&mut self, schema: &Cursor<'s>, name: &str) -> Result<Type, Mistake> {
        let item = match schema.get("items") {
            Some(items) => self.of(&items, &format!("{name}Item"))?,
            None => Type::Json,
        };
        Ok(Type::List(Box::new(item)))
    }

    fn map(&mut self, schema: &Cursor<'s>, name: &str) -> Result<Type, Mistake> {
        let value = match schema.get("additionalProperties") {
            Some(values) if values.value().is_mapping() => {
                self.of(&values, &format!("{name}Value"))?
            }
            _ => Type::Json,
        };
        Ok(Type::Map(Box::new(value)))
    }

    fn words(
        &mut self,
        schema: &Cursor<'s>,
        name: &str,
        values: &[Cursor<'s>],
        closed: bool,
    ) -> Result<Type, Mistake> {
        let mut words: Vec<Word> = Vec::new();
        for value in values {
            let text = value.get("const").unwrap_or_else(|| value.clone());
            let text = scalar(text.value());
            let mut variant = names::pascal(&text);
            if !closed && variant == "Unknown" {
                variant.push_str("Word");
            }
            while words.iter().any(|other| other.variant == variant) {
                variant.push('_');
            }
            words.push(Word {
                text,
                variant,
                description: value.text("description"),
            });
        }
        self.define(schema, name, Shape::Words { words, closed })
    }

    fn union(
        &mut self,
        schema: &Cursor<'s>,
        name: &str,
        choices: &[Cursor<'s>],
    ) -> Result<Type, Mistake> {
        let is_null = |choice: &Cursor<'s>| choice.text("type").as_deref() == Some("null");
        let null = choices.iter().any(is_null);
        let choices: Vec<_> = choices.iter().filter(|choice| !is_null(choice)).collect();
        let ty = if let [only] = choices.as_slice() {
            self.of(only, name)?
        } else {
            let mut variants: Vec<(String, Type)> = Vec::new();
            for (index, choice) in choices.iter().enumerate() {
                let ty = self.of(choice, &format!("{name}{}", index + 1))?;
                // Two texts that differ by format are one type here.
                if variants.iter().any(|(_, other)| *other == ty) {
                    continue;
                }
                let name = choice.text("x-rust-name").unwrap_or_else(|| variant(&ty));
                if variants.iter().any(|(other, _)| *other == name) {
                    return Err(choice.mistake(
                        format!("two choices are called {name}"),
                        "an `x-rust-name` at one of them",
                    ));
                }
                variants.push((name, ty));
            }
            match variants.as_slice() {
                [(_, only)] => only.clone(),
                _ => {
                    self.reachable(schema, &variants)?;
                    self.define(schema, name, Shape::Union(variants))?
                }
            }
        };
        Ok(if null { ty.or_null() } else { ty })
    }

    /// Checks that no choice takes every value of a later one.
    fn reachable(&self, schema: &Cursor<'s>, variants: &[(String, Type)]) -> Result<(), Mistake> {
        for (index, (earlier, first)) in variants.iter().enumerate() {
            for (later, second) in &variants[index + 1..] {
                let is_text = match second {
                    Type::Secret | Type::Hand(_) => true,
                    Type::Named(name) => self.defs.iter().any(|def| {
                        def.name == *name
                            && matches!(def.shape, Shape::Words { .. } | Shape::Id { .. })
                    }),
                    _ => false,
                };
                let takes = match first {
                    Type::Json => true,
                    Type::Text | Type::Secret => is_text || *second == Type::Text,
                    Type::Number => second.is_integer(),
                    Type::Integer => second.is_integer(),
                    _ => false,
                };
                if takes {
                    return Err(schema.mistake(
                        format!("the choice {earlier} accepts every value of {later}"),
                        format!("{later} before {earlier}, or one of them alone"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, schema: &Cursor<'s>, name: &str) -> Result<Type, Mistake> {
        if self.is_made(schema, name)? {
            return Ok(Type::Named(name.to_owned()));
        }
        // Registered before its fields are read: one of them may refer back to it.
        let shape = Shape::Struct {
            fields: Vec::new(),
            rest: None,
        };
        let ty = self.define(schema, name, shape)?;
        let mut fields = Vec::new();
        let mut rest = None;
        self.fields(schema, name, &mut fields, &mut rest)?;
        if let Some(def) = self.defs.iter_mut().find(|def| def.name == name) {
            def.shape = Shape::Struct { fields, rest };
        }
        Ok(ty)
    }

    fn fields(
        &mut self,
        schema: &Cursor<'s>,
        name: &str,
        fields: &mut Vec<Field>,
        rest: &mut Option<Type>,
    ) -> Result<(), Mistake> {
        for part in schema
            .get("allOf")
            .map(|list| list.items())
            .unwrap_or_default()
        {
            self.fields(&part.resolve()?, name, fields, rest)?;
        }
        let required = schema.texts("required");
        let nulls = schema.flag("x-send-null");
        for (key, property) in schema
            .get("properties")
            .map(|p| p.entries())
            .unwrap_or_default()
        {
            let field = self.field(&key, &property, name, required.contains(&key), nulls)?;
            if fields
                .iter()
                .any(|other| other.rust == field.rust && other.name != key)
            {
                return Err(property.mistake(
                    format!("property \"{key}\" has the same name in Rust as another one"),
                    "the property with an `x-rust-name` of its own",
                ));
            }
            // A later part of an allOf may have more details of a property than an earlier one.
            match fields.iter_mut().find(|other| other.name == key) {
                Some(other) => *other = field,
                None => fields.push(field),
            }
        }
        // A property may be required by a later part than the one that describes it.
        for field in fields
            .iter_mut()
            .filter(|field| required.contains(&field.name))
        {
            field.presence = match (&field.ty, &field.presence) {
                (_, Presence::Constant(_)) => continue,
                (Type::Optional(_), _) => Presence::RequiredOrNull,
                _ => Presence::Required,
            };
        }
        if schema.has("properties")
            && let Some(values) = schema.get("additionalProperties")
            && values.value().is_mapping()
        {
            *rest = Some(self.of(&values, &format!("{name}Value"))?);
        }
        Ok(())
    }

    fn field(
        &mut self,
        key: &str,
        property: &Cursor<'s>,
        owner: &str,
        required: bool,
        nulls: bool,
    ) -> Result<Field, Mistake> {
        let resolved = property.resolve()?;
        // At a property, the name is the field's; behind a reference, it is the type's.
        let rust = property
            .text("x-rust-name")
            .unwrap_or_else(|| key.to_owned());
        let hint = format!("{owner}{}", names::pascal(&rust));
        let ty = self.unnamed(property, &hint)?;
        let sent_null = match property.get("x-send-null") {
            Some(own) => own.value().as_bool() == Some(true),
            None => nulls,
        };
        let default = property
            .get("default")
            .filter(|value| !value.value().is_null());
        let constant = resolved
            .get("const")
            .and_then(|only| self.variant_of(ty.name()?, &scalar(only.value())));
        let presence = match (&ty, default) {
            (Type::Named(_), _) if required && let Some(variant) = constant => {
                Presence::Constant(variant)
            }
            (Type::Optional(_), _) if required => Presence::RequiredOrNull,
            _ if required => Presence::Required,
            (Type::Optional(_), _) if sent_null => Presence::SentNull,
            (Type::List(_) | Type::Map(_), _) => Presence::Empty,
            (Type::Boolean, Some(value)) if value.value().as_bool() == Some(true) => {
                Presence::Default(DefaultValue::True)
            }
            (Type::Boolean, Some(_)) => Presence::Empty,
            (ty, Some(value)) if ty.is_integer() => match value.value().as_i64() {
                Some(0) | None => Presence::Empty,
                Some(number) => Presence::Default(DefaultValue::Integer(number)),
            },
            (Type::Number, Some(value)) => {
                Presence::Default(DefaultValue::Number(scalar(value.value())))
            }
            (Type::Text, Some(value)) => {
                Presence::Default(DefaultValue::Text(scalar(value.value())))
            }
            (Type::Named(_), Some(value)) if value.value().is_mapping() => Presence::Empty,
            (Type::Named(name), Some(value)) => {
                let word = scalar(value.value());
                self.variant_of(name, &word)
                    .map_or(Presence::Optional, |v| {
                        Presence::Default(DefaultValue::Word(v))
                    })
            }
            _ if sent_null => Presence::SentNull,
            _ => Presence::Optional,
        };
        let ty = match presence {
            Presence::Optional | Presence::SentNull => ty.or_null(),
            _ => ty,
        };
        Ok(Field {
            name: key.to_owned(),
            rust: names::snake(&rust),
            description: property
                .text("description")
                .or_else(|| resolved.text("description")),
            ty,
            presence,
            older_name: property.text("x-older-name"),
            limits: Limits::of(property),
            example: property
                .get("example")
                .or_else(|| resolved.get("example"))
                .filter(|value| !value.value().is_mapping() && !value.value().is_sequence())
                .map(|value| scalar(value.value())),
        })
    }

    fn variant_of(&self, name: &str, word: &str) -> Option<String> {
        let def = self.defs.iter().find(|def| def.name == name)?;
        let Shape::Words { words, .. } = &def.shape else {
            return None;
        };
        let mut words = words.iter();
        let found = words.find(|known| known.text == word)?;
        Some(found.variant.clone())
    }

    fn is_made(&self, schema: &Cursor<'s>, name: &str) -> Result<bool, Mistake> {
        match self.made.get(name) {
            None => Ok(false),
            Some(&line) if line == schema.line() => Ok(true),
            Some(line) => Err(schema.mistake(
                format!("the type {name} is made from the schema on line {line} already"),
                "an `x-rust-name` that no other schema has",
            )),
        }
    }

    fn define(&mut self, schema: &Cursor<'s>, name: &str, shape: Shape) -> Result<Type, Mistake> {
        if RESERVED.contains(&name) {
            return Err(schema.mistake(
                format!("a type cannot be called {name}: the generated code uses this name"),
                "an `x-rust-name` of another name",
            ));
        }
        if !self.is_made(schema, name)? {
            self.made.insert(name.to_owned(), schema.line());
            self.defs.push(TypeDef {
                name: name.to_owned(),
                description: schema.text("description"),
                aliases: schema.texts("x-doc-alias"),
                shape,
                is_public: schema.flag("x-public"),
                model: schema.text("x-model"),
                is_by_hand: schema.flag("x-hand"),
                audience: Audience::Emulator,
                is_constant: false,
                is_used: false,
                in_request: false,
                is_sent: false,
                has_secret: false,
            });
        }
        Ok(Type::Named(name.to_owned()))
    }
}

/// Returns the words of `type` without `null`, and whether null was among them.
fn type_words(schema: &Cursor<'_>) -> (Vec<String>, bool) {
    let mut words = schema.texts("type");
    let mut null = words.iter().any(|word| word == "null");
    words.retain(|word| word != "null");
    // `enum: [a, null]` says the same.
    if let Some(values) = schema.get("enum") {
        null |= values.items().iter().any(|value| value.value().is_null());
    }
    (words, null)
}

/// Returns whether a list of choices only states which keys belong together.
pub(crate) fn only_constrains(choices: &Cursor<'_>) -> bool {
    choices.items().iter().all(|choice| {
        let keys = choice.entries();
        !keys.is_empty()
            && keys
                .iter()
                .all(|(key, _)| matches!(key.as_str(), "required" | "not"))
    })
}

/// Returns whether a `oneOf` lists words with their meanings.
pub(crate) fn are_words(choices: &Cursor<'_>) -> bool {
    let is_word = |choice: &Cursor<'_>| {
        let word = choice.get("const");
        word.is_some_and(|word| word.value().is_string())
    };
    let choices = choices.items();
    !choices.is_empty() && choices.iter().all(is_word)
}

/// Returns the example of a media type, or of its schema.
pub(crate) fn example<'s>(content: &Cursor<'s>) -> Result<Option<Cursor<'s>>, Mistake> {
    if let Some(example) = content.get("example") {
        return Ok(Some(example));
    }
    let named = content
        .get("examples")
        .and_then(|e| e.entries().into_iter().next());
    if let Some((_, named)) = named {
        return Ok(named.resolve()?.get("value"));
    }
    let Some(schema) = content.get("schema") else {
        return Ok(None);
    };
    let schema = schema.resolve()?;
    Ok(schema.get("example").or_else(|| {
        schema
            .get("examples")
            .and_then(|list| list.items().into_iter().next())
    }))
}

/// Returns the name of a variant of a union, from its type.
fn variant(ty: &Type) -> String {
    match ty {
        Type::Text => "Text".to_owned(),
        Type::Secret => "Secret".to_owned(),
        Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => "Integer".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Boolean => "Boolean".to_owned(),
        Type::Json => "Other".to_owned(),
        Type::List(_) => "List".to_owned(),
        Type::Map(_) => "Map".to_owned(),
        Type::Optional(inner) | Type::Boxed(inner) => variant(inner),
        Type::Named(name) => name.clone(),
        Type::Hand(path) | Type::Shown(path) => {
            path.rsplit("::").next().unwrap_or_default().to_owned()
        }
    }
}

const RESERVED: [&str; 10] = [
    "BTreeMap",
    "Box",
    "Deserialize",
    "From",
    "Option",
    "Result",
    "Secret",
    "Serialize",
    "String",
    "Vec",
];
