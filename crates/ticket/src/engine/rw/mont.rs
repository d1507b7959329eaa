//! Arithmetic modulo a secret odd number, in Montgomery form.
//!
//! Every function here runs the same instructions on the same addresses for all values of equal
//! length. This relies on a processor that multiplies and adds in constant time, and on a compiler
//! that does not turn the masks of `subtle` into branches.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::limbs::{Nat, adc, mac, sbb};

/// A secret modulus. "Form" below is `x * R mod n`, where `R` is 2^64 to the number of limbs.
pub(super) struct Mont {
    n: Nat,
    /// `-1 / n mod 2^64`.
    inverse: u64,
    /// The forms of 1 and of `R`.
    one: Nat,
    r: Nat,
}

impl Mont {
    /// Prepares a modulus; `None` unless it is odd and above 1.
    pub(super) fn new(n: &[u64]) -> Option<Self> {
        let (low, high) = n.split_first()?;
        let above_one = high.iter().fold(low & !1, |seen, limb| seen | limb) != 0;
        if low & 1 == 0 || !above_one {
            return None;
        }
        // Newton's method: each step doubles the number of correct bits, starting from three.
        let mut inverse = *low;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(low.wrapping_mul(inverse)));
        }
        let mut mont = Self {
            n: Zeroizing::new(n.to_vec()),
            inverse: inverse.wrapping_neg(),
            one: zero(n.len()),
            r: zero(n.len()),
        };
        let mut power = zero(n.len());
        power[0] = 1;
        for _ in 0..n.len() * 64 {
            power = mont.add(&power, &power);
        }
        mont.one = power.clone();
        for _ in 0..n.len() * 64 {
            power = mont.add(&power, &power);
        }
        mont.r = power;
        Some(mont)
    }

    /// Returns the modulus.
    pub(super) fn modulus(&self) -> &[u64] {
        &self.n
    }

    /// Returns the form of 1.
    pub(super) fn one(&self) -> &[u64] {
        &self.one
    }

    /// Converts a number of any length to its form.
    pub(super) fn enter(&self, x: &[u64]) -> Nat {
        let mut form = zero(self.n.len());
        for chunk in x.chunks(self.n.len()).rev() {
            let mut limbs = zero(self.n.len());
            limbs[..chunk.len()].copy_from_slice(chunk);
            form = self.add(&self.mul(&form, &self.r), &self.mul(&limbs, &self.r));
        }
        form
    }

    /// Converts a form back to the number, which is below the modulus.
    pub(super) fn leave(&self, form: &[u64]) -> Nat {
        let mut one = zero(self.n.len());
        one[0] = 1;
        self.mul(&one, form)
    }

    /// Multiplies forms. The first may be any number of the modulus's length.
    pub(super) fn mul(&self, a: &[u64], b: &[u64]) -> Nat {
        let mut product = zero(self.n.len());
        self.mul_into(a, b, &mut product);
        product
    }

    /// Squares a form.
    pub(super) fn square(&self, a: &[u64]) -> Nat {
        self.mul(a, a)
    }

    fn mul_into(&self, a: &[u64], b: &[u64], product: &mut [u64]) {
        let n = &self.n[..];
        let width = n.len();
        let (a, product) = (&a[..width], &mut product[..width]);
        product.fill(0);
        let mut top = 0;
        for &b in b {
            let (first, mut carry) = mac(product[0], a[0], b, 0);
            let factor = first.wrapping_mul(self.inverse);
            let (_, mut reduced) = mac(first, factor, n[0], 0);
            for j in 1..width {
                let limb;
                (limb, carry) = mac(product[j], a[j], b, carry);
                (product[j - 1], reduced) = mac(limb, factor, n[j], reduced);
            }
            (product[width - 1], top) = {
                let (low, over) = adc(top, carry, 0);
                let (low, more) = adc(low, reduced, 0);
                (low, over + more)
            };
        }
        self.reduce_once(product, top);
    }

    /// Raises a form to a secret power; the time depends on the number of limbs of the power.
    pub(super) fn pow(&self, base: &[u64], power: &[u64]) -> Nat {
        let width = self.n.len();
        let mut table = zero(16 * width);
        table[..width].copy_from_slice(&self.one);
        for i in 1..16 {
            let (known, next) = table.split_at_mut(i * width);
            self.mul_into(&known[(i - 1) * width..], base, &mut next[..width]);
        }

        let (mut result, mut next) = (self.one.clone(), zero(width));
        let mut factor = zero(width);
        for limb in power.iter().rev() {
            for shift in (0..64).step_by(4).rev() {
                for _ in 0..4 {
                    self.mul_into(&result, &result, &mut next);
                    std::mem::swap(&mut result, &mut next);
                }
                // Every entry is read, so that the cache does not reveal the selected one.
                let window = (limb >> shift) & 15;
                factor.fill(0);
                for (i, entry) in (0u64..).zip(table.chunks_exact(width)) {
                    let wanted = mask(i.ct_eq(&window));
                    for (sum, limb) in factor.iter_mut().zip(entry) {
                        *sum |= limb & wanted;
                    }
                }
                self.mul_into(&result, &factor, &mut next);
                std::mem::swap(&mut result, &mut next);
            }
        }
        result
    }

    /// Adds numbers below the modulus.
    pub(super) fn add(&self, a: &[u64], b: &[u64]) -> Nat {
        let mut sum = zero(self.n.len());
        let mut carry = 0;
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            (*sum, carry) = adc(*a, *b, carry);
        }
        self.reduce_once(&mut sum, carry);
        sum
    }

    /// Subtracts a number below the modulus from the modulus, or zero from zero.
    pub(super) fn negate(&self, a: &[u64]) -> Nat {
        let mut difference = zero(self.n.len());
        let mut borrow = 0;
        for ((difference, n), a) in difference.iter_mut().zip(self.n.iter()).zip(a) {
            (*difference, borrow) = sbb(*n, *a, borrow);
        }
        self.reduce_once(&mut difference, 0);
        difference
    }

    /// Subtracts the modulus if `value + top * R` is not below it; `top` is 0 or 1.
    fn reduce_once(&self, value: &mut [u64], top: u64) {
        let below = borrows(value, &self.n);
        let wanted = mask(Choice::from((top & 1) as u8) | !below);
        let mut borrow = 0;
        for (limb, n) in value.iter_mut().zip(self.n.iter()) {
            (*limb, borrow) = sbb(*limb, n & wanted, borrow);
        }
    }
}

