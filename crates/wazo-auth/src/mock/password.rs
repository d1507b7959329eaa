//! Password hashes.

use std::fmt;

use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The cost of a password hash.
///
/// The default is cheap, for tests that log in often. It does not protect real passwords, which an
/// emulator should never see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashCost {
    /// One round.
    Cheap,
    /// The number of rounds of PBKDF2 with HMAC-SHA-256 that OWASP recommends: about a quarter of a
    /// second.
    Real,
}

impl HashCost {
    const fn rounds(self) -> u32 {
        match self {
            Self::Cheap => 1,
            Self::Real => 600_000,
        }
    }
}

/// A salted hash of a password.
#[derive(Clone)]
pub(super) struct Hash {
    salt: [u8; 16],
    rounds: u32,
    hash: [u8; 32],
}

impl Hash {
    pub(super) fn new(password: &str, salt: [u8; 16], cost: HashCost) -> Self {
        let rounds = cost.rounds();
        let hash = pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), &salt, rounds);
        Self { salt, rounds, hash }
    }

    /// Returns whether this is the password, in constant time.
    pub(super) fn is(&self, password: &str) -> bool {
        let hash = pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), &self.salt, self.rounds);
        hash.ct_eq(&self.hash).into()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(..)")
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_core::text::hex;

    use super::super::{Seed, Settings};
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_shows_nothing() {
        let hash = Hash::new("s3cret", [7; 16], HashCost::Cheap);
        assert!(hash.is("s3cret"));
        assert!(!hash.is("s3creT") && !hash.is(""));
        assert_eq!(format!("{hash:?}"), "Hash(..)");
    }

    #[test]
    fn a_server_that_is_set_so_keeps_real_hashes() {
        let settings = |settings: &mut Settings| settings.hash_cost = HashCost::Real;
        let mut state = Seed::sample().settings(settings).random_seed(7).state;
        let Hash { salt, hash, .. } = state.hash("s3cret");
        // As Python's hashlib makes it: PBKDF2 with HMAC-SHA-256 and 600,000 rounds.
        assert_eq!(hex(&salt), "c5fc598e707e729138f4d74b451e8c20");
        let expected = "26b1940abe2167af33880a05d5562e98a9cb5dd25b6a6135efa640938934722a";
        assert_eq!(hex(&hash), expected);
    }
}
