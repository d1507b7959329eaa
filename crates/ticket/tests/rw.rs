//! Signatures over keys of all sizes and shapes, against a plain second implementation.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use num_bigint::BigUint;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use vouchsafe_ticket::rw::{KeyError, PrivateKey, PublicKey};

/// Section 6.4 of the protocol step by step, in arithmetic of another hand.
mod plain {
    use super::*;

    pub(crate) fn verify(n: &BigUint, message: &[u8], signature: &[u8]) -> bool {
        let (zero, one) = (BigUint::ZERO, BigUint::from(1u8));
        if message.is_empty() || *n == zero {
            return false;
        }
        let s = BigUint::from_bytes_be(signature);
        if s >= *n || s > (n - &one) / 2u8 {
            return false;
        }
        let t1 = &s * &s % n;
        let t2 = n - &t1;
        let modulo = |t: &BigUint, m: u8, r: u8| t % m == BigUint::from(r);
        let x = if modulo(&t1, 16, 12) {
            t1
        } else if modulo(&t1, 8, 6) {
            t1 * 2u8
        } else if modulo(&t2, 16, 12) {
            t2
        } else if modulo(&t2, 8, 6) {
            t2 * 2u8
        } else {
            return false;
        };
        let k = n.bits().div_ceil(8) as usize;
        let bytes = x.to_bytes_be();
        if bytes.len() > k {
            return false;
        }
        let mut em = vec![0; k - bytes.len()];
        em.extend(bytes);
        padding(em, (n.bits() as usize - 1) % 8, message)
    }

    pub(crate) fn encode(bits: usize, salt: &[u8; 32], message: &[u8]) -> BigUint {
        let h = Sha256::new()
            .chain_update([0; 8])
            .chain_update(Sha256::digest(message))
            .chain_update(salt)
            .finalize();
        let l = (bits - 1).div_ceil(8);
        let mut db = vec![0; l - 66];
        db.push(1);
        db.extend(salt);
        let mut em: Vec<u8> = db.iter().zip(mask(&h)).map(|(a, b)| a ^ b).collect();
        em[0] &= 0xFF >> (l * 8 - (bits - 1));
        em.extend(&h[..]);
        em.push(0xBC);
        BigUint::from_bytes_be(&em)
    }

    fn mask(h: &[u8]) -> impl Iterator<Item = u8> {
        (0u32..).flat_map(move |i| {
            Sha256::new()
                .chain_update(h)
                .chain_update(i.to_be_bytes())
                .finalize()
        })
    }

    fn padding(mut em: Vec<u8>, msb: usize, message: &[u8]) -> bool {
        if msb == 0 {
            if em.remove(0) != 0 {
                return false;
            }
        } else if em[0] >> msb != 0 {
            return false;
        }
        let l = em.len();
        if l < 66 || em[l - 1] != 0xBC {
            return false;
        }
        let (db, h) = (&em[..l - 33], &em[l - 33..l - 1]);
        let mut db: Vec<u8> = db.iter().zip(mask(h)).map(|(a, b)| a ^ b).collect();
        if msb != 0 {
            db[0] &= 0xFF >> (8 - msb);
        }
        let Some(start) = db.iter().position(|byte| *byte != 0) else {
            return false;
        };
        db[start] == 1
            && db.len() - start == 33
            && Sha256::new()
                .chain_update([0; 8])
                .chain_update(Sha256::digest(message))
                .chain_update(&db[start + 1..])
                .finalize()[..]
                == *h
    }
}

fn modulus(key: &PublicKey) -> BigUint {
    let der = key.to_der();
    BigUint::from_bytes_be(&der[der.len() - key.bits().div_ceil(8)..])
}

fn public(n: &BigUint) -> PublicKey {
    // An indefinite sequence needs no length, and an integer's may be as long as it likes.
    let bytes = n.to_bytes_be();
    let mut der = vec![0x30, 0x80, 0x02, 0x84];
    der.extend((bytes.len() as u32).to_be_bytes());
    der.extend(bytes);
    der.extend([0, 0]);
    PublicKey::from_der(&der).unwrap()
}

/// Every one of these must be refused by both, or taken by both.
fn agree(key: &PublicKey, n: &BigUint, message: &[u8], signature: &[u8]) -> bool {
    let valid = key.verify(message, signature);
    assert_eq!(
        valid,
        plain::verify(n, message, signature),
        "{n:x} {signature:x?}"
    );
    valid
}

