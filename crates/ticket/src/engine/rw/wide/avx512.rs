//! Squares with the AVX-512 instructions that multiply 52-bit numbers (IFMA), for moduli of 1024 and
//! 2048 bits. The processor is asked at run time.
//!
//! Numbers are vectors of 52-bit limbs in 64-bit lanes, so that sums of a few dozen products need no
//! carries. The limbs of a square above those of the modulus are folded into the rest with a table of
//! `2^(52 (n + i)) mod m`, where `n` is the number of limbs of the modulus. What is left is some
//! sixty bits too long, and reduced by the caller.

use fearless_simd::prelude::*;
use fearless_simd::{Avx512, Level, mask64x8, u64x8};

type Lanes = u64x8<Avx512>;

/// How many limbs one vector has.
const LANES: usize = 8;

/// The bits of a limb.
const LIMB: usize = 52;
const LIMB_MASK: u64 = (1 << LIMB) - 1;

/// Returns the number of limbs for a number of `width` 64-bit limbs.
const fn limbs_for(width: usize) -> usize {
    (width * 64).div_ceil(LIMB)
}

/// The table for one modulus.
pub(super) struct Wide {
    avx512: Avx512,
    rows: Rows,
}

enum Rows {
    /// For 16 limbs of 64 bits, which are 20 of 52.
    Of16(Box<[[Lanes; 3]]>),
    /// For 32, which are 40.
    Of32(Box<[[Lanes; 5]]>),
}

impl Wide {
    /// Makes the table for a modulus of `power.len()` 64-bit limbs. `power` is 2^64 to that number,
    /// modulo the modulus; `shift` shifts a number up by less than 64 bits and reduces it. Returns
    /// `None` if the processor does not have the instructions or the modulus has another size.
    pub(super) fn new(power: &[u64], mut shift: impl FnMut(&mut [u64], u32)) -> Option<Self> {
        let avx512 = Level::new().as_avx512()?;
        let width = power.len();
        let limbs = limbs_for(width);
        let mut row = power.to_vec();
        shift(&mut row, (limbs * LIMB - width * 64) as u32);
        let rows = (0..limbs).map(|_| {
            let this = row.clone();
            shift(&mut row, LIMB as u32);
            this
        });
        let rows = match width {
            16 => Rows::Of16(rows.map(|row| lanes(avx512, &row)).collect()),
            32 => Rows::Of32(rows.map(|row| lanes(avx512, &row)).collect()),
            _ => return None,
        };
        Some(Self { avx512, rows })
    }

    /// Squares `x` and puts a number into `result` that is equal to the square modulo the modulus,
    /// except for the part above `result`, which is returned and has less than 60 bits.
    #[inline(always)]
    pub(super) fn square(&self, x: &[u64], result: &mut [u64]) -> u64 {
        let avx512 = self.avx512;
        // Other sizes are never made.
        match &self.rows {
            Rows::Of16(rows) => square_16(avx512, x, rows, result),
            Rows::Of32(rows) => square_32(avx512, x, rows, result),
        }
    }
}

/// Not inlined: code with other instructions than its caller cannot be.
#[inline(never)]
fn square_16(avx512: Avx512, x: &[u64], rows: &[[Lanes; 3]], result: &mut [u64]) -> u64 {
    avx512.vectorize(
        #[inline(always)]
        || square::<16, 20, 3, 4, 6, 48, 32>(avx512, x, rows, result),
    )
}

#[inline(never)]
fn square_32(avx512: Avx512, x: &[u64], rows: &[[Lanes; 5]], result: &mut [u64]) -> u64 {
    avx512.vectorize(
        #[inline(always)]
        || square::<32, 40, 5, 6, 10, 80, 48>(avx512, x, rows, result),
    )
}

/// `W` 64-bit limbs are `L` limbs and `V` vectors; `V1` is one vector more; a square has `P` vectors
/// and `PL` lanes. `L1` is the lanes of `V1` vectors.
#[inline(always)]
fn square<
    const W: usize,
    const L: usize,
    const V: usize,
    const V1: usize,
    const P: usize,
    const PL: usize,
    const L1: usize,
>(
    avx512: Avx512,
    x: &[u64],
    rows: &[[Lanes; V]],
    result: &mut [u64],
) -> u64 {
    let zero = u64x8::splat(avx512, 0);
    let mut wide = product::<L, V, V1, P, PL>(avx512, x);

    // Only limbs that are multiplied again must have 52 bits. They may begin within a vector.
    let (whole, begun) = (L / LANES, L % LANES);
    carry(avx512, &mut wide[whole..]);
    let mut limbs = [0; PL];
    store(&wide, &mut limbs);

    let (mut low, mut high) = ([zero; V], [zero; V]);
    low[..whole].copy_from_slice(&wide[..whole]);
    if begun != 0 {
        let mut kept = [0; LANES];
        kept[..begun].copy_from_slice(&limbs[L - begun..L]);
        low[whole] = u64x8::from_slice(avx512, &kept);
    }
    for (limb, row) in limbs[L..].iter().zip(rows) {
        let limb = u64x8::splat(avx512, *limb);
        for k in 0..V {
            low[k] = add_low(avx512, low[k], limb, row[k]);
            high[k] = add_high(avx512, high[k], limb, row[k]);
        }
    }
    let mut sum = [zero; V1];
    let mut below = zero;
    for k in 0..V {
        sum[k] = low[k] + up(high[k], below);
        below = high[k];
    }
    sum[V] = up(zero, below);
    carry(avx512, &mut sum);
    let mut limbs = [0; L1];
    store(&sum, &mut limbs);
    join::<L, W>(&limbs, result)
}

