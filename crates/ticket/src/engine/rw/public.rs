//! Verification: one squaring and a few hash blocks, without allocation or lock.

use std::fmt;
use std::sync::Arc;

use super::fold::Fold;
use super::limbs::{
    bit_len, from_bytes, less, minimal_bytes, nat, shl_bits, shr_bits, sub_assign, to_bytes,
};
use super::{KeyError, MAX_BITS, der, pss};

/// The public half of a key, which verifies signatures.
///
/// Everything that does not depend on a signature is computed when the key is parsed, and takes
/// about 9 kB for a key of 2048 bits, or 14 kB where checks use vector instructions (feature
/// `simd`). Clones share it.
///
/// ```
/// use vouchsafe_ticket::rw::PrivateKey;
///
/// let key = PrivateKey::generate(1024)?;
/// let signature = key.sign(b"3:serv:...:")?;
/// assert!(key.public().verify(b"3:serv:...:", &signature));
/// assert!(!key.public().verify(b"3:user:...:", &signature));
/// # Ok::<(), vouchsafe_ticket::rw::KeyError>(())
/// ```
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    /// The modulus n, and (n - 1) / 2, in as many limbs as `fold` has.
    modulus: Box<[u64]>,
    half: Box<[u64]>,
    bits: usize,
    /// `None` if the modulus is too short for any signature.
    fold: Option<Fold>,
}

impl PublicKey {
    /// Parses a key in DER, as tolerantly as the services do.
    ///
    /// A modulus that is too short for a signature is accepted, but nothing verifies with it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`], or [`KeyError::TooLarge`] beyond 8192 bits.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let [modulus] = der::read(der).ok_or(KeyError::Malformed)?;
        Self::from_modulus(modulus)
    }

    pub(super) fn from_modulus(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > MAX_BITS / 8 {
            return Err(KeyError::TooLarge);
        }
        let modulus = nat(bytes, Fold::width_for(bytes.len() * 8));
        let bits = bit_len(&modulus);
        let modulus = &modulus[..Fold::width_for(bits)];
        let mut half = modulus.to_vec();
        if bits != 0 {
            sub_assign(&mut half, &[1]);
            shr_bits(&mut half, 1);
        }
        Ok(Self(Arc::new(Inner {
            modulus: modulus.into(),
            half: half.into(),
            bits,
            fold: pss::fits(bits).then(|| Fold::new(modulus, bits)),
        })))
    }

    /// Returns the key in DER, in its canonical form.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        der::write(&[&minimal_bytes(&self.0.modulus)])
    }

    /// Returns the number of bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// Returns whether the signature is one of this message by this key.
    ///
    /// An empty message never verifies. The time depends on the arguments, all of which are public.
    /// Does not allocate, lock or panic.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let verify = |encoded: &mut [u8]| pss::verify(encoded, self.0.bits, message);
        !message.is_empty() && self.with_encoded(signature, verify).unwrap_or_default()
    }

    /// Returns the encoded message of a signature, right or wrong, if it stands for one.
    #[doc(hidden)]
    #[must_use]
    pub fn encoded(&self, signature: &[u8]) -> Option<Vec<u8>> {
        self.with_encoded(signature, |encoded| encoded.to_vec())
    }

    /// Returns the same key for checks without vector instructions, to compare.
    #[doc(hidden)]
    #[must_use]
    pub fn scalar(&self) -> Self {
        let key = &*self.0;
        Self(Arc::new(Inner {
            modulus: key.modulus.clone(),
            half: key.half.clone(),
            bits: key.bits,
            fold: pss::fits(key.bits).then(|| Fold::scalar(&key.modulus, key.bits)),
        }))
    }

    /// Returns whether checks use vector instructions.
    #[doc(hidden)]
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.0.fold.as_ref().is_some_and(Fold::is_wide)
    }

    /// Calls a function with the encoded message of a signature, if it stands for one.
    #[inline]
    fn with_encoded<T>(&self, signature: &[u8], then: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let fold = self.0.fold.as_ref()?;
        let zeros = signature.iter().take_while(|byte| **byte == 0).count();
        let signature = &signature[zeros..];
        if signature.is_empty() || signature.len() > self.0.bits.div_ceil(8) {
            return None;
        }
        // The two sizes in use are compiled for their width.
        match fold.width() {
            16 => self.with_encoded_of::<16, 32, 128, T>(fold, signature, then),
            32 => self.with_encoded_of::<32, 64, 256, T>(fold, signature, then),
            _ => self.with_encoded_of_any(fold, signature, then),
        }
    }

    #[inline]
    fn with_encoded_of<const W: usize, const WIDE: usize, const BYTES: usize, T>(
        &self,
        fold: &Fold,
        signature: &[u8],
        then: impl FnOnce(&mut [u8]) -> T,
    ) -> Option<T> {
        let (mut root, mut square) = ([0; W], [0; W]);
        let (mut wide, mut bytes) = ([0; WIDE], [0; BYTES]);
        self.recover(
            fold,
            signature,
            &mut root,
            &mut wide,
            &mut square,
            &mut bytes,
        )
        .then(|| then(&mut bytes[BYTES - self.0.bits.div_ceil(8)..]))
    }

    #[cold]
    fn with_encoded_of_any<T>(
        &self,
        fold: &Fold,
        signature: &[u8],
        then: impl FnOnce(&mut [u8]) -> T,
    ) -> Option<T> {
        const LIMBS: usize = MAX_BITS / 64;
        let (mut root, mut square) = ([0; LIMBS], [0; LIMBS]);
        let (mut wide, mut bytes) = ([0; 2 * LIMBS], [0; 8 * LIMBS]);
        let width = fold.width();
        let (root, square) = (&mut root[..width], &mut square[..width]);
        let (wide, bytes) = (&mut wide[..2 * width], &mut bytes[..8 * width]);
        self.recover(fold, signature, root, wide, square, bytes)
            .then(|| then(&mut bytes[8 * width - self.0.bits.div_ceil(8)..]))
    }

    /// Puts the encoded message of the signature into the end of `bytes`; returns false if there is
    /// none (section 6.4, steps 2 to 6).
    #[inline(always)]
    fn recover(
        &self,
        fold: &Fold,
        signature: &[u8],
        root: &mut [u64],
        wide: &mut [u64],
        square: &mut [u64],
        bytes: &mut [u8],
    ) -> bool {
        let key = &*self.0;
        from_bytes(signature, root);
        if less(&key.half, root) {
            return false;
        }
        fold.square(root, wide, square);

        // An encoding is 12 modulo 16. It is the square times 1, -1, 2 or -2, whichever fits.
        let twice = match square[0] & 15 {
            12 => false,
            low if low & 7 == 6 => true,
            _ => {
                root.copy_from_slice(&key.modulus);
                sub_assign(root, square);
                square.copy_from_slice(root);
                match square[0] & 15 {
                    12 => false,
                    low if low & 7 == 6 => true,
                    _ => return false,
                }
            }
        };
        if twice && shl_bits(square, 1) != 0 {
            return false;
        }
        to_bytes(square, bytes);
        let spare = bytes.len() - key.bits.div_ceil(8);
        bytes[..spare].iter().all(|byte| *byte == 0)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.modulus == other.0.modulus
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.0.bits)
            .finish_non_exhaustive()
    }
}