#[test]
fn keys_of_all_sizes_sign_and_verify() {
    for bits in [
        522, 523, 526, 528, 529, 530, 576, 577, 640, 641, 769, 1017, 1023, 1024, 1025, 1160,
    ] {
        let key = PrivateKey::generate(bits).unwrap();
        let public = key.public();
        assert!(public.bits() == bits || public.bits() == bits - 1, "{bits}");
        let n = modulus(public);
        assert_eq!(&n % 8u8, BigUint::from(5u8));
        for message in [&b"a"[..], b"some message", &[0; 200]] {
            let signature = key.sign(message).unwrap();
            assert!(agree(public, &n, message, &signature), "{bits}");
            assert_ne!(signature[0], 0);
            let padded = [&[0, 0, 0], &signature[..]].concat();
            assert!(agree(public, &n, message, &padded));
            let s = BigUint::from_bytes_be(&signature);
            assert!(!agree(public, &n, message, &(&n - &s).to_bytes_be()));
            assert!(!agree(public, &n, message, &(&n + &s).to_bytes_be()));
            assert!(!agree(
                public,
                &n,
                message,
                &[&signature[..], &[0]].concat()
            ));
        }
        let empty = key.sign(b"").unwrap();
        assert!(!agree(public, &n, b"", &empty));

        let read = PrivateKey::from_der(&key.to_der()).unwrap();
        assert_eq!(read.to_der(), key.to_der());
        assert_eq!(read.public(), public);
        assert_eq!(PublicKey::from_der(&public.to_der()).as_ref(), Ok(public));
        assert!(public.verify(b"m", &read.sign(b"m").unwrap()));
    }
}

/// The padding is tried 51 times for one that does not begin with a zero byte; then the last one
/// is taken whatever it is.
#[test]
fn the_padding_is_tried_fifty_one_times() {
    // One bit of the first byte is free, so that half of the salts leave it zero.
    let key = loop {
        let key = PrivateKey::generate(530).unwrap();
        if key.public().bits() == 530 {
            break key;
        }
    };
    let n = modulus(key.public());
    let encoded = |salt: &[u8; 32]| plain::encode(530, salt, b"message");
    let salts: Vec<[u8; 32]> = (0u8..=255).map(|salt| [salt; 32]).collect();
    let (full, short): (Vec<_>, Vec<_>) = salts
        .into_iter()
        .partition(|salt| encoded(salt).bits() == 529);
    let is_of = |signature: &[u8], salt: &[u8; 32]| {
        assert!(agree(key.public(), &n, b"message", signature));
        let s = BigUint::from_bytes_be(signature);
        let square = &s * &s % &n;
        let other = &n - &square;
        let roots = [&square * 2u8, &other * 2u8, square, other];
        roots.contains(&encoded(salt))
    };
    let sign = |salts: &[[u8; 32]]| key.sign_with_salts(b"message", salts);

    let signature = sign(&[short[0], short[1], full[0], full[1]]).unwrap();
    assert!(is_of(&signature, &full[0]) && !is_of(&signature, &full[1]));
    let fifty = &short[..50];
    assert_eq!(sign(fifty), Err(KeyError::NoRandomness));
    let last = sign(&[fifty, &[full[0]]].concat()).unwrap();
    assert!(is_of(&last, &full[0]));
    let last = sign(&[fifty, &[short[50], full[0]]].concat()).unwrap();
    assert!(is_of(&last, &short[50]));
}

/// Where the first byte is always zero, trying again is of no use.
#[test]
fn a_size_that_always_begins_with_zero_takes_one_salt() {
    let key = loop {
        let key = PrivateKey::generate(529).unwrap();
        if key.public().bits() == 529 {
            break key;
        }
    };
    let signature = key.sign_with_salts(b"message", &[[7; 32]]).unwrap();
    assert!(key.public().verify(b"message", &signature));
}

#[test]
fn larger_keys_and_odd_sizes_sign_and_verify() {
    for bits in [
        524, 525, 532, 533, 1028, 1029, 1161, 1164, 1165, 1285, 1537, 1540, 2047, 2048, 2109, 2112,
    ] {
        let key = PrivateKey::generate(bits).unwrap();
        let n = modulus(key.public());
        let signature = key.sign(b"message").unwrap();
        assert!(agree(key.public(), &n, b"message", &signature), "{bits}");
        assert!(!agree(key.public(), &n, b"massage", &signature), "{bits}");
        let read = PrivateKey::from_der(&key.to_der()).unwrap();
        let signature = read.sign(b"message").unwrap();
        assert!(agree(key.public(), &n, b"message", &signature), "{bits}");
    }
}

