//! crypto-bigint: fixed widths, no allocation; its reduction that may vary in time.

use crypto_bigint::{NonZero, U1024, U2048};

use super::Numbers;

#[derive(Clone, Debug)]
pub enum CryptoBigint {
    Small(NonZero<U1024>),
    Large(NonZero<U2048>),
}

impl CryptoBigint {
    pub fn new(modulus: &[u8]) -> Self {
        match modulus.len() {
            128 => Self::Small(NonZero::new(U1024::from_be_slice(modulus)).expect("not zero")),
            _ => Self::Large(NonZero::new(U2048::from_be_slice(modulus)).expect("not zero")),
        }
    }
}

macro_rules! recover {
    ($uint:ident, $bytes:expr, $modulus:expr, $signature:expr, $encoded:expr) => {{
        let mut place = [0; $bytes];
        let Some(spare) = place.len().checked_sub($signature.len()) else {
            return false;
        };
        place[spare..].copy_from_slice($signature);
        let root = $uint::from_be_slice(&place);
        if root > $modulus.as_ref().shr_vartime(1) {
            return false;
        }
        let mut square = $uint::rem_wide_vartime(root.widening_square(), $modulus);
        let low = |number: &$uint| number.as_words()[0] & 15;
        if low(&square) != 12 && low(&square) & 7 != 6 {
            square = $modulus.as_ref().wrapping_sub(&square);
        }
        match low(&square) {
            12 => {}
            low if low & 7 == 6 => {
                if square.as_words()[$bytes / 8 - 1] >> 63 != 0 {
                    return false;
                }
                square = square.shl_vartime(1);
            }
            _ => return false,
        }
        for (bytes, word) in $encoded.chunks_exact_mut(8).rev().zip(square.as_words()) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        true
    }};
}

impl Numbers for CryptoBigint {
    fn recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> bool {
        match self {
            Self::Small(modulus) => recover!(U1024, 128, &*modulus, signature, encoded),
            Self::Large(modulus) => recover!(U2048, 256, &*modulus, signature, encoded),
        }
    }
}
