//! Rabin-Williams signatures with PSS (section 6 of the ticket protocol).
//!
//! [`PublicKey`] verifies, [`PrivateKey`] signs. Services only verify; signing and generating keys
//! is for the authority, and so for tests and emulators of it.

mod der;
mod fold;
mod limbs;
mod mont;
mod prime;
mod private;
mod pss;
mod public;
#[cfg(all(feature = "simd", target_arch = "x86_64"))]
#[path = "wide/avx512.rs"]
mod wide;
#[cfg(not(all(feature = "simd", target_arch = "x86_64")))]
#[path = "wide/none.rs"]
mod wide;

use std::fmt;

pub use private::PrivateKey;
pub use public::PublicKey;

/// Why a key cannot be read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a key in DER.
    Malformed,
    /// A number of the key has more than 8192 bits.
    TooLarge,
    /// The modulus has no room for a hash and a salt.
    TooSmall,
    /// The numbers of the private key do not match, so it would produce wrong signatures.
    Inconsistent,
    /// The operating system's random number generator failed.
    NoRandomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a Rabin-Williams key in DER",
            Self::TooLarge => "the key has more than 8192 bits",
            Self::TooSmall => "the key has less than 522 bits, too few for a signature",
            Self::Inconsistent => "the numbers of the private key do not match",
            Self::NoRandomness => "the operating system returned no random bytes",
        })
    }
}

impl std::error::Error for KeyError {}

/// Four times the largest known keys: a check keeps its numbers on the stack.
const MAX_BITS: usize = 8192;

/// The shortest modulus that a signature fits in.
const MIN_BITS: usize = 522;