/// Returns whether the processor has all that the vector instructions need: those of Ice Lake.
#[cfg(target_arch = "x86_64")]
fn has_vectors() -> bool {
    macro_rules! has_all {
        ($($feature:tt)+) => { $(std::arch::is_x86_feature_detected!($feature))&&+ };
    }
    has_all! {
        "adx" "aes" "avx512bitalg" "avx512bw" "avx512cd" "avx512dq" "avx512f" "avx512ifma" "avx512vbmi"
        "avx512vbmi2" "avx512vl" "avx512vnni" "avx512vpopcntdq" "bmi1" "bmi2" "cmpxchg16b" "fma" "fxsr" "gfni"
        "lzcnt" "movbe" "pclmulqdq" "popcnt" "rdrand" "rdseed" "sha" "vaes" "vpclmulqdq" "xsave" "xsavec"
        "xsaveopt" "xsaves"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has_vectors() -> bool {
    false
}

/// Keys of the sizes in use are checked with vector instructions where the processor has them.
#[test]
fn both_ways_of_squaring_agree() {
    // A key of another size never is.
    assert!(!PrivateKey::generate(1160).unwrap().public().is_wide());
    let mut keys: Vec<PublicKey> = [1017, 1024, 2048]
        .map(|bits| PrivateKey::generate(bits).unwrap().public().clone())
        .to_vec();
    for size in [1024u32, 2048] {
        let end = BigUint::from(1u8) << size;
        keys.extend([1u8, 3, 105].map(|less| public(&(&end - less))));
        keys.extend([1u8, 3, 105].map(|more| public(&((&end >> 1) + more))));
        keys.push(public(&((&end >> 64) + 1u8)));
    }
    let is_wide = keys.iter().any(PublicKey::is_wide);
    assert_eq!(
        is_wide,
        has_vectors(),
        "what the processor has is not found"
    );
    if !is_wide {
        println!("SKIPPED: this processor has no AVX-512 with 52-bit products");
        return;
    }
    for key in keys {
        let (n, scalar) = (modulus(&key), key.scalar());
        assert!(!scalar.is_wide());
        assert_eq!(
            key.is_wide(),
            key.bits().next_multiple_of(1024) - key.bits() < 64
        );
        let half = (&n - 1u8) / 2u8;
        // Roots of any size and the largest, each beside its first square numbers modulo the key.
        for root in [
            half.clone(),
            &half - 1u8,
            half.clone() >> 1,
            n.sqrt(),
            BigUint::from(1u8),
        ] {
            let mut root = root;
            for _ in 0..50 {
                let bytes = root.to_bytes_be();
                assert_eq!(
                    key.encoded(&bytes),
                    scalar.encoded(&bytes),
                    "{n:x} {root:x}"
                );
                root = (&root * &root % &n) >> 1;
            }
        }
    }
}

#[test]
fn every_changed_bit_is_refused() {
    for bits in [530, 1023, 1024] {
        let key = PrivateKey::generate(bits).unwrap();
        let (message, n) = (b"3:serv:payload:", modulus(key.public()));
        let signature = key.sign(message).unwrap();
        for bit in 0..signature.len() * 8 {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.public().verify(message, &changed), "{bits}: {bit}");
            if bit % 16 == 0 {
                assert!(!plain::verify(&n, message, &changed));
            }
        }
        for bit in 0..message.len() * 8 {
            let mut changed = *message;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.public().verify(&changed, &signature), "{bits}: {bit}");
        }
        let other = PrivateKey::generate(bits).unwrap();
        assert!(!other.public().verify(message, &signature));
    }
}

#[test]
fn a_key_that_cannot_be_right_refuses_to_sign() {
    let key = PrivateKey::generate(540).unwrap().to_der();
    let mut signing = 0;
    for at in 0..key.len() {
        let mut changed = key.clone();
        changed[at] ^= 0x10;
        let Ok(read) = PrivateKey::from_der(&changed) else {
            continue;
        };
        match read.sign(b"message") {
            // A part that this message does not need, or a number with one more multiple.
            Ok(signature) => {
                assert!(read.public().verify(b"message", &signature));
                signing += 1;
            }
            Err(error) => assert!(
                matches!(error, KeyError::Inconsistent | KeyError::TooSmall),
                "{error:?}"
            ),
        }
    }
    assert!(signing < key.len() / 2);

    let numbers = |n: &[u8]| [&[0x30, 24][..], &[n, &[2, 1, 0].repeat(7)].concat()].concat();
    let zero = PrivateKey::from_der(&numbers(&[2, 1, 0])).unwrap();
    assert_eq!(zero.sign(b"m"), Err(KeyError::TooSmall));
    assert!(!zero.public().verify(b"m", &[0]));
}

#[test]
fn sizes_without_keys_are_refused() {
    assert_eq!(PrivateKey::generate(521).err(), Some(KeyError::TooSmall));
    assert_eq!(PrivateKey::generate(8193).err(), Some(KeyError::TooLarge));
    let mut der = vec![0x30, 0x80, 0x02, 0x82, 4, 1, 1];
    der.extend([0; 1024]);
    der.extend([0, 0]);
    assert_eq!(PublicKey::from_der(&der).err(), Some(KeyError::TooLarge));
}

