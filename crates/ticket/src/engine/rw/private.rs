//! Signing, with protection against timing and against faults (section 6.3).

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::limbs::{Nat, add_assign, bit_len, minimal_bytes, mul, nat, shr_bits, sub_assign};
use super::mont::{Mont, borrows, select};
use super::{KeyError, MAX_BITS, MIN_BITS, PublicKey, der, prime, pss};

/// The private half of a key, which signs. For an authority, its emulators and tests.
///
/// The numbers of the key are wiped when the last clone is dropped, as are the values computed from
/// them on the heap when signing.
///
/// **Timing.** Signing runs the same instructions on the same addresses for all keys whose numbers
/// have the same lengths: powers use windows of fixed size and a table that is read completely, and
/// nothing branches on the key, on the roots, or on which of them fits. It is not blinded. What
/// varies is public: how often the padding was tried, and the length of the signature. Parsing,
/// formatting and generating keys is not constant-time.
///
/// **Faults.** A signature is verified before it is returned, since a wrong one could reveal the
/// factors.
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

struct Inner {
    /// n, p, q, iqmp, dq, dp, twomp, twomq: big-endian, without leading zeros, as in the file.
    numbers: [Zeroizing<Vec<u8>>; 8],
    public: PublicKey,
    /// `None` if the numbers cannot be a key.
    engine: Option<Engine>,
}

impl PrivateKey {
    /// Generates a key whose modulus has `bits` bits, or one less.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooSmall`] below 522 bits, [`KeyError::TooLarge`] above 8192,
    /// [`KeyError::NoRandomness`].
    pub fn generate(bits: usize) -> Result<Self, KeyError> {
        if bits < MIN_BITS {
            return Err(KeyError::TooSmall);
        }
        if bits > MAX_BITS {
            return Err(KeyError::TooLarge);
        }
        loop {
            let p = prime::random(bits.div_ceil(2), 3)?;
            let q = prime::random(bits / 2, 7)?;
            let key = Self::from_primes(&p, &q)?;
            // A modulus one bit short can be too short, and a composite number among the primes
            // would show here.
            let probe = b"probe";
            match key.sign(probe) {
                Ok(signature) if key.public().verify(probe, &signature) => return Ok(key),
                Err(KeyError::NoRandomness) => return Err(KeyError::NoRandomness),
                _ => {}
            }
        }
    }

    fn from_primes(p: &[u64], q: &[u64]) -> Result<Self, KeyError> {
        let (Some(mod_p), Some(mod_q)) = (Mont::new(p), Mont::new(q)) else {
            return Err(KeyError::Inconsistent);
        };
        let mut n = Zeroizing::new(vec![0; p.len() + q.len()]);
        mul(p, q, &mut n);

        // q^-1 = q^(p-2)
        let mut power = Zeroizing::new(p.to_vec());
        sub_assign(&mut power, &[2]);
        let iqmp = mod_p.leave(&mod_p.pow(&mod_p.enter(q), &power));
        // dq = (q + 1) / 8, and q + 1 does not overflow where (q - 7) / 8 + 1 does not.
        let mut dq = Zeroizing::new(q.to_vec());
        shr_bits(&mut dq, 3);
        add_assign(&mut dq, &[1]);
        let mut dp = Zeroizing::new(p.to_vec());
        shr_bits(&mut dp, 3);
        // (9p - 11) / 8 = (p - 1) + (p - 3) / 8, and p - 1 may go.
        let twomp = mod_p.leave(&mod_p.pow(&mod_p.enter(&[2]), &dp));
        // (3q - 5) / 8 = 3 (q - 7) / 8 + 2
        let mut power = Zeroizing::new(q.to_vec());
        shr_bits(&mut power, 3);
        let third = power.clone();
        add_assign(&mut power, &third);
        add_assign(&mut power, &third);
        add_assign(&mut power, &[2]);
        let twomq = mod_q.leave(&mod_q.pow(&mod_q.enter(&[2]), &power));

        Self::from_numbers([&n, p, q, &iqmp, &dq, &dp, &twomp, &twomq].map(minimal_bytes))
    }

