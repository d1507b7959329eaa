//! A description as text and tree, and cursors into it with line numbers.

use std::fmt;

use yaml_serde::Value;

use super::locate::Lines;

/// One description file: a plain tree with line numbers, for the linter.
pub(crate) struct Source {
    /// The path from the root of the workspace, as it is shown in messages.
    pub(crate) name: String,
    tree: Value,
    lines: Lines,
}

impl Source {
    /// Parses a description.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Mistake> {
        let tree: Value = yaml_serde::from_str(text).map_err(|e| not_yaml(name, &e))?;
        Ok(Self {
            name: name.to_owned(),
            tree,
            lines: Lines::of(text),
        })
    }

    /// Returns a cursor at the root.
    pub(crate) fn root(&self) -> Cursor<'_> {
        Cursor {
            source: self,
            value: &self.tree,
            path: Vec::new(),
        }
    }
}

fn not_yaml(name: &str, error: &yaml_serde::Error) -> Mistake {
    Mistake {
        file: name.to_owned(),
        line: error.location().map_or(1, |place| place.line()),
        what: format!("the description cannot be parsed: {error}"),
        instead: "YAML that follows OpenAPI 3.1".to_owned(),
    }
}

/// A place in a description.
#[derive(Clone)]
pub(crate) struct Cursor<'s> {
    source: &'s Source,
    value: &'s Value,
    path: Vec<String>,
}

impl<'s> Cursor<'s> {
    /// Returns the child under a key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.entries()
            .into_iter()
            .find(|(k, _)| k == key)
            .map(|(_, child)| child)
    }

    /// Returns whether there is such a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns keys and children of a mapping, in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(String, Self)> {
        let Value::Mapping(mapping) = self.value else {
            return Vec::new();
        };
        mapping
            .iter()
            .map(|(key, value)| {
                let key = scalar(key);
                let child = self.child(&key, value);
                (key, child)
            })
            .collect()
    }

    /// Returns the children whose keys are not text, such as a status without quotes.
    pub(crate) fn odd_keys(&self) -> Vec<Self> {
        let Value::Mapping(mapping) = self.value else {
            return Vec::new();
        };
        let odd = mapping.iter().filter(|(key, _)| !key.is_string());
        odd.map(|(key, value)| self.child(&scalar(key), value))
            .collect()
    }

    /// Returns the last key of the path.
    pub(crate) fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Returns the children of a list.
    pub(crate) fn items(&self) -> Vec<Self> {
        let Value::Sequence(items) = self.value else {
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, value)| self.child(&index.to_string(), value))
            .collect()
    }

    /// Returns the text of a child, with its line breaks folded to spaces.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let child = self.get(key)?;
        Some(
            child
                .value
                .as_str()?
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// Returns the texts of a child that is a list, or one text.
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let Some(child) = self.get(key) else {
            return Vec::new();
        };
        match child.value {
            Value::Sequence(items) => items.iter().map(scalar).collect(),
            one => vec![scalar(one)],
        }
    }

    /// Returns whether a child is `true`.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|child| child.value.as_bool() == Some(true))
    }

    /// Returns the value itself.
    pub(crate) fn value(&self) -> &'s Value {
        self.value
    }

    /// Follows a `$ref` to its final target; returns the cursor itself if it is not a reference.
    pub(crate) fn resolve(&self) -> Result<Self, Mistake> {
        let mut here = self.clone();
        for _ in 0..16 {
            let Some(target) = here.text("$ref") else {
                return Ok(here);
            };
            here = here.follow(&target)?;
        }
        Err(self.mistake("a $ref that refers to itself", "a $ref to another schema"))
    }

    /// Returns the target of a reference within this file.
    pub(crate) fn follow(&self, target: &str) -> Result<Self, Mistake> {
        let missing = || {
            self.mistake(
                format!("$ref \"{target}\" does not exist"),
                "\"#/components/<schemas|parameters|responses|requestBodies|headers>/<name>\" of \
                 something in this file",
            )
        };
        let path = target.strip_prefix("#/").ok_or_else(missing)?;
        let mut here = self.source.root();
        for key in path.split('/') {
            here = here
                .get(&key.replace("~1", "/").replace("~0", "~"))
                .ok_or_else(missing)?;
        }
        Ok(here)
    }

    /// Returns the line of this place; of the nearest one around it for a flow mapping.
    pub(crate) fn line(&self) -> usize {
        self.source.lines.line(&self.path)
    }

    /// Creates a mistake at this place.
    pub(crate) fn mistake(&self, what: impl Into<String>, instead: impl Into<String>) -> Mistake {
        Mistake {
            file: self.source.name.clone(),
            line: self.line(),
            what: what.into(),
            instead: instead.into(),
        }
    }

    fn child(&self, key: &str, value: &'s Value) -> Self {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Self {
            source: self.source,
            value,
            path,
        }
    }
}

/// Writes a scalar in the form of the file.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null => "null".to_owned(),
        _ => "…".to_owned(),
    }
}

/// A fault in a description: where it is, what it is, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) instead: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            what,
            instead,
        } = self;
        write!(f, "{file}:{line}: {what}; write instead: {instead}")
    }
}
