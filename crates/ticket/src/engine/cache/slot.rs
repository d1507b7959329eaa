//! One slot of the table: it is read without writing, and written without waiting.
//!
//! This is a sequence lock made of atomics. A reader that notices a concurrent write treats the
//! slot as empty, and a writer that finds another one active gives up. Both only cost a check.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use super::digest::{Digest, WORDS};
use super::{FACTS, Facts};

/// As large as two cache lines, the first of which is enough to recognise the right slot.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Odd during a write.
    version: AtomicU64,
    digest: [AtomicU64; WORDS],
    /// The mixed end of the ticket: a mismatch shows cheaply that a ticket is not here.
    mixed: AtomicU64,
    /// Whether it was read since it was written, or since room was last needed here.
    used: AtomicBool,
    facts: [AtomicU64; FACTS],
}

impl Slot {
    #[inline]
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        let pairs = self.digest.iter().zip(digest.words());
        // All words are compared: a branch for each would cost more.
        pairs.fold(0, |seen, (own, other)| {
            seen | (own.load(Ordering::Relaxed) ^ other)
        }) == 0
    }

    /// Distinguishes a ticket from most others without its digest.
    #[inline]
    pub(super) fn may_hold(&self, mixed: u64) -> bool {
        self.mixed.load(Ordering::Relaxed) == mixed
    }

    /// Returns what is known about a ticket, if it is in this slot.
    #[inline]
    pub(super) fn read(&self, digest: &Digest) -> Option<Facts> {
        let before = self.version.load(Ordering::Acquire);
        if before & 1 != 0 || !self.holds(digest) {
            return None;
        }
        let facts = self
            .facts
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        // Ensures that the reads above happen before the version is read again.
        fence(Ordering::Acquire);
        (self.version.load(Ordering::Relaxed) == before).then(|| Facts::from_words(&facts))
    }

    pub(super) fn write(&self, mixed: u64, digest: &Digest, facts: &Facts) {
        let before = self.version.load(Ordering::Relaxed);
        let free = before & 1 == 0;
        let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
        if !free
            || self
                .version
                .compare_exchange(before, before + 1, acquire, relaxed)
                .is_err()
        {
            return;
        }
        // Ensures that no reader sees the writes below without the odd version.
        fence(Ordering::Release);
        self.mixed.store(mixed, relaxed);
        for (own, word) in self.digest.iter().zip(digest.words()) {
            own.store(*word, relaxed);
        }
        for (own, word) in self.facts.iter().zip(facts.to_words()) {
            own.store(word, relaxed);
        }
        self.used.store(false, relaxed);
        self.version.store(before + 2, Ordering::Release);
    }

    /// Writes only if the value changes, so that threads that read the same ticket share its cache
    /// line.
    #[inline]
    pub(super) fn set_used(&self, used: bool) {
        if self.used.load(Ordering::Relaxed) != used {
            self.used.store(used, Ordering::Relaxed);
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Leaves the slot in the state of an unfinished write.
    #[cfg(test)]
    pub(super) fn begin_for_test(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it has never been written.
    pub(super) fn is_empty(&self) -> bool {
        self.version.load(Ordering::Relaxed) == 0
    }

    /// Only a hint: a write may be in progress.
    pub(super) fn expiration_time(&self) -> i64 {
        let facts = self
            .facts
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        Facts::from_words(&facts).expiration_time
    }
}
