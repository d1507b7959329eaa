//! num-bigint: the choice of most Rust programs.

use num_bigint::BigUint;

use super::Numbers;

#[derive(Clone, Debug)]
pub struct NumBigint {
    modulus: BigUint,
    half: BigUint,
}

impl NumBigint {
    pub fn new(modulus: &[u8]) -> Self {
        let modulus = BigUint::from_bytes_be(modulus);
        Self {
            half: &modulus >> 1,
            modulus,
        }
    }
}

impl Numbers for NumBigint {
    fn recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> bool {
        let root = BigUint::from_bytes_be(signature);
        if root > self.half {
            return false;
        }
        let mut square = &root * &root % &self.modulus;
        let low = |number: &BigUint| number.iter_u64_digits().next().unwrap_or(0) & 15;
        if low(&square) != 12 && low(&square) & 7 != 6 {
            square = &self.modulus - square;
        }
        match low(&square) {
            12 => {}
            low if low & 7 == 6 => square <<= 1,
            _ => return false,
        }
        let bytes = square.to_bytes_be();
        let Some(spare) = encoded.len().checked_sub(bytes.len()) else {
            return false;
        };
        encoded[..spare].fill(0);
        encoded[spare..].copy_from_slice(&bytes);
        true
    }
}
