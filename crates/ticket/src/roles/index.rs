//! What one subject may do, indexed for decisions. The size is linear in the document's.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::intern::{Table, fold};
use crate::error::{Error, ErrorKind};

/// The attributes that a role is limited to, each key once, in the order of the keys.
///
/// Entities are ordered by their pairs, one after the other; a shorter one comes first.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Entity(Arc<[(Arc<str>, Arc<str>)]>);

impl Entity {
    /// Returns the value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        let place = self
            .0
            .binary_search_by(|(other, _)| (**other).cmp(key))
            .ok()?;
        Some(&self.0[place].1)
    }

    /// Walks over keys and values in the order of the keys.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Returns whether the entity has all these pairs.
    #[must_use]
    pub fn contains(&self, attrs: &[(&str, &str)]) -> bool {
        attrs
            .iter()
            .all(|(key, value)| self.value(key) == Some(*value))
    }

    /// Returns whether the entity has these pairs and no other.
    #[must_use]
    pub fn equals(&self, attrs: &[(&str, &str)]) -> bool {
        self.0.len() == attrs.len()
            && self.contains(attrs)
            // A pair given twice must not stand for one that is not given.
            && self.iter().all(|pair| attrs.contains(&pair))
    }

    /// Makes one of pairs in the order of their keys, each key once.
    pub(super) fn new(pairs: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        Self(pairs.collect())
    }
}

/// The entities that a role is limited to; many subjects have the same.
#[derive(Debug)]
pub(super) struct Role {
    /// As the document has them.
    pub(super) entities: Box<[Entity]>,
    /// Places of the entities, in sorted order and each once; `None` if that is all in order.
    sorted: Option<Box<[u32]>>,
    /// Places by hash, each entity once; `None` for a few.
    exact: Option<Table>,
}

impl Role {
    /// Makes the index of fewer entities than [`FREE`](super::intern::FREE).
    pub(super) fn new(entities: Box<[Entity]>, hasher: &RandomState) -> Self {
        let sorted = (!entities.is_sorted_by(|a, b| a < b)).then(|| {
            let mut places: Vec<u32> = (0..).take(entities.len()).collect();
            let entity = |place: u32| &entities[place as usize];
            places.sort_by(|a, b| entity(*a).cmp(entity(*b)));
            places.dedup_by(|a, b| entity(*a) == entity(*b));
            places.into_boxed_slice()
        });
        let mut role = Self {
            exact: None,
            sorted,
            entities,
        };
        if role.entities.len() > FEW {
            let mut exact = Table::with_capacity(role.entities.len());
            for place in role.sorted_places() {
                exact.insert(hash(role.entities[place as usize].iter(), hasher), place);
            }
            role.exact = Some(exact);
        }
        role
    }

    pub(super) fn has_entity(&self, attrs: &[(&str, &str)], hasher: &RandomState) -> bool {
        let is_it = |place: u32| self.entities[place as usize].equals(attrs);
        match &self.exact {
            None => self.entities.iter().any(|entity| entity.equals(attrs)),
            Some(exact) => exact
                .find(hash(attrs.iter().copied(), hasher), is_it)
                .is_some(),
        }
    }

    pub(super) fn entities_with<'r>(&'r self, attrs: &[(&str, &str)]) -> Vec<&'r Entity> {
        self.sorted_places()
            .map(|place| &self.entities[place as usize])
            .filter(|entity| entity.contains(attrs))
            .collect()
    }

    fn sorted_places(&self) -> impl Iterator<Item = u32> + use<'_> {
        let sorted = self.sorted.as_deref();
        let all = if sorted.is_none() {
            self.entities.len()
        } else {
            0
        };
        let sorted = sorted.unwrap_or_default().iter().copied();
        sorted.chain((0..).take(all))
    }
}

/// Refuses pairs that are not in the order of their keys, or have a key twice.
pub(super) fn require_sorted(attrs: &[(&str, &str)]) -> Result<(), Error> {
    for pair in attrs.windows(2) {
        let (before, after) = (pair[0].0, pair[1].0);
        let message = match before.cmp(after) {
            Ordering::Less => continue,
            Ordering::Equal => format!("attrs are not unique: '{before}'"),
            Ordering::Greater => format!("attrs are not sorted: '{before}' before '{after}'"),
        };
        return Err(Error::new(ErrorKind::IllegalUsage, message));
    }
    Ok(())
}

/// A sum, so that the order of the pairs does not matter and a question need not be sorted.
fn hash<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, hasher: &RandomState) -> u32 {
    fold(pairs.fold(0u64, |sum, pair| sum.wrapping_add(hasher.hash_one(pair))))
}

/// Entities that are looked through one by one sooner than a question is hashed.
const FEW: usize = 8;
