//! Remembers tickets that were recently found valid. What is kept cannot be used as a ticket: only
//! a digest, the numbers in the ticket and its expiry, but neither its text nor its signature.
//!
//! A cache belongs to one set of keys and one rule about destinations; a context with others starts
//! a new cache. Only valid tickets are stored, so refused ones leave no trace and evict nothing.
//!
//! The table is one array that never grows. A ticket may be in any of a few adjacent places,
//! selected by the end of its text. Reading writes nothing that other threads read, except for a
//! mark on the first read.

mod digest;
mod slot;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use self::digest::{Digest, random_words};
use self::slot::Slot;
use crate::engine::ids::KeyId;

/// The remembered tickets. Clones share them.
#[derive(Clone)]
pub(crate) struct Cache(Option<Arc<Table>>);

struct Table {
    capacity: usize,
    /// The place of a ticket is derived from the end of its signature under a separate key, not
    /// from its digest: an observer of evictions learns nothing about the key of the digests.
    /// Signatures are as good as random.
    places: [u64; 2],
    /// Allocated for the first valid ticket, because many contexts never see one.
    slots: OnceLock<Box<[Slot]>>,
}

impl Cache {
    /// Creates a cache for this many tickets; zero disables it.
    pub(crate) fn new(capacity: usize) -> Self {
        let table = |places| Table {
            capacity: capacity.min(LARGEST),
            places,
            slots: OnceLock::new(),
        };
        Self(
            (capacity != 0)
                .then(random_words)
                .flatten()
                .map(|words| Arc::new(table(words))),
        )
    }

    /// Creates an empty cache of the same size.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.0.as_ref().map_or(0, |table| table.capacity))
    }

    /// Returns the place of a ticket.
    #[inline]
    pub(crate) fn place<'c>(&'c self, text: &'c str) -> Option<Place<'c>> {
        let table = &**self.0.as_ref()?;
        let mixed = mix(text.as_bytes(), table.places);
        let start = (u128::from(mixed) * table.capacity as u128) >> 64;
        Some(Place {
            table,
            text,
            mixed,
            start: start as usize,
        })
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(DEFAULT)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.0.as_ref().map_or(0, |table| table.capacity);
        f.debug_struct("Cache")
            .field("capacity", &capacity)
            .finish_non_exhaustive()
    }
}

/// The place of a ticket, whether or not it is stored there.
pub(crate) struct Place<'c> {
    table: &'c Table,
    text: &'c str,
    mixed: u64,
    start: usize,
}

impl Place<'_> {
    /// Returns what is known about the ticket, unless it has expired, as a new check would find.
    #[inline]
    pub(crate) fn get(&self, now: i64) -> Option<Facts> {
        let slots = self.table.slots.get()?;
        // Most unknown tickets are not even digested, and most known ones are in their first place.
        let first = slots.get(self.start)?;
        let facts = if first.may_hold(self.mixed) {
            first.read(&Digest::of(self.text)?)
        } else {
            None
        };
        let (slot, facts) = match facts {
            Some(facts) => (first, facts),
            None => self.get_further(slots)?,
        };
        slot.set_used(true);
        (facts.expiration_time > now).then_some(facts)
    }

    #[inline(never)]
    fn get_further<'s>(&self, slots: &'s [Slot]) -> Option<(&'s Slot, Facts)> {
        let mut others = self.window(slots).skip(1);
        others.find_map(|slot| {
            if !slot.may_hold(self.mixed) {
                return None;
            }
            Some((slot, slot.read(&Digest::of(self.text)?)?))
        })
    }

    /// Remembers a valid ticket. It replaces an expired one, otherwise one that has not been
    /// requested since room was last needed here, otherwise an arbitrary one.
    #[cold]
    pub(crate) fn put(&self, facts: &Facts, now: i64) {
        let make = || (0..self.table.capacity).map(|_| Slot::default()).collect();
        let slots = self.table.slots.get_or_init(make);
        let Some(digest) = Digest::of(self.text) else {
            return;
        };
        if self.window(slots).any(|slot| slot.holds(&digest)) {
            return;
        }
        let free = |slot: &&Slot| slot.is_empty() || slot.expiration_time() <= now;
        let place = self
            .window(slots)
            .find(free)
            .or_else(|| self.window(slots).find(|slot| !slot.is_used()));
        let place = place.or_else(|| {
            self.window(slots).for_each(|slot| slot.set_used(false));
            // Arbitrary: the lower bits are independent of the start, and as good as random.
            let any = self.mixed as usize;
            self.window(slots).nth(any % WINDOW.min(slots.len()))
        });
        if let Some(slot) = place {
            slot.write(self.mixed, &digest, facts);
        }
    }

    /// The possible places of the ticket: a few from its start, wrapping around at the end.
    #[inline]
    fn window<'s>(&self, slots: &'s [Slot]) -> impl Iterator<Item = &'s Slot> + use<'s> {
        let (before, from) = slots.split_at(self.start);
        from.iter().chain(before).take(WINDOW)
    }
}

/// Mixes the last sixteen bytes of a text under a key.
#[inline]
fn mix(text: &[u8], key: [u64; 2]) -> u64 {
    let mut short = [0; 16];
    let last = text.last_chunk().unwrap_or_else(|| {
        short[..text.len()].copy_from_slice(text);
        &short
    });
    let [a, b] = digest::words(last);
    // Both halves of a product depend on all bits. Done twice, so that a zero does not stay zero.
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    fold(fold(a ^ key[0], b ^ key[1]) ^ key[1], key[0] | 1)
}

/// The stored facts about a valid ticket. The context decides what `part` means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Facts {
    /// In seconds since the epoch.
    pub(crate) expiration_time: i64,
    pub(crate) key_id: KeyId,
    /// The length of the text without the signature.
    pub(crate) redacted_len: u32,
    pub(crate) part: [u64; 4],
}

const FACTS: usize = 6;

impl Facts {
    #[inline]
    fn to_words(self) -> [u64; FACTS] {
        let [a, b, c, d] = self.part;
        let head = u64::from(self.key_id.get()) | (u64::from(self.redacted_len) << 32);
        [self.expiration_time as u64, head, a, b, c, d]
    }

    #[inline]
    fn from_words(words: &[u64; FACTS]) -> Self {
        let [expiration_time, head, a, b, c, d] = *words;
        Self {
            expiration_time: expiration_time as i64,
            key_id: KeyId::new(head as u32),
            redacted_len: (head >> 32) as u32,
            part: [a, b, c, d],
        }
    }
}

/// The default number of remembered tickets: 128 kB.
pub(crate) const DEFAULT: usize = 1024;

/// The maximum number of remembered tickets: 128 MB.
const LARGEST: usize = 1 << 20;

/// The number of places that a ticket may be in.
const WINDOW: usize = 8;
