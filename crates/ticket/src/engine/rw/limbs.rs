//! Natural numbers as little-endian slices of 64-bit limbs, on which all other files here build.
//!
//! Running time depends on lengths; where it depends on values as well, the function says so.

use zeroize::Zeroizing;

/// A number that is wiped when it is dropped.
pub(super) type Nat = Zeroizing<Vec<u64>>;

/// Returns `acc + a * b + carry` as its low and high limb. It cannot overflow.
#[inline(always)]
pub(super) const fn mac(acc: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = acc as u128 + a as u128 * b as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

/// Returns `a + b + carry` and the carry out.
#[inline(always)]
pub(super) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 + b as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

/// Returns `a - b - borrow` and the borrow out.
#[inline(always)]
pub(super) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let difference = (a as u128).wrapping_sub(b as u128 + borrow as u128);
    (difference as u64, (difference >> 64) as u64 & 1)
}

/// Reads big-endian bytes, which must fit; remaining limbs become zero.
#[inline]
pub(super) fn from_bytes(bytes: &[u8], limbs: &mut [u64]) {
    let (head, whole) = bytes.as_rchunks::<8>();
    let (filled, left) = limbs.split_at_mut(whole.len());
    for (limb, eight) in filled.iter_mut().zip(whole.iter().rev()) {
        *limb = u64::from_be_bytes(*eight);
    }
    left.fill(0);
    if let Some(limb) = left.first_mut() {
        *limb = head
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    }
}

/// Creates a number of `width` limbs from big-endian bytes, which must fit.
pub(super) fn nat(bytes: &[u8], width: usize) -> Nat {
    let mut limbs = Zeroizing::new(vec![0; width]);
    from_bytes(bytes, &mut limbs);
    limbs
}

/// Writes all limbs as big-endian bytes; `bytes` is eight times as long.
#[inline]
pub(super) fn to_bytes(limbs: &[u64], bytes: &mut [u8]) {
    let (whole, _) = bytes.as_chunks_mut::<8>();
    for (eight, limb) in whole.iter_mut().rev().zip(limbs) {
        *eight = limb.to_be_bytes();
    }
}

/// Returns the big-endian bytes without leading zero bytes. The time reveals their number.
pub(super) fn minimal_bytes(limbs: &[u64]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; limbs.len() * 8]);
    to_bytes(limbs, &mut bytes);
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

/// Returns the number of bits; zero has none. The time reveals the number of zero limbs.
pub(super) fn bit_len(limbs: &[u64]) -> usize {
    let zeros = limbs.iter().rev().take_while(|limb| **limb == 0).count();
    match limbs.len() - zeros {
        0 => 0,
        used => used * 64 - limbs[used - 1].leading_zeros() as usize,
    }
}

/// Subtracts in place and returns the borrow; the second number must not be longer.
#[inline(always)]
pub(super) fn sub_assign(a: &mut [u64], b: &[u64]) -> u64 {
    let mut borrow = 0;
    let (low, high) = a.split_at_mut(b.len());
    for (a, b) in low.iter_mut().zip(b) {
        (*a, borrow) = sbb(*a, *b, borrow);
    }
    for a in high {
        (*a, borrow) = sbb(*a, 0, borrow);
    }
    borrow
}

/// Adds in place and returns the carry; the second number must not be longer.
#[inline(always)]
pub(super) fn add_assign(a: &mut [u64], b: &[u64]) -> u64 {
    let mut carry = 0;
    let (low, high) = a.split_at_mut(b.len());
    for (a, b) in low.iter_mut().zip(b) {
        (*a, carry) = adc(*a, *b, carry);
    }
    for a in high {
        (*a, carry) = adc(*a, 0, carry);
    }
    carry
}

