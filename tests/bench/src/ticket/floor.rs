//! The minimum for a check: one squaring modulo the key, and the hashing. The squaring is the
//! library's own, compiled from its source, to measure how much the rest of a check adds.

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

#[path = "../../../../crates/ticket/src/engine/rw/fold.rs"]
#[allow(dead_code, reason = "the library's file")]
mod fold;
#[path = "../../../../crates/ticket/src/engine/rw/limbs.rs"]
#[allow(dead_code, reason = "the library's file: signing is left out here")]
mod limbs;

#[cfg(target_arch = "x86_64")]
#[path = "../../../../crates/ticket/src/engine/rw/wide/avx512.rs"]
mod wide;
#[cfg(not(target_arch = "x86_64"))]
#[path = "../../../../crates/ticket/src/engine/rw/wide/none.rs"]
mod wide;

use self::fold::Fold;

/// A modulus of 1024 or 2048 bits.
pub struct Floor {
    fold: Fold,
    root: Vec<u64>,
    blocks: usize,
}

impl Floor {
    pub fn new(modulus: &[u8]) -> Self {
        let modulus = limbs::nat(modulus, Fold::width_for(modulus.len() * 8));
        let mut root = modulus.to_vec();
        limbs::shr_bits(&mut root, 2);
        Self {
            fold: Fold::new(&modulus, limbs::bit_len(&modulus)),
            root,
            // The mask covers all but 33 bytes; 72 bytes are hashed last.
            blocks: (modulus.len() * 8 - 33).div_ceil(32),
        }
    }

    /// One squaring of numbers that differ each time.
    pub fn square(&mut self) -> u64 {
        match self.root.len() {
            16 => self.square_of::<16, 32>(),
            _ => self.square_of::<32, 64>(),
        }
    }

    fn square_of<const W: usize, const WIDE: usize>(&mut self) -> u64 {
        let mut root = [0; W];
        root.copy_from_slice(&self.root);
        let (mut wide, mut result) = ([0; WIDE], [0; W]);
        self.fold.square(&root, &mut wide, &mut result);
        self.root.copy_from_slice(&result);
        limbs::shr_bits(&mut self.root, 1);
        result[0]
    }

    /// The hashing of one check: the message, the mask, and what is compared at last.
    pub fn hash(&self, message: &[u8]) -> u32 {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(message));
        let mut seen = 0;
        for counter in 0..self.blocks as u32 {
            block[32..36].copy_from_slice(&counter.to_be_bytes());
            let mut state = [counter; 8];
            compress256(&mut state, &[block]);
            seen ^= state[0];
        }
        let mut state = [seen; 8];
        compress256(&mut state, &[block, block]);
        state[0]
    }
}
