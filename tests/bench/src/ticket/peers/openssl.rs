//! OpenSSL's big numbers and hash: at its best, with every number allocated once and the cheapest
//! call of the hash, and as in its documentation.

use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::sha::Sha256;

use super::Numbers;

/// As fast as possible.
pub struct OpenSsl {
    modulus: BigNum,
    half: BigNum,
    root: BigNum,
    square: BigNum,
    other: BigNum,
    context: BigNumContext,
}

impl OpenSsl {
    pub fn new(modulus: &[u8]) -> Self {
        let make = || -> Result<Self, ErrorStack> {
            let modulus = BigNum::from_slice(modulus)?;
            let mut half = BigNum::new()?;
            half.rshift1(&modulus)?;
            Ok(Self {
                modulus,
                half,
                root: BigNum::new()?,
                square: BigNum::new()?,
                other: BigNum::new()?,
                context: BigNumContext::new()?,
            })
        };
        make().expect("numbers")
    }

    fn try_recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> Result<bool, ErrorStack> {
        self.root.copy_from_slice(signature)?;
        if self.root > self.half {
            return Ok(false);
        }
        // BN_sqr and BN_div, as BN_mod_sqr does it.
        self.square
            .mod_sqr(&self.root, &self.modulus, &mut self.context)?;
        let low = |number: &BigNum| -> u8 {
            (0..4).fold(0, |bits, bit| {
                bits | (u8::from(number.is_bit_set(bit)) << bit)
            })
        };
        let mut found = low(&self.square);
        if found != 12 && found & 7 != 6 {
            self.other.checked_sub(&self.modulus, &self.square)?;
            std::mem::swap(&mut self.other, &mut self.square);
            found = low(&self.square);
        }
        if found & 7 == 6 {
            self.other.lshift1(&self.square)?;
            std::mem::swap(&mut self.other, &mut self.square);
        } else if found != 12 {
            return Ok(false);
        }
        if self.square.num_bytes() as usize > encoded.len() {
            return Ok(false);
        }
        let bytes = self.square.to_vec_padded(encoded.len() as i32)?;
        encoded.copy_from_slice(&bytes);
        Ok(true)
    }
}

impl Numbers for OpenSsl {
    fn recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> bool {
        self.try_recover(signature, encoded).unwrap_or(false)
    }

    /// Not the one-shot function: it looks the hash up by name each time.
    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finish()
    }
}

/// Separate numbers for each check, and the hash by its one-shot function.
pub struct PlainOpenSsl(Vec<u8>);

impl PlainOpenSsl {
    pub fn new(modulus: &[u8]) -> Self {
        Self(modulus.to_vec())
    }
}

impl Numbers for PlainOpenSsl {
    fn recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> bool {
        OpenSsl::new(&self.0).recover(signature, encoded)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        openssl::sha::sha256(&parts.concat())
    }
}