/// Returns whether `a < b`, for numbers of equal length. The time reveals where they differ.
#[inline(always)]
pub(super) fn less(a: &[u64], b: &[u64]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Shifts up by less than 64 bits and returns the bits shifted out.
#[inline(always)]
pub(super) fn shl_bits(limbs: &mut [u64], bits: u32) -> u64 {
    let mut carry = 0;
    for limb in limbs {
        let wide = (u128::from(*limb) << bits) | u128::from(carry);
        (*limb, carry) = (wide as u64, (wide >> 64) as u64);
    }
    carry
}

/// Shifts down by less than 64 bits.
#[inline(always)]
pub(super) fn shr_bits(limbs: &mut [u64], bits: u32) {
    let mut above = 0;
    for limb in limbs.iter_mut().rev() {
        let wide = ((u128::from(above) << 64) | u128::from(*limb)) >> bits;
        (above, *limb) = (*limb, wide as u64);
    }
}

/// Multiplies; the product is as long as both factors together and must be zero before.
pub(super) fn mul(a: &[u64], b: &[u64], product: &mut [u64]) {
    for (i, &x) in a.iter().enumerate() {
        let mut carry = 0;
        let (row, above) = product[i..].split_at_mut(b.len());
        for (sum, &y) in row.iter_mut().zip(b) {
            (*sum, carry) = mac(*sum, x, y, carry);
        }
        above[0] = carry;
    }
}

/// Squares; the square is twice as long.
#[inline(always)]
pub(super) fn square(x: &[u64], square: &mut [u64]) {
    let width = x.len();
    let square = &mut square[..2 * width];
    square.fill(0);
    // Each product of two different limbs once...
    for i in 0..width {
        let (own, mut carry) = (x[i], 0);
        for (sum, &y) in square[2 * i + 1..i + width].iter_mut().zip(&x[i + 1..]) {
            (*sum, carry) = mac(*sum, own, y, carry);
        }
        square[i + width] = carry;
    }
    // ...then doubled, and the squares of the limbs added.
    let (mut top, mut carry) = (0, 0);
    for (pair, &x) in square.chunks_exact_mut(2).zip(x) {
        let own = u128::from(x) * u128::from(x);
        let (low, high) = (pair[0], pair[1]);
        let over;
        (pair[0], over) = adc((low << 1) | top, own as u64, carry);
        let sum = u128::from((high << 1) | (low >> 63)) + (own >> 64) + u128::from(over);
        (pair[1], carry) = (sum as u64, (sum >> 64) as u64);
        top = high >> 63;
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn big(limbs: &[u64]) -> BigUint {
        let mut bytes = vec![0; limbs.len() * 8];
        to_bytes(limbs, &mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    /// Extreme limbs, which provoke carries.
    fn limb() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            Just(0),
            Just(1),
            Just(u64::MAX),
            Just(1 << 63)
        ]
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let limbs = nat(&bytes, 9);
            prop_assert_eq!(big(&limbs), BigUint::from_bytes_be(&bytes));
            let kept: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
            prop_assert_eq!(&*minimal_bytes(&limbs), &kept);
            prop_assert_eq!(bit_len(&limbs) as u64, big(&limbs).bits());
        }

        #[test]
        fn sums_products_and_squares_are_right(
            a in prop::collection::vec(limb(), 1..40),
            b in prop::collection::vec(limb(), 1..40),
            bits in 0u32..64,
        ) {
            let mut product = vec![0; a.len() + b.len()];
            mul(&a, &b, &mut product);
            prop_assert_eq!(big(&product), big(&a) * big(&b));

            let mut own = vec![7; 2 * a.len()];
            square(&a, &mut own);
            prop_assert_eq!(big(&own), big(&a) * big(&a));

            let (long, short) = if a.len() < b.len() { (&b, &a) } else { (&a, &b) };
            let mut sum = long.clone();
            let carry = add_assign(&mut sum, short);
            sum.push(carry);
            prop_assert_eq!(big(&sum), big(&a) + big(&b));
            prop_assert_eq!(sub_assign(&mut sum, short), 0);
            prop_assert_eq!(big(&sum), big(long));
            prop_assert_eq!(less(&long[..short.len()], short), big(&long[..short.len()]) < big(short));

            let mut up = a.clone();
            let out = shl_bits(&mut up, bits);
            up.push(out);
            prop_assert_eq!(big(&up), big(&a) << bits);
            let mut down = a.clone();
            shr_bits(&mut down, bits);
            prop_assert_eq!(big(&down), big(&a) >> bits);
        }
    }
}
