//! Squares modulo a public number that rarely changes: the whole arithmetic of a check.
//!
//! Not for secrets: the time depends slightly on the values.
//!
//! The modulus is shifted up until it fills an even number `w` of limbs. The upper half of a square
//! is folded into the lower with a table of `2^(64 (w + i)) mod m`, computed once, which leaves an
//! excess of one limb and a few bits; one estimated quotient removes it. Montgomery form would have
//! to be entered and left for the single squaring that a check needs.
//!
//! `wide` does the same with vector instructions, where the feature `simd` and the processor have
//! them; what is left is removed here.

use super::limbs::{less, mac, shl_bits, shr_bits, square, sub_assign};
use super::wide::Wide;

/// A modulus prepared for squaring.
pub(super) struct Fold {
    /// The modulus, shifted up by `limbs` limbs and `bits` bits, so that its top bit is set.
    modulus: Box<[u64]>,
    limbs: usize,
    bits: u32,
    table: Table,
    /// `2^(64 w + EXCESS) mod m`.
    excess: Box<[u64]>,
    /// `2^192 / (top two limbs of m + 1)`, rounded down, less `2^64`.
    reciprocal: u64,
}

/// What the upper half of a square is multiplied by.
enum Table {
    /// Entry `j * w + i` is limb `j` of `2^(64 (w + i)) mod m`: the values added to one limb of the
    /// result are adjacent.
    Columns(Box<[u64]>),
    Wide(Wide),
}

impl Fold {
    /// Prepares a modulus, which must not be zero.
    pub(super) fn new(modulus: &[u64], bit_len: usize) -> Self {
        let mut fold = Self::scalar(modulus, bit_len);
        // The excess of a modulus that is whole limbs shorter would not fit.
        if fold.limbs == 0
            && let Some(wide) = Wide::new(&fold.power(), |row, bits| {
                let top = shl_bits(row, bits);
                fold.remove(row, top);
            })
        {
            fold.table = Table::Wide(wide);
        }
        fold
    }

    /// As [`new`](Self::new), for squares without vector instructions.
    pub(super) fn scalar(modulus: &[u64], bit_len: usize) -> Self {
        let width = Self::width_for(bit_len);
        let shift = width * 64 - bit_len;
        let (limbs, bits) = (shift / 64, (shift % 64) as u32);
        let mut shifted = vec![0; width];
        shifted[limbs..].copy_from_slice(&modulus[..width - limbs]);
        shl_bits(&mut shifted, bits);

        let top = (u128::from(shifted[width - 1]) << 64) | u128::from(shifted[width - 2]);
        let mut fold = Self {
            modulus: shifted.into(),
            limbs,
            bits,
            table: Table::Columns(Box::default()),
            excess: vec![0; width].into(),
            reciprocal: reciprocal(top),
        };

        let mut row = fold.power();
        let mut excess = row.clone();
        let top = shl_bits(&mut excess, EXCESS);
        fold.remove(&mut excess, top);
        fold.excess = excess.into();
        let mut columns = vec![0; width * width];
        for i in 0..width {
            for j in 0..width {
                columns[j * width + i] = row[j];
            }
            let top = row[width - 1];
            row.copy_within(..width - 1, 1);
            row[0] = 0;
            fold.remove(&mut row, top);
        }
        fold.table = Table::Columns(columns.into());
        fold
    }

    /// Returns `2^(64 w) mod m`, which is `2^(64 w) - m`, because the top bit of m is set.
    fn power(&self) -> Vec<u64> {
        let mut power = vec![0; self.width()];
        sub_assign(&mut power, &self.modulus);
        power
    }

    /// Returns whether squares are made with vector instructions.
    pub(super) const fn is_wide(&self) -> bool {
        matches!(self.table, Table::Wide(_))
    }

    /// Returns the number of limbs for a modulus of `bit_len` bits: even, since columns are
    /// processed in pairs.
    pub(super) const fn width_for(bit_len: usize) -> usize {
        bit_len.div_ceil(128) * 2
    }

    /// Returns the number of limbs.
    pub(super) const fn width(&self) -> usize {
        self.modulus.len()
    }

