//! The permissions of one subject, indexed for look-ups. The size is linear in the document's.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::intern::{Table, fold};

/// The attributes that a role is limited to, each key once, in the order of the keys.
///
/// Entities are ordered by their pairs, compared one by one; a prefix comes first.
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

    /// Returns keys and values in the order of the keys.
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

    /// Returns whether the entity has exactly these pairs.
    #[must_use]
    pub fn equals(&self, attrs: &[(&str, &str)]) -> bool {
        self.0.len() == attrs.len()
            && self.contains(attrs)
            // A pair given twice must not stand for a missing one.
            && self.iter().all(|pair| attrs.contains(&pair))
    }

    /// Creates an entity from pairs in the order of their keys, each key once.
    pub(super) fn new(pairs: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        Self(pairs.collect())
    }
}

/// Finds the entities that a role is limited to; many subjects share one. Equal entities have the
/// same number, and the document keeps the list of the numbers.
#[derive(Debug)]
pub(super) struct Role {
    /// The numbers in the order of their entities, each once; `None` if the list already has that
    /// form.
    sorted: Option<Box<[u32]>>,
    /// The numbers by the hash of their entities; `None` for short lists.
    exact: Option<Table>,
}

impl Role {
    /// Creates the index of a list of numbers.
    pub(super) fn new(list: &[u32], entities: &[Entity], hasher: &RandomState) -> Self {
        let entity = |number: u32| &entities[number as usize];
        let sorted = (!list.is_sorted_by(|a, b| entity(*a) < entity(*b))).then(|| {
            let mut numbers = list.to_vec();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.sort_unstable_by(|a, b| entity(*a).cmp(entity(*b)));
            numbers.into_boxed_slice()
        });
        let distinct = sorted.as_deref().unwrap_or(list);
        let exact = (distinct.len() > FEW).then(|| {
            let mut exact = Table::with_capacity(distinct.len());
            for number in distinct {
                exact.insert(hash(entity(*number).iter(), hasher), *number);
            }
            exact
        });
        Self { sorted, exact }
    }
}

/// The entities of one role.
#[derive(Clone, Copy)]
pub(super) struct RoleEntities<'r> {
    pub(super) role: &'r Role,
    /// In the order of the document.
    pub(super) list: &'r [u32],
    /// All entities of the document, by number.
    pub(super) all: &'r [Entity],
}

impl<'r> RoleEntities<'r> {
    pub(super) fn has(self, attrs: &[(&str, &str)], hasher: &RandomState) -> bool {
        let is_it = |number: u32| self.entity(number).equals(attrs);
        match &self.role.exact {
            None => self.distinct().iter().any(|number| is_it(*number)),
            Some(exact) => exact
                .find(hash(attrs.iter().copied(), hasher), is_it)
                .is_some(),
        }
    }

    pub(super) fn with(self, attrs: &[(&str, &str)]) -> Vec<&'r Entity> {
        self.distinct()
            .iter()
            .map(|number| self.entity(*number))
            .filter(|entity| entity.contains(attrs))
            .collect()
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = &'r Entity> + Clone + use<'r> {
        self.list.iter().map(move |number| self.entity(*number))
    }

    /// Returns the numbers in the order of their entities, each once.
    fn distinct(self) -> &'r [u32] {
        self.role.sorted.as_deref().unwrap_or(self.list)
    }

    #[inline]
    fn entity(self, number: u32) -> &'r Entity {
        &self.all[number as usize]
    }
}

/// A sum, so that the order of the pairs does not matter and a query need not be sorted.
fn hash<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, hasher: &RandomState) -> u32 {
    fold(pairs.fold(0u64, |sum, pair| sum.wrapping_add(hasher.hash_one(pair))))
}

/// Up to this number, a linear search is faster than hashing the query.
const FEW: usize = 8;
