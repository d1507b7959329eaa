//! Whole checks like ours, on the big numbers of peers: the same steps in the same order, with the
//! same codec for base64url and a minimal decoder.

mod crypto_bigint;
mod num_bigint;
#[cfg(feature = "openssl")]
mod openssl;

pub use self::crypto_bigint::CryptoBigint;
pub use self::num_bigint::NumBigint;
#[cfg(feature = "openssl")]
pub use self::openssl::{OpenSsl, PlainOpenSsl};

use sha2::{Digest as _, Sha256};
use vouchsafe_ticket::base64url;

/// One key in the big numbers of a peer.
pub trait Numbers {
    /// Puts the number that a signature stands for into `encoded`, which is as long as the modulus:
    /// the square modulo the key, times 1, -1, 2 or -2, whichever is 12 modulo 16. False if there
    /// is none.
    fn recover(&mut self, signature: &[u8], encoded: &mut [u8]) -> bool;

    /// The SHA-256 that users of these numbers would choose.
    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }
}

/// The contents of a valid ticket.
#[derive(Debug)]
#[expect(
    dead_code,
    reason = "made as a user would have it; nobody reads it here"
)]
pub struct Good {
    pub payload: Vec<u8>,
    pub expires: u64,
}

/// Checks a ticket against one key, whose modulus has a whole number of bytes.
pub fn check<N: Numbers>(
    numbers: &mut N,
    bits: usize,
    text: &str,
    kind: &str,
    now: u64,
) -> Option<Good> {
    let (version, rest) = text.split_once(':')?;
    let (own_kind, rest) = rest.split_once(':')?;
    let (payload, signature) = rest.split_once(':')?;
    if version != "3" || own_kind != kind || payload.is_empty() || signature.is_empty() {
        return None;
    }
    let signed = &text.as_bytes()[..text.len() - signature.len()];
    let payload = base64url::decode(payload.as_bytes())?;
    let mut place = [0; 256];
    let signature = base64url::decode_into(signature.as_bytes(), &mut place)?;
    let expires = expiration_time(&payload)?;
    if expires <= now {
        return None;
    }
    let mut encoded = [0; 256];
    let encoded = &mut encoded[..bits / 8];
    (numbers.recover(signature, encoded) && verify::<N>(encoded, signed))
        .then_some(Good { payload, expires })
}

/// PSS with SHA-256 and a salt of 32 bytes, for moduli with a whole number of bytes.
fn verify<N: Numbers>(encoded: &mut [u8], message: &[u8]) -> bool {
    if encoded[0] & 0x80 != 0 || encoded[encoded.len() - 1] != 0xbc {
        return false;
    }
    let (data, rest) = encoded.split_at_mut(encoded.len() - 33);
    let hash = &rest[..32];
    for (counter, chunk) in (0u32..).zip(data.chunks_mut(32)) {
        let mask = N::sha256(&[hash, &counter.to_be_bytes()]);
        chunk
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, mask)| *byte ^= mask);
    }
    data[0] &= 0x7f;
    let (zeros, salt) = data.split_at(data.len() - 33);
    if zeros.iter().any(|byte| *byte != 0) || salt[0] != 1 {
        return false;
    }
    let message = N::sha256(&[message]);
    N::sha256(&[&[0; 8], &message, &salt[1..]]) == hash
}

/// Walks over the whole message, inner ones too, and returns its second field.
fn expiration_time(message: &[u8]) -> Option<u64> {
    let mut expires = None;
    fields(message, &mut |number, value| match (number, value) {
        (2, Value::Number(time)) => {
            expires = Some(time);
            Some(())
        }
        (3 | 4, Value::Bytes(part)) => fields(part, &mut |_, value| match value {
            Value::Bytes(_) | Value::Number(_) => Some(()),
        }),
        _ => Some(()),
    })?;
    expires
}

enum Value<'m> {
    Number(u64),
    Bytes(&'m [u8]),
}

fn fields<'m>(
    mut message: &'m [u8],
    see: &mut dyn FnMut(u64, Value<'m>) -> Option<()>,
) -> Option<()> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)?),
            2 => {
                let len = varint(&mut message)? as usize;
                let (bytes, rest) = message.split_at_checked(len)?;
                message = rest;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        see(tag >> 3, value)?;
    }
    Some(())
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
