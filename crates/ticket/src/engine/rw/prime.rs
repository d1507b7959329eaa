//! Random primes for key generation. Not constant-time.

use zeroize::Zeroizing;

use super::KeyError;
use super::limbs::{Nat, nat, shr_bits, sub_assign};
use super::mont::Mont;

/// Returns a random prime of exactly `bits` bits (at least 64) that is 3 or 7 modulo 8.
pub(super) fn random(bits: usize, residue: u64) -> Result<Nat, KeyError> {
    loop {
        let mut candidate = random_nat(bits)?;
        if let Some(top) = candidate.last_mut() {
            *top |= 1 << ((bits - 1) % 64);
        }
        candidate[0] = (candidate[0] & !7) | residue;
        if !has_small_factor(&candidate) && is_probable_prime(&candidate)? {
            return Ok(candidate);
        }
    }
}

fn random_nat(bits: usize) -> Result<Nat, KeyError> {
    let mut bytes = Zeroizing::new(vec![0; bits.div_ceil(8)]);
    getrandom::getrandom(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    bytes[0] &= 0xFF >> (bytes.len() * 8 - bits);
    Ok(nat(&bytes, bits.div_ceil(64)))
}

/// Avoids the expensive test for most composites; candidates are far larger than all divisors.
fn has_small_factor(candidate: &[u64]) -> bool {
    SMALL_PRIMES.iter().any(|&divisor| {
        let divisor = u64::from(divisor);
        let remainder = candidate.iter().rev().fold(0, |remainder, limb| {
            let high = ((remainder << 32) | (limb >> 32)) % divisor;
            ((high << 32) | (limb & 0xFFFF_FFFF)) % divisor
        });
        remainder == 0
    })
}

/// The Miller-Rabin test. As candidates are 3 modulo 4, a single power decides a round.
fn is_probable_prime(candidate: &[u64]) -> Result<bool, KeyError> {
    /// One round accepts a composite in at most a quarter of all cases.
    const ROUNDS: usize = 40;

    let Some(mont) = Mont::new(candidate) else {
        return Ok(false);
    };
    let minus_one = mont.negate(mont.one());
    let mut power = Zeroizing::new(candidate.to_vec());
    sub_assign(&mut power, &[1]);
    shr_bits(&mut power, 1);
    for _ in 0..ROUNDS {
        let base = random_nat(candidate.len() * 64)?;
        let result = mont.pow(&mont.enter(&base), &power);
        if result[..] != *mont.one() && result != minus_one {
            return Ok(false);
        }
    }
    Ok(true)
}

const SMALL_PRIMES: [u16; 302] = {
    let mut primes = [0; 302];
    let (mut found, mut candidate) = (0, 3);
    while found < primes.len() {
        let mut divisor = 3;
        while divisor * divisor <= candidate && candidate % divisor != 0 {
            divisor += 2;
        }
        if divisor * divisor > candidate {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 2;
    }
    primes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_have_their_size_and_residue() {
        for (bits, residue) in [(64, 3), (65, 7), (127, 3), (128, 7), (129, 3)] {
            let prime = random(bits, residue).unwrap();
            assert_eq!(super::super::limbs::bit_len(&prime), bits);
            assert_eq!(prime[0] % 8, residue);
        }
    }

    #[test]
    fn small_primes_are_the_odd_ones_below_two_thousand() {
        assert_eq!(SMALL_PRIMES[..5], [3, 5, 7, 11, 13]);
        assert_eq!(SMALL_PRIMES.last(), Some(&1999));
    }

    #[test]
    fn composites_are_found_and_primes_pass() {
        // 2^127 - 1 is prime and leaves 7; the square of 2^61 - 1 and a strong pseudoprime are not.
        assert!(is_probable_prime(&[u64::MAX, u64::MAX >> 1]).unwrap());
        let m61 = (1u128 << 61) - 1;
        let square = m61 * m61;
        assert!(!is_probable_prime(&[square as u64, (square >> 64) as u64]).unwrap());
        // 1195068768795265792518361315725116351898245581 leaves 1 modulo 4 and is no candidate;
        // 3215031751 = 151 * 751 * 28351 passes the bases 2, 3, 5 and 7.
        assert!(!is_probable_prime(&[3_215_031_751]).unwrap());
        assert!(has_small_factor(&[151 * 7919]));
        assert!(!has_small_factor(&[u64::MAX, u64::MAX >> 1]));
    }
}
