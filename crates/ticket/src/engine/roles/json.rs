//! Reads JSON once, without a tree. Each level of the document decides what to make of a value, and
//! of one that does not belong there. Everything is read to the end, so that invalid JSON is found
//! wherever it is.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How one level of the document handles a value.
pub(super) trait Level<'de>: Sized {
    /// The result.
    type Made;

    /// Handles a value of an unexpected type, whose name is used in error texts. It has been read
    /// to its end.
    fn other(self, kind: &'static str) -> Self::Made;

    fn text(self, _: Cow<'de, str>) -> Self::Made {
        self.other("String")
    }

    fn uint(self, number: u64) -> Self::Made {
        self.other(match i64::try_from(number) {
            Ok(_) => "Integer",
            Err(_) => "UInteger",
        })
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Made, A::Error> {
        while items.next_element_seed(Value(Passed))?.is_some() {}
        Ok(self.other("Array"))
    }

    fn map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Made, A::Error> {
        pass_entries(&mut entries)?;
        Ok(self.other("Map"))
    }
}

/// Reads and discards the remaining entries of a map.
pub(super) fn pass_entries<'de, A: MapAccess<'de>>(entries: &mut A) -> Result<(), A::Error> {
    while entries
        .next_entry_seed(Value(Passed), Value(Passed))?
        .is_some()
    {}
    Ok(())
}

/// A value that is discarded.
pub(super) struct Passed;

impl<'de> Level<'de> for Passed {
    type Made = ();

    fn other(self, _: &'static str) {}
}

/// The key of an entry: borrowed if it has no escapes.
pub(super) struct Key<'de>(PhantomData<&'de str>);

impl Key<'_> {
    pub(super) fn new() -> Value<Self> {
        Value(Self(PhantomData))
    }
}

impl<'de> Level<'de> for Key<'de> {
    type Made = Cow<'de, str>;

    fn other(self, _: &'static str) -> Self::Made {
        // JSON keys are always texts.
        Cow::Borrowed("")
    }

    fn text(self, text: Cow<'de, str>) -> Self::Made {
        text
    }
}

/// Reads one value for a level.
pub(super) struct Value<L>(pub(super) L);

impl<'de, L: Level<'de>> DeserializeSeed<'de> for Value<L> {
    type Value = L::Made;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<L::Made, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, L: Level<'de>> Visitor<'de> for Value<L> {
    type Value = L::Made;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<L::Made, E> {
        Ok(self.0.other("Null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<L::Made, E> {
        Ok(self.0.other("Boolean"))
    }

    fn visit_u64<E>(self, number: u64) -> Result<L::Made, E> {
        Ok(self.0.uint(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<L::Made, E> {
        Ok(match u64::try_from(number) {
            Ok(number) => self.0.uint(number),
            Err(_) => self.0.other("Integer"),
        })
    }

    fn visit_f64<E>(self, _: f64) -> Result<L::Made, E> {
        Ok(self.0.other("Double"))
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<L::Made, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<L::Made, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<L::Made, A::Error> {
        self.0.array(items)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<L::Made, A::Error> {
        self.0.map(entries)
    }
}

/// Reads a whole text that consists of one value.
pub(super) fn read<'de, L: Level<'de>>(text: &'de str, level: L) -> serde_json::Result<L::Made> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let made = Value(level).deserialize(&mut reader)?;
    reader.end()?;
    Ok(made)
}
