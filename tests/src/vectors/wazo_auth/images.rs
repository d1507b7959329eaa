//! The ids of this run that correspond to recorded ones.
//!
//! UUIDs that the service makes differ from the recorded ones, so texts are compared in pieces: what
//! is no UUID must be equal, and a UUID must be the image of the recorded one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The actual value of each recorded one.
#[derive(Clone, Debug, Default)]
pub(super) struct Images(BTreeMap<String, String>);

impl Images {
    /// Begins with every UUID of a text as its own image.
    pub(super) fn of_fixture(text: &str) -> Self {
        let mut images = Self::default();
        for piece in pieces(text) {
            if let Piece::Uuid(uuid) = piece {
                images.bind(uuid, uuid);
            }
        }
        images
    }

    pub(super) fn bind(&mut self, recorded: &str, actual: &str) {
        self.0.insert(recorded.to_owned(), actual.to_owned());
    }

    /// Returns the image, in the case of the recorded value.
    fn of(&self, recorded: &str) -> Option<String> {
        if let Some(image) = self.0.get(recorded) {
            return Some(image.clone());
        }
        let image = self.0.get(&recorded.to_lowercase())?;
        let is_upper = recorded == recorded.to_uppercase();
        Some(if is_upper {
            image.to_uppercase()
        } else {
            image.clone()
        })
    }

    /// Replaces what was recorded; a UUID that is unknown was chosen by the caller.
    pub(super) fn map(&self, text: &str) -> String {
        if let Some(image) = self.0.get(text) {
            return image.clone();
        }
        let piece = |piece: Piece<'_>| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Uuid(uuid) => self.of(uuid).unwrap_or_else(|| uuid.to_owned()),
        };
        pieces(text).map(piece).collect()
    }

    pub(super) fn mapped(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.map(text).into(),
            Value::Array(items) => items.iter().map(|item| self.mapped(item)).collect(),
            Value::Object(members) => {
                let member =
                    |(name, value): (&String, &Value)| (self.map(name), self.mapped(value));
                members.iter().map(member).collect::<Map<_, _>>().into()
            }
            plain => plain.clone(),
        }
    }

    /// Compares a text, and binds what is not known yet.
    pub(super) fn fits(&mut self, recorded: &str, actual: &str) -> bool {
        if self.0.get(recorded).is_some_and(|image| image == actual) {
            return true;
        }
        let recorded: Vec<_> = pieces(recorded).collect();
        let actual: Vec<_> = pieces(actual).collect();
        let pairs = || recorded.iter().zip(&actual);
        let is_same = recorded.len() == actual.len()
            && pairs().all(|pair| match pair {
                (Piece::Text(recorded), Piece::Text(actual)) => recorded == actual,
                (Piece::Uuid(recorded), Piece::Uuid(actual)) => {
                    self.of(recorded).is_none_or(|image| image == *actual)
                }
                _ => false,
            });
        let unknown: Vec<_> = pairs()
            .filter_map(|pair| match pair {
                (Piece::Uuid(recorded), Piece::Uuid(actual)) if is_same => {
                    self.of(recorded).is_none().then_some((*recorded, *actual))
                }
                _ => None,
            })
            .collect();
        for (recorded, actual) in unknown {
            self.bind(recorded, actual);
        }
        is_same
    }

    /// Counts the UUIDs in a value that are not known yet.
    pub(super) fn unknown_in(&self, value: &Value) -> usize {
        let text = value.to_string();
        let is_unknown =
            |piece: &Piece<'_>| matches!(piece, Piece::Uuid(uuid) if self.of(uuid).is_none());
        pieces(&text).filter(is_unknown).count()
    }
}

/// A part of a text.
#[derive(Clone, Copy)]
enum Piece<'t> {
    Text(&'t str),
    Uuid(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = (0..rest.len()).find(|&at| rest.get(at..at + 36).is_some_and(is_uuid));
        let (piece, next) = match at {
            Some(0) => (Piece::Uuid(&rest[..36]), &rest[36..]),
            Some(at) => (Piece::Text(&rest[..at]), &rest[at..]),
            None => (Piece::Text(rest), ""),
        };
        rest = next;
        Some(piece)
    })
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
