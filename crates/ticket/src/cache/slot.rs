//! One place of the table: read without writing, written without waiting.
//!
//! A sequence lock of plain atomics. Who reads sees whether somebody wrote meanwhile, and then
//! takes the place for empty; who finds another writing gives up. Both only cost a check.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use super::digest::{Digest, WORDS};
use super::{FACTS, Facts};

/// As long as two cache lines, the first of which decides whether it is the right one.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Odd while somebody writes.
    version: AtomicU64,
    digest: [AtomicU64; WORDS],
    /// What the end of the ticket is mixed to: seldom is one looked for that is not here.
    mixed: AtomicU64,
    /// Read since it was written, or since room was last looked for here.
    used: AtomicBool,
    facts: [AtomicU64; FACTS],
}

impl Slot {
    #[inline]
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        let pairs = self.digest.iter().zip(digest.words());
        // All are compared: a branch for each costs more.
        pairs.fold(0, |seen, (own, other)| {
            seen | (own.load(Ordering::Relaxed) ^ other)
        }) == 0
    }

    /// Tells most others from a ticket without its digest.
    #[inline]
    pub(super) fn may_hold(&self, mixed: u64) -> bool {
        self.mixed.load(Ordering::Relaxed) == mixed
    }

    /// Returns what is known of a ticket, if this place is its own.
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
        // What was read above was read before the version is looked at again.
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
        // Nobody sees what is written below without the odd version.
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

    /// Writes only what is not so yet, so that threads which read one ticket share its lines.
    #[inline]
    pub(super) fn set_used(&self, used: bool) {
        if self.used.load(Ordering::Relaxed) != used {
            self.used.store(used, Ordering::Relaxed);
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Leaves the place as a writer does that is not done.
    #[cfg(test)]
    pub(super) fn begin_for_test(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Never written.
    pub(super) fn is_empty(&self) -> bool {
        self.version.load(Ordering::Relaxed) == 0
    }

    /// A hint: somebody may be writing.
    pub(super) fn expiration_time(&self) -> i64 {
        let facts = self
            .facts
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        Facts::from_words(&facts).expiration_time
    }
}
