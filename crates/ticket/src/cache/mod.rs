//! Tickets that were found good a moment ago. What is kept of them cannot be used as a ticket:
//! neither text nor signature, only a digest, the numbers in it and when it expires.
//!
//! A cache belongs to one set of keys and one rule of whom tickets may be for; a context with
//! other ones begins another. Only good tickets enter: what is sent to be refused leaves nothing
//! behind and drives nothing out.
//!
//! The table is one array that never grows. A ticket may be in any of a few places in a row, told
//! by its end; reading writes nothing that other threads read, but for a mark at the first time.

mod digest;
mod slot;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use self::digest::{Digest, random_words};
use self::slot::Slot;
use crate::ids::KeyId;

/// What is known of good tickets. Clones share it.
#[derive(Clone)]
pub(crate) struct Cache(Option<Arc<Table>>);

struct Table {
    capacity: usize,
    /// Where a ticket goes is told by the end of its signature under a key of the table's own, not
    /// by its digest: who observes which ticket takes the place of which learns nothing about the
    /// key of the digests. Signatures are as good as drawn.
    places: [u64; 2],
    /// Made for the first good ticket: many contexts never see one.
    slots: OnceLock<Box<[Slot]>>,
}

impl Cache {
    /// Makes a cache for so many tickets; zero makes none.
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

    /// Makes a cache of the same size with nothing in it.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.0.as_ref().map_or(0, |table| table.capacity))
    }

    /// Finds where a ticket would be.
    #[inline]
    pub(crate) fn place<'c>(&'c self, text: &'c str) -> Option<Place<'c>> {
        let table = &**self.0.as_ref()?;
        if text.len() > digest::LONGEST {
            return None;
        }
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

/// Where one ticket is, if it is known.
pub(crate) struct Place<'c> {
    table: &'c Table,
    text: &'c str,
    mixed: u64,
    start: usize,
}

impl Place<'_> {
    /// Returns what is known of the ticket, unless it has expired, as a new check would find.
    #[inline]
    pub(crate) fn get(&self, now: i64) -> Option<Facts> {
        let slots = self.table.slots.get()?;
        // Most that are not known are not even digested, and most that are, are where they would
        // be first.
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

    /// Remembers a good ticket. It takes the place of an expired one, else of one that nobody
    /// asked for since room was last needed here, else of any.
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
            // Any: the lower bits say nothing of the start, and are as good as drawn.
            let any = self.mixed as usize;
            self.window(slots).nth(any % WINDOW.min(slots.len()))
        });
        if let Some(slot) = place {
            slot.write(self.mixed, &digest, facts);
        }
    }

    /// The places where the ticket may be: a few from its start, and on from the beginning.
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
    // Both halves of a product depend on all bits; twice, so that no zero stays one.
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    fold(fold(a ^ key[0], b ^ key[1]) ^ key[1], key[0] | 1)
}

/// What is kept of a good ticket. The part is what the context makes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Facts {
    /// In seconds since the epoch.
    pub(crate) expiration_time: i64,
    pub(crate) key_id: KeyId,
    /// How much of the text is left without the signature.
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

/// Tickets that are remembered unless something else is asked for: 128 kB.
pub(crate) const DEFAULT: usize = 1024;

/// Tickets that are remembered at most, whatever is asked for: 128 MB.
const LARGEST: usize = 1 << 20;

/// Places that a ticket may be in.
const WINDOW: usize = 8;