    /// Parses a key in DER, as tolerantly as the services do.
    ///
    /// The numbers are not checked against each other; if they do not match, signing fails.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`], or [`KeyError::TooLarge`] beyond 8192 bits.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let numbers = der::read::<8>(der).ok_or(KeyError::Malformed)?;
        Self::from_numbers(numbers.map(|number| Zeroizing::new(number.to_vec())))
    }

    fn from_numbers(numbers: [Zeroizing<Vec<u8>>; 8]) -> Result<Self, KeyError> {
        if numbers.iter().any(|number| number.len() > MAX_BITS / 8) {
            return Err(KeyError::TooLarge);
        }
        Ok(Self(Arc::new(Inner {
            public: PublicKey::from_modulus(&numbers[0])?,
            engine: Engine::new(&numbers),
            numbers,
        })))
    }

    /// Returns the key in DER, in its canonical form. The caller must keep it secret.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        der::write(&self.0.numbers.each_ref().map(|number| &number[..]))
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Signs a message with a fresh salt, so that two signatures of the same message differ.
    ///
    /// An empty message can be signed, but never verifies.
    ///
    /// # Errors
    ///
    /// [`KeyError::TooSmall`] and [`KeyError::Inconsistent`] if a parsed key is not usable;
    /// [`KeyError::NoRandomness`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign_salted(message, || {
            let mut salt = [0; pss::SALT];
            getrandom::getrandom(&mut salt).map_err(|_| KeyError::NoRandomness)?;
            Ok(salt)
        })
    }

    /// Signs with given salts, one for each attempt at the padding; only for recorded signatures.
    ///
    /// # Errors
    ///
    /// Those of [`sign`](Self::sign); [`KeyError::NoRandomness`] if the salts run out.
    #[doc(hidden)]
    pub fn sign_with_salts(&self, message: &[u8], salts: &[[u8; 32]]) -> Result<Vec<u8>, KeyError> {
        let mut salts = salts.iter();
        self.sign_salted(message, || {
            salts.next().copied().ok_or(KeyError::NoRandomness)
        })
    }

    fn sign_salted(
        &self,
        message: &[u8],
        mut salt: impl FnMut() -> Result<[u8; pss::SALT], KeyError>,
    ) -> Result<Vec<u8>, KeyError> {
        /// How often the padding is tried to get one that does not begin with a zero byte.
        const ATTEMPTS: usize = 51;

        let bits = self.0.public.bits();
        if !pss::fits(bits) {
            return Err(KeyError::TooSmall);
        }
        let engine = self.0.engine.as_ref().ok_or(KeyError::Inconsistent)?;
        let message = Sha256::digest(message).into();
        let mut encoded = vec![0; bits.div_ceil(8)];
        // Some sizes always begin with a zero byte, so that trying again is useless.
        let attempts = if bits % 8 == 1 { 1 } else { ATTEMPTS };
        for _ in 0..attempts {
            pss::encode(&message, &salt()?, bits, &mut encoded);
            if encoded[0] != 0 {
                break;
            }
        }
        let root = engine.root(&encoded).ok_or(KeyError::Inconsistent)?;
        Ok(std::mem::take(&mut *minimal_bytes(&root)))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("bits", &self.0.public.bits())
            .finish_non_exhaustive()
    }
}

/// The key in the form needed for signing.
struct Engine {
    n: Mont,
    p: Mont,
    q: Mont,
    dp: Nat,
    dq: Nat,
    /// In [`Mont`]'s form, modulo p, p and q.
    iqmp: Nat,
    twomp: Nat,
    twomq: Nat,
}

impl Engine {
    fn new([n, p, q, iqmp, dq, dp, twomp, twomq]: &[Zeroizing<Vec<u8>>; 8]) -> Option<Self> {
        let width = |bytes: &[u8]| bytes.len().div_ceil(8);
        let of = |bytes: &[u8]| nat(bytes, width(bytes));
        // As long as its prime, so that its own length is not visible; longer ones cannot be right.
        let within = |bytes: &[u8], prime: &[u8]| {
            (bytes.len() <= prime.len()).then(|| nat(bytes, width(prime)))
        };
        let mut product = Zeroizing::new(vec![0; width(p) + width(q)]);
        mul(&of(p), &of(q), &mut product);
        if bit_len(&product) == 0 || minimal_bytes(&product) != *n {
            return None;
        }
        let (mod_p, mod_q) = (Mont::new(&of(p))?, Mont::new(&of(q))?);
        Some(Self {
            n: Mont::new(&of(n))?,
            dp: within(dp, p)?,
            dq: within(dq, q)?,
            iqmp: mod_p.enter(&within(iqmp, p)?),
            twomp: mod_p.enter(&within(twomp, p)?),
            twomq: mod_q.enter(&within(twomq, q)?),
            p: mod_p,
            q: mod_q,
        })
    }

    /// Returns the root of an encoded message; `None` if it turns out not to be one. The names are
    /// those of section 6.3.
    fn root(&self, encoded: &[u8]) -> Option<Nat> {
        let (n, p, q) = (&self.n, &self.p, &self.q);
        let h = nat(encoded, n.modulus().len());
        let (hq, hp) = (q.enter(&h), p.enter(&h));

        let u = q.pow(&hq, &self.dq);
        let e_is_one = q.square(&q.square(&u)).ct_eq(&hq);
        let g = select(&p.negate(&hp), &hp, e_is_one);
        let v = p.pow(&g, &self.dp);
        let v2 = p.square(&v);
        let f_is_one = p.mul(&p.square(&v2), &p.square(&g)).ct_eq(&g);
        let w = select(&q.mul(&u, &self.twomq), &u, f_is_one);
        let x = p.mul(&p.mul(&v2, &v), &g);
        let x = select(&p.mul(&x, &self.twomp), &x, f_is_one);

        // y = w + q * ((x - w) * iqmp mod p), which is below p * q.
        let w = q.leave(&w);
        let difference = p.add(&x, &p.negate(&p.enter(&w)));
        let factor = p.leave(&p.mul(&difference, &self.iqmp));
        let mut y = Zeroizing::new(vec![0; factor.len() + w.len()]);
        mul(&factor, q.modulus(), &mut y);
        add_assign(&mut y, &w);

        let s = n.square(&n.enter(&y));
        let square = n.square(&s);
        let f = select(&n.add(&square, &square), &square, f_is_one);
        let ef = select(&n.negate(&f), &f, e_is_one);
        if !bool::from(ef.ct_eq(&n.enter(&h))) {
            return None;
        }
        let s = n.leave(&s);
        let other = n.negate(&s);
        let smaller = borrows(&other, &s);
        Some(select(&s, &other, smaller))
    }
}