    /// Puts `x^2 mod m` into `result`, for any `x` not above the unshifted modulus.
    ///
    /// `x` and `result` have [`width`](Self::width) limbs, `wide` twice as many. If the width is
    /// known at compile time, specialised code is generated.
    #[inline(always)]
    pub(super) fn square(&self, x: &[u64], wide: &mut [u64], result: &mut [u64]) {
        // (x^2 << shift) mod (m << shift) = (x^2 mod m) << shift
        let top = match &self.table {
            Table::Columns(columns) => {
                square(x, wide);
                if self.limbs != 0 {
                    let kept = wide.len() - self.limbs;
                    wide.copy_within(..kept, self.limbs);
                    wide[..self.limbs].fill(0);
                }
                if self.bits != 0 {
                    shl_bits(wide, self.bits);
                }
                fold(columns, wide, result)
            }
            Table::Wide(table) => {
                let mut top = u128::from(table.square(x, result));
                if self.bits != 0 {
                    top = (top << self.bits) | u128::from(shl_bits(result, self.bits));
                }
                top
            }
        };
        self.finish(result, top);
        if self.limbs != 0 {
            result.copy_within(self.limbs.., 0);
            let kept = result.len() - self.limbs;
            result[kept..].fill(0);
        }
        if self.bits != 0 {
            shr_bits(result, self.bits);
        }
    }

    /// Reduces `result + top * 2^(64 w)` to below the modulus.
    #[inline(always)]
    fn finish(&self, result: &mut [u64], mut top: u128) {
        // A sum of w + 1 limb-sized carries, or 124 bits: the part above EXCESS bits fits a limb.
        let bits = (top >> EXCESS) as u64;
        if bits != 0 {
            let mut carry = 0;
            for (sum, &limb) in result.iter_mut().zip(&self.excess) {
                (*sum, carry) = mac(*sum, bits, limb, carry);
            }
            top = (top & ((1 << EXCESS) - 1)) + u128::from(carry);
        }
        self.remove(result, top as u64);
    }

    /// Reduces `result + top * 2^(64 w)` to below the modulus.
    #[inline(always)]
    fn remove(&self, result: &mut [u64], mut top: u64) {
        while top != 0 {
            // Dividing by slightly more than the modulus never subtracts too much. It subtracts at
            // least `top` times the modulus and leaves less than three times, so this ends soon.
            let next = result[result.len() - 1];
            let reciprocal = u128::from(self.reciprocal);
            let low = (u128::from(next) * reciprocal) >> 64;
            let (low, over) = (u128::from(top) * reciprocal + low).overflowing_add(next.into());
            let estimate = u128::from(top) + (low >> 64) + (u128::from(over) << 64);
            let quotient = u64::try_from(estimate).unwrap_or(u64::MAX);
            let mut carry = 0;
            for (limb, &m) in result.iter_mut().zip(&self.modulus) {
                let (product, high) = mac(0, m, quotient, carry);
                let borrow;
                (*limb, borrow) = limb.overflowing_sub(product);
                carry = high + u64::from(borrow);
            }
            top = top.wrapping_sub(carry);
        }
        while !less(result, &self.modulus) {
            sub_assign(result, &self.modulus);
        }
    }
}

/// Folds the upper half of `wide` into the lower; returns the excess over `result`.
#[inline(always)]
fn fold(columns: &[u64], wide: &[u64], result: &mut [u64]) -> u128 {
    let width = result.len();
    let (low, high) = wide.split_at(width);
    let high = &high[..width];
    let columns = &columns[..width * width];
    let mut carry = 0u128;
    // Two columns at once share the loads of `high` and have independent carry chains.
    for j in (0..width - 1).step_by(2) {
        let left = &columns[j * width..][..width];
        let right = &columns[(j + 1) * width..][..width];
        let (mut a, mut b) = (Column::new(low[j], carry), Column::new(low[j + 1], 0));
        for i in 0..width {
            a.add(high[i], left[i]);
            b.add(high[i], right[i]);
        }
        let (limb, over) = a.split();
        result[j] = limb;
        b.add_wide(over);
        (result[j + 1], carry) = b.split();
    }
    carry
}