/// Squares: limbs of less than 59 bits, each a sum of at most 80 halves of products.
#[inline(always)]
fn product<const L: usize, const V: usize, const V1: usize, const P: usize, const PL: usize>(
    avx512: Avx512,
    x: &[u64],
) -> [Lanes; P] {
    let zero = u64x8::splat(avx512, 0);
    // With zeros on both sides; there is room, since a product is twice as long.
    let mut padded = [0; PL];
    split::<L>(x, &mut padded[LANES..LANES + L]);
    let (mut low, mut high) = ([zero; P], [zero; P]);
    for lane in 0..LANES {
        // Moved up by `lane` limbs, so that products need not be moved.
        let mut moved = [zero; V1];
        for (k, moved) in moved.iter_mut().enumerate() {
            *moved = u64x8::from_slice(avx512, &padded[LANES * (k + 1) - lane..][..LANES]);
        }
        for q in 0..V {
            let limb = u64x8::splat(avx512, padded[LANES * (q + 1) + lane]);
            for k in 0..V1 {
                // The last one can be past the end only where it is zero.
                if q + k < P {
                    low[q + k] = add_low(avx512, low[q + k], limb, moved[k]);
                    high[q + k] = add_high(avx512, high[q + k], limb, moved[k]);
                }
            }
        }
    }
    let mut below = zero;
    for k in 0..P {
        low[k] += up(high[k], below);
        below = high[k];
    }
    low
}

/// Carries from limb to limb, so that each has 52 bits. Limbs have less than 60 bits before, and
/// there is no carry out of the last.
#[inline(always)]
fn carry(avx512: Avx512, limbs: &mut [Lanes]) {
    let (zero, one) = (u64x8::splat(avx512, 0), u64x8::splat(avx512, 1));
    let most = u64x8::splat(avx512, LIMB_MASK);
    let mut below = zero;
    // Which limbs now carry one, and which would if one were carried into them.
    let (mut carrying, mut full) = (0, 0);
    for (k, limbs) in limbs.iter_mut().enumerate() {
        let over = *limbs >> LIMB as u32;
        *limbs = (*limbs & most) + up(over, below);
        below = over;
        carrying |= limbs.simd_gt(most).to_bitmask() << (LANES * k);
        full |= limbs.simd_eq(most).to_bitmask() << (LANES * k);
    }
    // An addition runs through all full limbs at once; no limb is both.
    let carried = ((carrying << 1) + full) ^ full;
    for (k, limbs) in limbs.iter_mut().enumerate() {
        let here = mask64x8::from_bitmask(avx512, carried >> (LANES * k) & 0xFF);
        *limbs = (*limbs + here.select(one, zero)) & most;
    }
}

/// Moves lanes up by one; the lowest comes from the vector below.
#[inline(always)]
fn up(lanes: Lanes, below: Lanes) -> Lanes {
    below.slide::<{ LANES - 1 }>(lanes)
}

fearless_simd::kernel!(
    /// Adds the low halves of products.
    #[inline(always)]
    fn add_low(
        avx512: Avx512,
        sum: u64x8<Avx512>,
        a: u64x8<Avx512>,
        b: u64x8<Avx512>,
    ) -> u64x8<Avx512> {
        let sum = std::arch::x86_64::_mm512_madd52lo_epu64(sum.into(), a.into(), b.into());
        sum.simd_into(avx512)
    }
);

fearless_simd::kernel!(
    /// Adds the high halves of products.
    #[inline(always)]
    fn add_high(
        avx512: Avx512,
        sum: u64x8<Avx512>,
        a: u64x8<Avx512>,
        b: u64x8<Avx512>,
    ) -> u64x8<Avx512> {
        let sum = std::arch::x86_64::_mm512_madd52hi_epu64(sum.into(), a.into(), b.into());
        sum.simd_into(avx512)
    }
);

#[inline(always)]
fn store<const P: usize>(vectors: &[Lanes; P], limbs: &mut [u64]) {
    for (vector, limbs) in vectors.iter().zip(limbs.chunks_exact_mut(LANES)) {
        vector.store_slice(limbs);
    }
}

fn lanes<const V: usize>(avx512: Avx512, number: &[u64]) -> [Lanes; V] {
    let mut limbs = vec![0; V * LANES];
    for (i, limb) in limbs.iter_mut().enumerate().take(limbs_for(number.len())) {
        *limb = limb_at(number, i);
    }
    std::array::from_fn(|k| u64x8::from_slice(avx512, &limbs[k * LANES..][..LANES]))
}

/// Splits a number into limbs.
#[inline(always)]
fn split<const L: usize>(x: &[u64], limbs: &mut [u64]) {
    for (i, limb) in limbs[..L].iter_mut().enumerate() {
        *limb = limb_at(x, i);
    }
}

#[inline(always)]
fn limb_at(x: &[u64], i: usize) -> u64 {
    let (at, bits) = (i * LIMB / 64, i * LIMB % 64);
    let above = match x.get(at + 1) {
        Some(above) if bits > 64 - LIMB => above << (64 - bits),
        _ => 0,
    };
    (x[at] >> bits | above) & LIMB_MASK
}

/// Joins `L + 1` limbs to 64-bit limbs, and returns what is above `W` of them, below 2^60.
#[inline(always)]
fn join<const L: usize, const W: usize>(limbs: &[u64], result: &mut [u64]) -> u64 {
    result[..W].fill(0);
    let mut top = 0;
    for (i, limb) in limbs[..=L].iter().enumerate() {
        let (at, bits) = (i * LIMB / 64, i * LIMB % 64);
        if at < W {
            result[at] |= limb << bits;
        } else {
            top |= limb << (i * LIMB - W * 64);
        }
        if bits > 64 - LIMB {
            let above = limb >> (64 - bits);
            if at + 1 < W {
                result[at + 1] |= above;
            } else {
                top |= above;
            }
        }
    }
    top
}
