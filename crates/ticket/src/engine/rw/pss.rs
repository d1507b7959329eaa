//! The message encoding of the protocol (sections 6.2 and 6.4): PSS with SHA-256, MGF1 and a salt
//! of 32 bytes.
//!
//! Nothing here is secret: anyone can compute an encoding from a signature.

use sha2::block_api::compress256;

pub(super) const SALT: usize = 32;
const HASH: usize = 32;
const TRAILER: u8 = 0xBC;

/// Returns whether a modulus of `bits` bits has room for hash, salt and the three fixed bytes.
pub(super) const fn fits(bits: usize) -> bool {
    match bits.checked_sub(1) {
        None => false,
        // If the top byte of the modulus is 1, it leaves no bit for the encoding.
        Some(usable) => usable.div_ceil(8) >= HASH + SALT + 2,
    }
}

/// Encodes a message's hash into as many bytes as the modulus has; it must [fit](fits).
pub(super) fn encode(message: &[u8; HASH], salt: &[u8; SALT], bits: usize, encoded: &mut [u8]) {
    let spare = (bits - 1) % 8;
    let encoded = if spare == 0 {
        encoded[0] = 0;
        &mut encoded[1..]
    } else {
        encoded
    };
    let (data, rest) = encoded.split_at_mut(encoded.len() - HASH - 1);
    let hash = salted(message, salt);
    rest[..HASH].copy_from_slice(&hash);
    rest[HASH] = TRAILER;

    let (zeros, tail) = data.split_at_mut(data.len() - SALT - 1);
    zeros.fill(0);
    tail[0] = 1;
    tail[1..].copy_from_slice(salt);
    let mut mask = Mask::new(&hash);
    for chunk in data.chunks_mut(HASH) {
        mask.apply(chunk);
    }
    if spare != 0 {
        data[0] &= 0xFF >> (8 - spare);
    }
}

/// Returns whether `encoded`, as long as a modulus of `bits` bits, encodes the message.
///
/// Overwrites `encoded`.
#[inline]
pub(super) fn verify(encoded: &mut [u8], bits: usize, message: &[u8]) -> bool {
    let spare = (bits - 1) % 8;
    let Some((&mut first, after)) = encoded.split_first_mut() else {
        return false;
    };
    if u32::from(first) >> spare != 0 {
        return false;
    }
    let encoded = if spare == 0 { after } else { encoded };
    let Some(data_len) = encoded.len().checked_sub(HASH + 1) else {
        return false;
    };
    let (data, rest) = encoded.split_at_mut(data_len);
    let Some(zeros) = data_len.checked_sub(SALT + 1) else {
        return false;
    };
    let Some((hash, &[TRAILER])) = rest.split_first_chunk::<HASH>() else {
        return false;
    };

    let mut mask = Mask::new(hash);
    let mut chunks = data.chunks_mut(HASH);
    // The fixed zeros are checked first, so that a forgery rarely costs more than one block.
    if let Some(chunk) = chunks.next() {
        mask.apply(chunk);
        if spare != 0 {
            chunk[0] &= 0xFF >> (8 - spare);
        }
        if any_set(&chunk[..zeros.min(HASH)]) {
            return false;
        }
    }
    chunks.for_each(|chunk| mask.apply(chunk));
    if any_set(&data[..zeros]) {
        return false;
    }
    let Some((&[1], salt)) = data[zeros..].split_first_chunk::<1>() else {
        return false;
    };
    let Ok(salt) = salt.try_into() else {
        return false;
    };
    salted(&hash_message(message), salt) == *hash
}

#[inline]
fn any_set(bytes: &[u8]) -> bool {
    let (words, tail) = bytes.as_chunks::<8>();
    let seen = words
        .iter()
        .fold(0, |seen, word| seen | u64::from_ne_bytes(*word));
    let tail = tail.iter().fold(0, |seen, byte| seen | byte);
    (seen | u64::from(tail)) != 0
}

/// MGF1: one SHA-256 block for each 32 bytes, as hash, counter and padding fill exactly one block.
struct Mask {
    block: [u8; 64],
    counter: u32,
}

impl Mask {
    #[inline]
    fn new(seed: &[u8; HASH]) -> Self {
        let mut block = [0; 64];
        block[..HASH].copy_from_slice(seed);
        pad(&mut block, HASH + 4, HASH + 4);
        Self { block, counter: 0 }
    }

