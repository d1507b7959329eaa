//! The keys that each object may have: those of OpenAPI 3.1 that the generator understands or may
//! ignore, and our own.

use super::super::source::{Cursor, Mistake};

/// The keys of one kind of object.
pub(super) struct Keys {
    /// The name of the object in messages.
    what: &'static str,
    known: &'static [&'static str],
}

impl Keys {
    /// Returns a mistake for each key that is not allowed here.
    pub(super) fn check(&self, place: &Cursor<'_>) -> Vec<Mistake> {
        let entries = place.entries();
        let unknown = entries
            .iter()
            .filter(|(key, _)| !self.known.contains(&key.as_str()));
        unknown
            .map(|(key, child)| {
                child.mistake(
                    format!("{} has no key `{key}`", self.what),
                    self.instead(key),
                )
            })
            .collect()
    }

    fn instead(&self, key: &str) -> String {
        if let Some((_, instead)) = OLD.iter().find(|(old, _)| *old == key) {
            return (*instead).to_owned();
        }
        match nearest(key, self.known) {
            Some(known) => format!("`{known}`"),
            None => format!("one of {}", quoted(self.known)),
        }
    }
}

/// Lists words for a message.
pub(super) fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the known word that is closest to a misspelt one, if any is close.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let close = known
        .iter()
        .map(|known| (distance(word, known), *known))
        .min()?;
    (close.0 <= 2 && close.0 < word.len()).then_some(close.1)
}

/// Counts the letters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Keys of OpenAPI 3.0 and of other generators, with their replacements.
const OLD: &[(&str, &str)] = &[
    ("nullable", "`type: [<type>, \"null\"]`"),
    (
        "discriminator",
        "`oneOf` alone: variants are distinguished by their form",
    ),
    ("patternProperties", "`additionalProperties`"),
    ("x-nullable", "`type: [<type>, \"null\"]`"),
];

pub(super) const ROOT: Keys = Keys {
    what: "a description",
    known: &[
        "openapi",
        "info",
        "servers",
        "tags",
        "security",
        "paths",
        "components",
        "externalDocs",
        "x-base",
        "x-errors",
        "x-repeat-after",
        "x-client",
        "x-credential",
        "x-by-name",
        "x-emulator",
        "x-examples",
        "x-groups",
        "x-hand",
        "x-kinds",
    ],
};

pub(super) const EXAMPLES: Keys = Keys {
    what: "`x-examples`",
    known: &["setup", "values"],
};

pub(super) const INFO: Keys = Keys {
    what: "`info`",
    known: &[
        "title",
        "version",
        "summary",
        "description",
        "license",
        "contact",
        "termsOfService",
    ],
};

pub(super) const COMPONENTS: Keys = Keys {
    what: "`components`",
    known: &[
        "securitySchemes",
        "parameters",
        "requestBodies",
        "responses",
        "headers",
        "examples",
        "schemas",
    ],
};

pub(super) const PATH: Keys = Keys {
    what: "a path",
    known: &[
        "get",
        "head",
        "post",
        "put",
        "patch",
        "delete",
        "options",
        "parameters",
        "servers",
        "summary",
        "description",
    ],
};

pub(super) const OPERATION: Keys = Keys {
    what: "an operation",
    known: &[
        "operationId",
        "summary",
        "description",
        "tags",
        "parameters",
        "requestBody",
        "responses",
        "security",
        "deprecated",
        "externalDocs",
        "x-repeat",
        "x-response-limit",
        "x-errors",
        "x-kinds",
        "x-rust-name",
        "x-doc-alias",
        "x-absent",
        "x-answer",
        "x-arguments",
        "x-audience",
        "x-check",
        "x-empty",
        "x-hand",
        "x-method",
        "x-page",
        "x-dialect",
        "x-required-access",
        "x-setup",
    ],
};

pub(super) const PAGE: Keys = Keys {
    what: "`x-page`",
    known: &[
        "style", "items", "total", "next", "key", "size", "offset", "limit", "param",
    ],
};

pub(super) const PARAMETER: Keys = Keys {
    what: "a parameter",
    known: &[
        "name",
        "in",
        "required",
        "description",
        "schema",
        "style",
        "explode",
        "allowEmptyValue",
        "example",
        "examples",
        "deprecated",
        "x-call-option",
        "x-refuse",
        "x-sensitive",
        "x-rust-name",
    ],
};

pub(super) const HEADER: Keys = Keys {
    what: "a header",
    known: &[
        "description",
        "required",
        "schema",
        "example",
        "examples",
        "deprecated",
    ],
};

pub(super) const BODY: Keys = Keys {
    what: "a request body",
    known: &["description", "required", "content"],
};

pub(super) const RESPONSE: Keys = Keys {
    what: "a response",
    known: &["description", "headers", "content"],
};

pub(super) const MEDIA: Keys = Keys {
    what: "a media type",
    known: &["schema", "example", "examples"],
};

pub(super) const REFERENCE: Keys = Keys {
    what: "a reference",
    known: &["$ref", "description"],
};

/// A reference within a schema: its neighbours describe the place, not the target.
pub(super) const SCHEMA_REFERENCE: Keys = Keys {
    what: "a reference to a schema",
    known: &[
        "$ref",
        "description",
        "default",
        "deprecated",
        "x-rust-name",
        "x-send-null",
    ],
};

/// The schema of a body that is an object with one entry.
pub(super) const ENTRY: Keys = Keys {
    what: "a body that is one key and its value",
    known: &[
        "type",
        "propertyNames",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "description",
        "example",
    ],
};

pub(super) const SCHEMA: Keys = Keys {
    what: "a schema",
    known: &[
        "type",
        "enum",
        "const",
        "oneOf",
        "anyOf",
        "allOf",
        "not",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
        "uniqueItems",
        "prefixItems",
        "contentMediaType",
        "contentEncoding",
        "x-sensitive",
        "x-closed",
        "x-hand",
        "x-id",
        "x-model",
        "x-older-name",
        "x-public",
        "x-rust-name",
        "x-rust-type",
        "x-doc-alias",
        "x-send-null",
    ],
};
