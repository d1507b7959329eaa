//! Digests of whole tickets under a random key that never leaves the process.
//!
//! Computing the SHA-256 of a ticket takes several times as long as the rest of a cache hit. The
//! cache needs less: without the key, it must be infeasible to find a text with the digest of
//! another. A universal hash guarantees that without any assumption. This one is NH with two rounds
//! over a Toeplitz key, as in UMAC (Black, Halevi, Krawczyk, Krovetz and Rogaway, 1999, theorem 2):
//! for any two different texts of the same length, the digests are equal for at most one key in
//! 2^128. Texts of different lengths differ in the length word.

use std::sync::LazyLock;

/// Stands for a ticket: equal digests mean equal texts, except with probability 2^-128.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Digest([u64; WORDS]);

/// Two rounds of 128 bits each, and the length.
pub(super) const WORDS: usize = 5;

impl Digest {
    /// Returns `None` if the text is too long, or if no random key could be created: then nothing
    /// is remembered.
    #[inline]
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        Some(Self::under(KEY.as_deref()?, text.as_bytes()))
    }

    #[inline]
    fn under(key: &Key, text: &[u8]) -> Self {
        let (mut first, mut second) = (0u128, 0u128);
        let mut add = |block: &[u8; 16], near: &[u64; 2], far: &[u64; 2]| {
            let [a, b] = words(block);
            first = first.wrapping_add(product(a, b, near));
            second = second.wrapping_add(product(a, b, far));
        };
        let (blocks, tail) = text.as_chunks::<16>();
        let keys = key.iter().zip(&key[1..]);
        for (block, (near, far)) in blocks.iter().zip(keys) {
            add(block, near, far);
        }
        if let (false, Some([near, far])) = (
            tail.is_empty(),
            key.get(blocks.len()..).and_then(<[_]>::first_chunk),
        ) {
            let mut block = [0; 16];
            block[..tail.len()].copy_from_slice(tail);
            add(&block, near, far);
        }
        let [a, b, c, d] = [first, first >> 64, second, second >> 64].map(|word| word as u64);
        Self([a, b, c, d, text.len() as u64])
    }

    #[inline]
    pub(super) fn words(&self) -> &[u64; WORDS] {
        &self.0
    }
}

/// Two words for each block of a text, and two more at the end for the second round.
type Key = [[u64; 2]; LONGEST / 16 + 1];

/// Ten times the length of usual tickets. Longer tickets are checked every time.
pub(super) const LONGEST: usize = 4096;

static KEY: LazyLock<Option<Box<Key>>> = LazyLock::new(|| {
    let mut bytes = vec![0; size_of::<Key>()];
    getrandom::getrandom(&mut bytes).ok()?;
    let mut key = Box::new([[0; 2]; LONGEST / 16 + 1]);
    for (pair, block) in key.iter_mut().zip(bytes.as_chunks::<16>().0) {
        *pair = words(block);
    }
    Some(key)
});

/// Returns `None` if no randomness is available.
pub(super) fn random_words() -> Option<[u64; 2]> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).ok()?;
    Some(words(&bytes))
}

#[inline]
pub(super) fn words(block: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*block);
    [both as u64, (both >> 64) as u64]
}

#[inline]
fn product(a: u64, b: u64, key: &[u64; 2]) -> u128 {
    u128::from(a.wrapping_add(key[0])) * u128::from(b.wrapping_add(key[1]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::slot::Slot;
    use super::super::{Facts, KeyId};
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let text = "a".repeat(LONGEST);
        for len in (0..70).chain([447, 448, 449, LONGEST - 1, LONGEST]) {
            let digest = Digest::of(&text[..len]).unwrap();
            for at in 0..len {
                let mut other = text[..len].to_owned();
                other.replace_range(at..=at, "b");
                let changed = Digest::of(&other).unwrap();
                assert_ne!(digest.0[..2], changed.0[..2], "{len}: {at}");
                assert_ne!(digest.0[2..4], changed.0[2..4], "{len}: {at}");
            }
            let padded = format!("{}\0", &text[..len]);
            assert_ne!(Digest::of(&padded), Some(digest), "{len}");
        }
    }

    #[test]
    fn what_is_too_long_has_no_digest() {
        assert!(Digest::of(&"a".repeat(LONGEST)).is_some());
        assert!(Digest::of(&"a".repeat(LONGEST + 1)).is_none());
    }

    proptest! {
        /// The definition, word by word.
        #[test]
        fn digests_are_those_of_the_paper(text in prop::collection::vec(any::<u8>(), 0..100), salt: u64) {
            let mut key = [[0; 2]; LONGEST / 16 + 1];
            let mut next = salt;
            for word in key.as_flattened_mut() {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *word = next ^ (next >> 29);
            }
            let mut padded = text.clone();
            padded.resize(text.len().div_ceil(16) * 16, 0);
            let message: Vec<u64> = padded
                .chunks(8)
                .map(|eight| u64::from_le_bytes(eight.try_into().unwrap()))
                .collect();
            let round = |shift: usize| {
                (0..message.len()).step_by(2).fold(0u128, |sum, i| {
                    let key = |i: usize| key.as_flattened()[i + shift];
                    let a = u128::from(message[i].wrapping_add(key(i)));
                    let b = u128::from(message[i + 1].wrapping_add(key(i + 1)));
                    sum.wrapping_add(a * b)
                })
            };
            let digest = Digest::under(&key, &text).0;
            let number = |low: u64, high: u64| (u128::from(high) << 64) | u128::from(low);
            prop_assert_eq!(number(digest[0], digest[1]), round(0));
            prop_assert_eq!(number(digest[2], digest[3]), round(2));
            prop_assert_eq!(digest[4], text.len() as u64);
        }
    }

    #[test]
    fn a_slot_compares_each_word_of_a_digest_by_itself() {
        let slot = Slot::default();
        let facts = Facts {
            expiration_time: 1,
            key_id: KeyId::new(1),
            redacted_len: 1,
            part: [1; 4],
        };
        slot.write(9, &Digest([1, 2, 3, 4, 5]), &facts);
        assert!(slot.holds(&Digest([1, 2, 3, 4, 5])));
        // Together, the differences would be none.
        assert!(!slot.holds(&Digest([1 ^ 8, 2 ^ 8, 3, 4, 5])));
    }
}