/// The number of bits above the result that are left to the quotient, so that it always fits a
/// limb.
const EXCESS: u32 = 62;

/// Returns `2^192 / (top + 1)`, rounded down, less `2^64`; the top bit must be set.
fn reciprocal(top: u128) -> u64 {
    let Some(divisor) = top.checked_add(1) else {
        return 0;
    };
    // 2^128 contains the divisor once; the rest is divided bit by bit.
    let (mut rest, mut quotient) = (divisor.wrapping_neg(), 0);
    for _ in 0..64 {
        let over = rest >> 127 != 0;
        rest <<= 1;
        let fits = over || rest >= divisor;
        if fits {
            rest = rest.wrapping_sub(divisor);
        }
        quotient = (quotient << 1) | u64::from(fits);
    }
    quotient
}

/// A sum of products of limbs: three limbs.
#[derive(Clone, Copy)]
struct Column {
    low: u128,
    high: u64,
}

impl Column {
    #[inline(always)]
    fn new(limb: u64, carry: u128) -> Self {
        let (low, over) = carry.overflowing_add(u128::from(limb));
        Self {
            low,
            high: u64::from(over),
        }
    }

    #[inline(always)]
    fn add(&mut self, a: u64, b: u64) {
        self.add_wide(u128::from(a) * u128::from(b));
    }

    #[inline(always)]
    fn add_wide(&mut self, wide: u128) {
        let over;
        (self.low, over) = self.low.overflowing_add(wide);
        self.high += u64::from(over);
    }

    /// Returns the lowest limb and the rest.
    #[inline(always)]
    fn split(self) -> (u64, u128) {
        (
            self.low as u64,
            (self.low >> 64) | (u128::from(self.high) << 64),
        )
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::rw::limbs::{bit_len, nat, to_bytes};

    fn big(limbs: &[u64]) -> BigUint {
        let mut bytes = vec![0; limbs.len() * 8];
        to_bytes(limbs, &mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    fn check(modulus: &BigUint, x: &BigUint) {
        let n = nat(
            &modulus.to_bytes_be(),
            Fold::width_for(modulus.bits() as usize),
        );
        let x = nat(&x.to_bytes_be(), n.len());
        for fold in [Fold::scalar(&n, bit_len(&n)), Fold::new(&n, bit_len(&n))] {
            let (mut wide, mut result) = (vec![3; 2 * x.len()], vec![5; x.len()]);
            fold.square(&x, &mut wide, &mut result);
            assert_eq!(
                big(&result),
                big(&x) * big(&x) % modulus,
                "{} {modulus:x} {:x}",
                fold.is_wide(),
                big(&x)
            );
        }
    }

    /// A modulus of any shape: random limbs mixed with those that provoke carries.
    fn number() -> impl Strategy<Value = BigUint> {
        let limb = || {
            prop_oneof![
                any::<u64>(),
                Just(0),
                Just(1),
                Just(u64::MAX),
                Just(1 << 63)
            ]
        };
        let size = prop_oneof![1usize..70, Just(16), Just(32), Just(128)];
        (size, 1u32..=64)
            .prop_flat_map(move |(size, bits)| (prop::collection::vec(limb(), size), Just(bits)))
            .prop_map(|(mut limbs, bits)| {
                let top = limbs.len() - 1;
                limbs[top] = (limbs[top] | 1 << 63) >> (64 - bits);
                big(&limbs)
            })
    }

    #[test]
    fn edges_are_reduced() {
        let one = BigUint::from(1u8);
        for bits in (1..200).chain([1017, 1023, 1024, 1025, 2041, 2047, 2048, 2049, 8192]) {
            let power = &one << bits;
            for modulus in [&power - &one, &power >> 1, (&power >> 1) + &one] {
                for below in [&modulus, &(&modulus >> 1), &one, &BigUint::ZERO] {
                    check(&modulus, &(&modulus - below));
                    check(&modulus, below);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn squares_are_reduced(modulus in number(), x in number(), below in 0u8..4) {
            check(&modulus, &(x % &modulus));
            check(&modulus, &(&modulus - BigUint::from(below).min(modulus.clone())));
        }
    }
}