/// Returns whether `a < b`, for numbers of equal length.
pub(super) fn borrows(a: &[u64], b: &[u64]) -> Choice {
    let mut borrow = 0;
    for (a, b) in a.iter().zip(b) {
        (_, borrow) = sbb(*a, *b, borrow);
    }
    Choice::from((borrow & 1) as u8)
}

/// Returns `a`, or `b` if `second` is set.
pub(super) fn select(a: &[u64], b: &[u64], second: Choice) -> Nat {
    let wanted = mask(second);
    let chosen = a.iter().zip(b).map(|(a, b)| (a & !wanted) | (b & wanted));
    Zeroizing::new(chosen.collect())
}

fn mask(choice: Choice) -> u64 {
    u64::conditional_select(&0, &u64::MAX, choice)
}

fn zero(width: usize) -> Nat {
    Zeroizing::new(vec![0; width])
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::rw::limbs::to_bytes;

    fn big(limbs: &[u64]) -> BigUint {
        let mut bytes = vec![0; limbs.len() * 8];
        to_bytes(limbs, &mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    fn limb() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            Just(0),
            Just(1),
            Just(u64::MAX),
            Just(1 << 63)
        ]
    }

    fn limbs(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(limb(), range)
    }

    #[test]
    fn what_has_no_montgomery_form_is_refused() {
        for n in [&[][..], &[0], &[1], &[2], &[1, 0], &[4, 5]] {
            assert!(Mont::new(n).is_none(), "{n:?}");
        }
        assert!(Mont::new(&[3]).is_some());
        assert!(Mont::new(&[1, 1]).is_some());
    }

    proptest! {
        #[test]
        fn every_operation_is_right(
            n in limbs(1..6),
            a in limbs(0..14),
            b in limbs(1..14),
            power in limbs(1..3),
        ) {
            let mut n = n;
            n[0] |= 1;
            prop_assume!(big(&n) > BigUint::from(1u8));
            let mont = Mont::new(&n).unwrap();
            let n = big(&n);
            let (x, y) = (mont.enter(&a), mont.enter(&b));
            let (a, b) = (big(&a) % &n, big(&b) % &n);
            let leave = |form: &[u64]| big(&mont.leave(form));
            prop_assert_eq!(leave(&x), a.clone());
            prop_assert_eq!(leave(&mont.mul(&x, &y)), &a * &b % &n);
            prop_assert_eq!(leave(&mont.square(&x)), &a * &a % &n);
            prop_assert_eq!(leave(&mont.add(&x, &y)), (&a + &b) % &n);
            prop_assert_eq!(leave(&mont.negate(&x)), (&n - &a) % &n);
            prop_assert_eq!(leave(&mont.pow(&x, &power)), a.modpow(&big(&power), &n));
            prop_assert_eq!(leave(mont.one()), BigUint::from(1u8));
        }
    }
}
