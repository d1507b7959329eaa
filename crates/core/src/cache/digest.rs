//! Cache keys that are derived from secrets but do not hold them.

use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a secret or of several texts: a key that can be compared but not used as a
/// credential.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests one text.
    #[must_use]
    pub fn of(text: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(text.as_ref()).into())
    }

    /// Combines this digest with another text, for keys such as "this name, asked with that
    /// credential".
    #[must_use]
    pub fn and(&self, text: impl AsRef<[u8]>) -> Self {
        // The first part has a fixed length, so different pairs never concatenate to the same
        // bytes.
        let both = Sha256::new().chain_update(self.0).chain_update(text);
        Self(both.finalize().into())
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Eight bytes of a digest are distributed as evenly as all of them.
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use super::*;

    #[test]
    fn digests_differ_as_their_texts_and_their_order_do() {
        assert_eq!(Digest::of("a"), Digest::of("a"));
        assert_ne!(Digest::of("a"), Digest::of("b"));
        assert_ne!(Digest::of("a").and("b"), Digest::of("b").and("a"));
        assert_ne!(Digest::of("a").and("b"), Digest::of("ab"));
    }

    #[test]
    fn digests_are_spread_over_a_table() {
        let hasher = RandomState::new();
        assert_ne!(
            hasher.hash_one(Digest::of("a")),
            hasher.hash_one(Digest::of("b"))
        );
    }

    #[test]
    fn a_digest_does_not_print_itself() {
        assert_eq!(format!("{:?}", Digest::of("gt-secret")), "Digest(..)");
    }
}
