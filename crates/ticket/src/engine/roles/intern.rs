//! Sequences that occur many times, stored once and identified by a number: the names of roles, the
//! texts of attributes, and the entities and their lists in a roles document.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;

/// Sequences by number, stored one after the other in the order of their first occurrence.
pub(super) struct Interner<T> {
    items: Vec<T>,
    /// The end of each sequence; it begins at the end of the one before.
    ends: Vec<u32>,
    table: Table,
    hasher: RandomState,
}

impl<T: Copy + Eq + Hash> Interner<T> {
    pub(super) fn new() -> Self {
        Self {
            items: Vec::new(),
            ends: Vec::new(),
            table: Table::with_capacity(0),
            hasher: RandomState::default(),
        }
    }

    /// Returns the number of a sequence, and whether it is new. Returns `None` if there are too
    /// many.
    #[inline]
    pub(super) fn add(&mut self, sequence: &[T]) -> Option<(u32, bool)> {
        let hash = self.hash(sequence);
        if let Some(number) = self.find(hash, sequence) {
            return Some((number, false));
        }
        let end = u32::try_from(self.items.len() + sequence.len()).ok()?;
        let number = u32::try_from(self.ends.len()).ok().filter(|n| *n < FREE)?;
        self.items.extend_from_slice(sequence);
        self.ends.push(end);
        self.table.insert(hash, number);
        Some((number, true))
    }

    /// Returns the number of a sequence that was added.
    #[inline]
    pub(super) fn number(&self, sequence: &[T]) -> Option<u32> {
        self.find(self.hash(sequence), sequence)
    }

    #[inline]
    pub(super) fn sequence(&self, number: u32) -> &[T] {
        let number = number as usize;
        let end = self.ends.get(number).copied().unwrap_or(0);
        let start = match number {
            0 => 0,
            _ => self.ends.get(number - 1).copied().unwrap_or(0),
        };
        &self.items[start as usize..end as usize]
    }

    /// Releases memory that was reserved for more sequences.
    pub(super) fn shrink(&mut self) {
        self.items.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    #[inline]
    fn hash(&self, sequence: &[T]) -> u32 {
        fold(self.hasher.hash_one(sequence))
    }

    #[inline]
    fn find(&self, hash: u32, sequence: &[T]) -> Option<u32> {
        self.table
            .find(hash, |number| self.sequence(number) == sequence)
    }
}

/// Numbers by hash, with open addressing; at least half of the places are free. A place also holds
/// the hash, so that other entries are seldom compared.
///
/// `hashbrown::HashTable` would need less code, but 150 instead of 127 instructions to find a name.
#[derive(Debug)]
pub(super) struct Table {
    /// A power of two.
    places: Box<[(u32, u32)]>,
    len: usize,
}

impl Table {
    /// Creates a table that need not grow for this many numbers.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            places: vec![(0, FREE); (2 * count.max(1)).next_power_of_two()].into(),
            len: 0,
        }
    }

    /// Returns the number with this hash that satisfies the predicate.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        // Ends at a free place.
        loop {
            let (other, number) = self.places[at];
            if number == FREE {
                return None;
            }
            if other == hash && is_right(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a number below [`FREE`].
    pub(super) fn insert(&mut self, hash: u32, number: u32) {
        if 2 * (self.len + 1) > self.places.len() {
            let mut larger = Self::with_capacity(self.places.len());
            for (hash, number) in self.places.iter().filter(|(_, number)| *number != FREE) {
                larger.put(*hash, *number);
            }
            self.places = larger.places;
        }
        self.put(hash, number);
        self.len += 1;
    }

    fn put(&mut self, hash: u32, number: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at].1 != FREE {
            at = (at + 1) & mask;
        }
        self.places[at] = (hash, number);
    }
}

/// Half of a hash in which all bits count.
#[inline]
pub(super) fn fold(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

/// Marks a free place; no number is as high.
pub(super) const FREE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(
            sequences in prop::collection::vec(prop::collection::vec(0u8..3, 0..5), 0..300),
        ) {
            let (mut interner, mut model) = (Interner::new(), HashMap::new());
            for sequence in &sequences {
                let next = u32::try_from(model.len()).unwrap();
                let is_new = !model.contains_key(sequence);
                let number = *model.entry(sequence).or_insert(next);
                prop_assert_eq!(interner.add(sequence), Some((number, is_new)));
            }
            for (sequence, number) in model {
                prop_assert_eq!(interner.number(sequence), Some(number));
                prop_assert_eq!(interner.sequence(number), &sequence[..]);
            }
            prop_assert_eq!(interner.number(&[7]), None);
        }
    }

    #[test]
    fn equal_hashes_are_told_apart() {
        let mut table = Table::with_capacity(0);
        for number in 0..100 {
            table.insert(u32::MAX, number);
        }
        for number in 0..100 {
            assert_eq!(table.find(u32::MAX, |other| other == number), Some(number));
        }
        assert_eq!(table.find(u32::MAX, |_| false), None);
        assert_eq!(table.find(0, |_| true), None);
    }
}
