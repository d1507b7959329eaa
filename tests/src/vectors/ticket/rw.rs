//! Classes of keys, signatures and base64url. A difference is a failed assertion.

use num_bigint::{BigInt, BigUint, Sign};
use serde_json::Value;
use vouchsafe::ticket::base64url;
use vouchsafe::ticket::rw::{PrivateKey, PublicKey};

use super::support::{hex, number_hex};
use crate::vectors::schema::unknown_key;

/// What may be said of a key.
const RW_KEYS: [&str; 11] = [
    "bits",
    "reencode_hex",
    "public_der_hex",
    "n_hex",
    "p_hex",
    "q_hex",
    "iqmp_hex",
    "dq_hex",
    "dp_hex",
    "twomp_hex",
    "twomq_hex",
];

fn number(value: &Value) -> BigUint {
    BigUint::parse_bytes(value.as_str().unwrap().as_bytes(), 16).unwrap()
}

/// The canonical DER of some integers, written without the crate.
fn der(integers: &[BigUint]) -> Vec<u8> {
    let element = |tag: u8, content: Vec<u8>| {
        let mut element = vec![tag];
        match content.len() {
            len @ 0..0x80 => element.push(len as u8),
            len @ 0x80..0x100 => element.extend([0x81, len as u8]),
            len => element.extend([0x82, (len >> 8) as u8, len as u8]),
        }
        element.extend(content);
        element
    };
    let content = integers.iter().flat_map(|integer| {
        element(
            2,
            BigInt::from_biguint(Sign::Plus, integer.clone()).to_signed_bytes_be(),
        )
    });
    element(0x30, content.collect())
}

/// Fails at a member that is not among those known.
fn known(part: &Value, known: &[&str]) {
    assert_eq!(unknown_key(part, known), None, "unknown key");
}

pub(super) fn rw_keys(case: &Value) {
    let input = hex(&case["der_hex"]);
    let expect = &case["expect"];
    known(expect, &RW_KEYS);
    if is_public(case) {
        let key = PublicKey::from_der(&input);
        if expect.is_null() {
            return assert!(key.is_err());
        }
        let key = key.unwrap();
        assert_eq!(key.bits() as u64, expect["bits"].as_u64().unwrap());
        assert_eq!(key.to_der(), hex(&expect["reencode_hex"]));
        assert_eq!(key.to_der(), der(&[number(&expect["n_hex"])]));
    } else {
        let key = PrivateKey::from_der(&input);
        if expect.is_null() {
            return assert!(key.is_err());
        }
        let key = key.unwrap();
        assert_eq!(key.public().bits() as u64, expect["bits"].as_u64().unwrap());
        assert_eq!(key.public().to_der(), hex(&expect["public_der_hex"]));
        let names = ["n", "p", "q", "iqmp", "dq", "dp", "twomp", "twomq"];
        let numbers = names.map(|name| number(&expect[format!("{name}_hex")]));
        assert_eq!(key.to_der(), der(&numbers));
        match key.sign(b"x") {
            Ok(signature) => assert!(key.public().verify(b"x", &signature)),
            // Reading takes any eight numbers, and only those of a key sign.
            Err(fault) => assert!(!is_key(&numbers), "{fault}"),
        }
    }
}

/// Returns whether the numbers belong together (protocol section 6.1), and suffice for the padding
/// (6.2).
fn is_key([n, p, q, iqmp, dq, dp, twomp, twomq]: &[BigUint; 8]) -> bool {
    let number = |small: u8| BigUint::from(small);
    let bits = n.bits();
    if p % 8_u8 != number(3) || q % 8_u8 != number(7) || *n != p * q || bits == 0 {
        return false;
    }
    // The first byte is not of the padding if the others hold all bits.
    let length = (bits - 1).div_ceil(8);
    let two = |exponent: BigUint, modulus| number(2).modpow(&exponent, modulus);
    length >= 66
        && (iqmp * q) % p == number(1)
        && *dq == (q + 1_u8) / 8_u8
        && *dp == (p - 3_u8) / 8_u8
        && *twomp == two((p * 9_u8 - 11_u8) / 8_u8, p)
        && *twomq == two((q * 3_u8 - 5_u8) / 8_u8, q)
}

fn is_public(case: &Value) -> bool {
    match case["kind"].as_str() {
        Some("public") => true,
        Some("private") => false,
        other => panic!("unknown kind {other:?}"),
    }
}

pub(super) fn rw_sign(case: &Value) {
    let key = PrivateKey::from_der(&hex(&case["private_der_hex"])).unwrap();
    let message = hex(&case["message_hex"]);
    let salts = case["salts_hex"].as_array().unwrap();
    let salts: Vec<[u8; 32]> = salts
        .iter()
        .map(|salt| hex(salt).try_into().unwrap())
        .collect();
    let expect = &case["expect"];
    // Of a size whose padding always begins with a zero byte, only the last attempt counts, and ours
    // makes no other.
    let salts = match key.public().bits() % 8 {
        1 => &salts[salts.len() - 1..],
        _ => &salts[..],
    };
    let members = ["em_hex", "e", "f", "signature_hex", "modulus_bits"];
    known(expect, &members);
    let signature = key.sign_with_salts(&message, salts).unwrap();
    assert_eq!(
        BigUint::from_bytes_be(&signature),
        number(&expect["signature_hex"])
    );
    assert_eq!(
        key.public().bits() as u64,
        expect["modulus_bits"].as_u64().unwrap()
    );
    assert_eq!(
        key.public().verify(&message, &signature),
        !message.is_empty()
    );

    // The signature stands for the padding and the factors that were recorded.
    let s = BigInt::from_biguint(Sign::Plus, BigUint::from_bytes_be(&signature));
    let n = PublicKey::to_der(key.public());
    let n = BigInt::from_bytes_be(Sign::Plus, &n[n.len() - key.public().bits().div_ceil(8)..]);
    let factor = expect["e"].as_i64().unwrap() * expect["f"].as_i64().unwrap();
    let encoded = BigInt::from_biguint(Sign::Plus, number(&expect["em_hex"]));
    assert_eq!((&s * &s * factor - encoded) % n, BigInt::ZERO);
}

pub(super) fn rw_verify(case: &Value) {
    let signature = number_hex(&case["signature_hex"]);
    let message = hex(&case["message_hex"]);
    // With what is no key, nothing is valid.
    let valid = PublicKey::from_der(&hex(&case["public_der_hex"]))
        .is_ok_and(|key| key.verify(&message, &signature));
    assert_eq!(valid, case["expect"].as_bool().unwrap());
}

pub(super) fn base64url(case: &Value) {
    match case["op"].as_str() {
        Some("encode") => {
            let text = base64url::encode(&hex(&case["input_hex"]));
            assert_eq!(text, case["expect"].as_str().unwrap());
        }
        Some("decode") => {
            let bytes = base64url::decode(case["input"].as_str().unwrap().as_bytes());
            let expect = &case["expect"];
            assert_eq!(bytes, (!expect.is_null()).then(|| hex(expect)));
        }
        other => panic!("unknown operation {other:?}"),
    }
}