    #[inline]
    fn apply(&mut self, chunk: &mut [u8]) {
        self.block[HASH..HASH + 4].copy_from_slice(&self.counter.to_be_bytes());
        self.counter += 1;
        let mask = hash_blocks(&[self.block]);
        if let Ok(chunk) = <&mut [u8; HASH]>::try_from(&mut *chunk) {
            // With a known length, so that many bytes are processed at once.
            xor(chunk, &mask);
        } else {
            let mut last = [0; HASH];
            last[..chunk.len()].copy_from_slice(chunk);
            xor(&mut last, &mask);
            chunk.copy_from_slice(&last[..chunk.len()]);
        }
    }
}

#[inline]
fn xor(bytes: &mut [u8; HASH], mask: &[u8; HASH]) {
    bytes
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
}

/// Returns the SHA-256 of a text.
#[inline]
fn hash_message(message: &[u8]) -> [u8; HASH] {
    let (whole, tail) = message.as_chunks::<64>();
    let mut state = INITIAL;
    compress256(&mut state, whole);
    let mut last = [[0; 64]; 2];
    last[0][..tail.len()].copy_from_slice(tail);
    last[0][tail.len()] = 0x80;
    // The length takes eight bytes at the end of a block.
    let blocks = if tail.len() < 56 { 1 } else { 2 };
    last[blocks - 1][56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    compress256(&mut state, &last[..blocks]);
    bytes_of(state)
}

/// Returns the SHA-256 of eight zero bytes, the message's hash and the salt.
#[inline]
fn salted(message: &[u8; HASH], salt: &[u8; SALT]) -> [u8; HASH] {
    let mut blocks = [[0; 64]; 2];
    blocks[0][8..8 + HASH].copy_from_slice(message);
    let (head, tail) = salt.split_at(64 - 8 - HASH);
    blocks[0][8 + HASH..].copy_from_slice(head);
    blocks[1][..tail.len()].copy_from_slice(tail);
    pad(&mut blocks[1], tail.len(), 8 + HASH + SALT);
    hash_blocks(&blocks)
}

/// Ends the last block after `used` bytes, for a text of `total` bytes.
#[inline]
fn pad(block: &mut [u8; 64], used: usize, total: usize) {
    block[used] = 0x80;
    block[56..].copy_from_slice(&(total as u64 * 8).to_be_bytes());
}

/// Hashes blocks that are already padded; the buffer of the usual interface would cost a fifth
/// here.
#[inline]
fn hash_blocks(blocks: &[[u8; 64]]) -> [u8; HASH] {
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    bytes_of(state)
}

#[inline]
fn bytes_of(state: [u32; 8]) -> [u8; HASH] {
    let mut hash = [0; HASH];
    for (four, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_be_bytes();
    }
    hash
}

/// The state SHA-256 begins with (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn encoding(bits: usize) -> Vec<u8> {
        let mut encoded = vec![0x55; bits.div_ceil(8)];
        encode(
            &Sha256::digest(b"text").into(),
            &[7; SALT],
            bits,
            &mut encoded,
        );
        encoded
    }

    #[test]
    fn blocks_are_hashed_like_texts() {
        for len in 0..200 {
            let text = &[7; 200][..len];
            assert_eq!(hash_message(text)[..], Sha256::digest(text)[..], "{len}");
        }
        let expected: [u8; 32] = Sha256::new()
            .chain_update([0; 8])
            .chain_update([1; 32])
            .chain_update([2; 32])
            .finalize()
            .into();
        assert_eq!(salted(&[1; 32], &[2; 32]), expected);

        let mut mask = Mask::new(&[3; 32]);
        for counter in 0u32..3 {
            let expected = Sha256::new()
                .chain_update([3; 32])
                .chain_update(counter.to_be_bytes())
                .finalize();
            let mut chunk = [0; 32];
            mask.apply(&mut chunk);
            assert_eq!(chunk[..], expected[..]);
        }
    }

    #[test]
    fn every_size_verifies_and_no_changed_bit_does() {
        for bits in (522..=540).chain([1023, 1024, 1025, 2047, 2048]) {
            let encoded = encoding(bits);
            assert!(verify(&mut encoded.clone(), bits, b"text"), "{bits}");
            assert!(!verify(&mut encoded.clone(), bits, b"texu"), "{bits}");
            for bit in 0..encoded.len() * 8 {
                let mut changed = encoded.clone();
                changed[bit / 8] ^= 0x80 >> (bit % 8);
                assert!(!verify(&mut changed, bits, b"text"), "{bits}: {bit}");
            }
        }
    }

    #[test]
    fn the_shortest_modulus_is_judged() {
        assert!(!fits(0));
        assert!(!fits(521));
        assert!(fits(522));
        for bits in 1..522 {
            assert!(!fits(bits), "{bits}");
            assert!(!verify(&mut vec![0; bits.div_ceil(8)], bits, b"text"));
            assert!(!verify(&mut vec![0xBC; bits.div_ceil(8)], bits, b"text"));
        }
    }
}
