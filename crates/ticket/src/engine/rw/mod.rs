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

pub use private::PrivateKey;
pub use public::PublicKey;

/// Why a key cannot be read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a key in DER.
    #[error("not a Rabin-Williams key in DER")]
    Malformed,
    /// A number of the key has more than 8192 bits.
    #[error("the key has more than 8192 bits")]
    TooLarge,
    /// The modulus has no room for a hash and a salt.
    #[error("the key has less than 522 bits, too few for a signature")]
    TooSmall,
    /// The numbers of the private key do not match, so it would produce wrong signatures.
    #[error("the numbers of the private key do not match")]
    Inconsistent,
    /// The operating system's random number generator failed.
    #[error("the operating system returned no random bytes")]
    NoRandomness,
}

/// Four times the largest known keys: a check keeps its numbers on the stack.
const MAX_BITS: usize = 8192;

/// The shortest modulus that a signature fits in.
const MIN_BITS: usize = 522;