#[test]
fn the_largest_key_is_checked() {
    let n = (BigUint::from(1u8) << 8192u32) - 59u8;
    let key = public(&n);
    assert_eq!(key.bits(), 8192);
    for signature in [&[1][..], &[0x7F; 1024], &[0x55; 1000]] {
        assert!(!agree(&key, &n, b"message", signature));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let key = PrivateKey::generate(1024).unwrap();
    assert_eq!(
        format!("{:?}", key.public()).replace("1023", "1024"),
        "PublicKey { bits: 1024, .. }"
    );
    assert_eq!(
        format!("{key:?}").replace("1023", "1024"),
        "PrivateKey { bits: 1024, .. }"
    );
}

#[test]
fn keys_can_be_shared() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_shared::<PublicKey>();
    is_shared::<PrivateKey>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_random_key_signs_any_message(
        bits in 522usize..1100,
        message in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let key = PrivateKey::generate(bits).unwrap();
        let signature = key.sign(&message).unwrap();
        prop_assert!(agree(key.public(), &modulus(key.public()), &message, &signature));
    }
}

proptest! {
    #[test]
    fn any_modulus_and_signature_are_judged_alike(
        n in prop::collection::vec(any::<u8>(), 0..300),
        signature in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let n = BigUint::from_bytes_be(&n);
        agree(&public(&n), &n, b"message", &signature);
    }

    /// A modulus made so that a chosen number is the root of a good encoding, or of its negative
    /// or half: any size and shape, and quite without a private key.
    #[test]
    fn any_modulus_that_makes_a_root_is_judged_alike(
        bits in prop_oneof![522u64..1100, 1020u64..1030, 2040u64..2060, Just(2048u64), Just(3072)],
        salt in any::<[u8; 32]>(),
        (half, negative) in any::<(bool, bool)>(),
        quarters in 5u8..8,
    ) {
        let encoded = plain::encode(bits as usize, &salt, b"message");
        let target = if half { &encoded / 2u8 } else { encoded };
        let near = (BigUint::from(1u8) << (bits - 3)) * quarters;
        let root = (near + &target).sqrt();
        let square = &root * &root;
        let n = if negative { square + target } else { square - target };
        prop_assume!(n.bits() == bits);

        let (key, signature) = (public(&n), root.to_bytes_be());
        let valid = agree(&key, &n, b"message", &signature);
        // Another factor fits first only where the modulus is of a form that keys do not have.
        prop_assert!(valid || &n % 8u8 != BigUint::from(5u8));
        agree(&key, &n, b"massage", &signature);
        agree(&key, &n, b"message", &(root + 1u8).to_bytes_be());
    }
}

/// With n = 2 EM + 1 the largest root allowed, (n - 1) / 2, stands for a good encoding.
#[test]
fn the_largest_root_is_taken_and_the_next_is_not() {
    for bits in [522usize, 528, 529, 536, 1023, 1024, 1025, 2048] {
        let encoded = (0u8..=255)
            .map(|salt| plain::encode(bits, &[salt; 32], b"message"))
            .find(|encoded| encoded.bits() == bits as u64 - 1)
            .unwrap();
        let n = &encoded * 2u8 + 1u8;
        assert_eq!(n.bits(), bits as u64);
        let (key, half) = (public(&n), (&n - 1u8) / 2u8);
        assert!(agree(&key, &n, b"message", &half.to_bytes_be()), "{bits}");
        assert!(!agree(&key, &n, b"message", &(half + 1u8).to_bytes_be()));
    }
}

/// Twice the square is one bit too long, and what is left without that bit is a good encoding.
#[test]
fn a_doubled_square_that_is_too_long_is_refused() {
    for bits in [528u64, 536, 1016, 1024, 1040, 2048] {
        let one = BigUint::from(1u8);
        let tried = (0u8..=255).any(|salt| {
            let encoded = plain::encode(bits as usize, &[salt; 32], b"message");
            let target = (&one << (bits - 1)) + &encoded / 2u8;
            let root = ((&one << bits) - 1u8 + &target).sqrt();
            let n = &root * &root - &target;
            if n.bits() != bits || n <= target || &root * &root % &n != target {
                return false;
            }
            // An odd root leaves 3 modulo 8, an even one 2 or 6; the first factor must be 2.
            assert!(
                !agree(&public(&n), &n, b"message", &root.to_bytes_be()),
                "{bits}"
            );
            &target % 8u8 == BigUint::from(6u8)
        });
        assert!(tried, "{bits}");
    }
}

#[test]
fn an_error_says_why_a_key_is_of_no_use() {
    let error = PublicKey::from_der(b"x").unwrap_err();
    assert_eq!(error.to_string(), "not a Rabin-Williams key in DER");
}
