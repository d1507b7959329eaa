//! What one subject may do, indexed for decisions. The size is linear in the document's.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::error::{Error, ErrorKind};

/// The attributes that a role is limited to, each key once, in the order of the keys.
///
/// Entities are ordered by their pairs, one after the other; a shorter one comes first.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Entity(Box<[(Box<str>, Box<str>)]>);

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

    /// Of a repeated key the last value counts.
    pub(super) fn new(mut pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        if !pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
            pairs.reverse();
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            pairs.dedup_by(|(later, _), (earlier, _)| later == earlier);
        }
        Self(pairs.into_boxed_slice())
    }
}

/// One role of a subject.
#[derive(Debug)]
pub(super) struct Role {
    /// As the document has them.
    pub(super) entities: Box<[Entity]>,
    /// Places of the entities, in sorted order and each once.
    sorted: Box<[u32]>,
    /// A hash table with open addresses: a power of two, at least half of it [`FREE`].
    exact: Box<[u32]>,
}

impl Role {
    pub(super) fn new(entities: Vec<Entity>, hasher: &RandomState) -> Result<Self, Error> {
        let count = u32::try_from(entities.len())
            .ok()
            .filter(|count| *count < FREE);
        let count = count
            .ok_or_else(|| Error::new(ErrorKind::MalformedRoles, "role has too many entities"))?;
        let entity = |place: u32| &entities[place as usize];
        let mut sorted: Vec<u32> = (0..count).collect();
        sorted.sort_by(|a, b| entity(*a).cmp(entity(*b)));
        sorted.dedup_by(|a, b| entity(*a) == entity(*b));

        let mut exact = vec![FREE; (2 * sorted.len()).next_power_of_two()].into_boxed_slice();
        let mask = exact.len() - 1;
        for place in &sorted {
            let mut slot = hash(entity(*place).iter(), hasher) & mask;
            while exact[slot] != FREE {
                slot = (slot + 1) & mask;
            }
            exact[slot] = *place;
        }
        Ok(Self {
            sorted: sorted.into_boxed_slice(),
            exact,
            entities: entities.into_boxed_slice(),
        })
    }

    pub(super) fn has_entity(&self, attrs: &[(&str, &str)], hasher: &RandomState) -> bool {
        let mask = self.exact.len() - 1;
        let mut slot = hash(attrs.iter().copied(), hasher) & mask;
        // Ends at a free slot: more than half of them are.
        while let Some(entity) = self.entities.get(self.exact[slot] as usize) {
            if entity.equals(attrs) {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        false
    }

    pub(super) fn entities_with<'r>(&'r self, attrs: &[(&str, &str)]) -> Vec<&'r Entity> {
        let entities = self
            .sorted
            .iter()
            .map(|place| &self.entities[*place as usize]);
        entities.filter(|entity| entity.contains(attrs)).collect()
    }
}

/// The roles of one subject, by name.
pub(super) type Subject = HashMap<Box<str>, Role>;

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
fn hash<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, hasher: &RandomState) -> usize {
    let sum = pairs.fold(0u64, |sum, pair| sum.wrapping_add(hasher.hash_one(pair)));
    sum as usize
}

/// Marks a free slot; no place is as high.
const FREE: u32 = u32::MAX;
