//! base64url exactly as the ticket protocol has it (section 3).
//!
//! Not the strict codec of RFC 4648: any amount of padding is taken, and the unused bits of the
//! last character may be anything.

/// Encodes bytes without padding; nothing gives empty text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    let mut put = |group: u32, chars: u32| {
        for i in 0..chars {
            let six = (group >> (18 - 6 * i)) & 63;
            text.push(char::from(ALPHABET[six as usize]));
        }
    };
    let mut groups = bytes.chunks_exact(3);
    for group in &mut groups {
        put(u32::from_be_bytes([0, group[0], group[1], group[2]]), 4);
    }
    match *groups.remainder() {
        [a] => put(u32::from_be_bytes([0, a, 0, 0]), 2),
        [a, b] => put(u32::from_be_bytes([0, a, b, 0]), 3),
        _ => {}
    }
    text
}

/// Decodes text; `None` for what is not base64url, or is empty.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; decoded_len(text)?];
    decode_into(text, &mut bytes)?;
    Some(bytes)
}

/// Returns how many bytes [`decode`] would give, if every character before the padding is of
/// the alphabet; `None` if the length alone is wrong.
#[must_use]
pub fn decoded_len(text: &[u8]) -> Option<usize> {
    let chars = without_padding(text).len();
    (chars != 0 && chars % 4 != 1).then(|| chars / 4 * 3 + (chars % 4 * 3) / 4)
}

/// Decodes text into a buffer and returns the part that it fills.
///
/// `None` for what is not base64url, is empty, or does not fit. The buffer's content is then
/// anything.
#[must_use]
pub fn decode_into<'b>(text: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let len = decoded_len(text)?;
    let text = without_padding(text);
    let out = buffer.get_mut(..len)?;

    // Every value of the alphabet is below 64, so one foreign character shows in the top bits.
    let mut seen = 0u8;
    let mut group = |chars: [u8; 4]| {
        let [a, b, c, d] = chars.map(|char| VALUES[usize::from(char)]);
        seen |= a | b | c | d;
        let bits = (u32::from(a) << 18) | (u32::from(b) << 12) | (u32::from(c) << 6) | u32::from(d);
        let [_, x, y, z] = bits.to_be_bytes();
        [x, y, z]
    };
    let (groups, tail) = text.as_chunks::<4>();
    let (whole, rest) = out.as_chunks_mut::<3>();
    for (chars, three) in groups.iter().zip(whole) {
        *three = group(*chars);
    }
    match *tail {
        [a, b] => rest.copy_from_slice(&group([a, b, b'A', b'A'])[..1]),
        [a, b, c] => rest.copy_from_slice(&group([a, b, c, b'A'])[..2]),
        _ => {}
    }
    (seen & 0xC0 == 0).then_some(out)
}

fn without_padding(text: &[u8]) -> &[u8] {
    let padding = text.iter().rev().take_while(|char| **char == b'=').count();
    &text[..text.len() - padding]
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static VALUES: [u8; 256] = {
    let mut values = [0xFF; 256];
    let mut i = 0;
    while i < 64 {
        values[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rules of section 3 one by one, one bit at a time.
    fn plainly(text: &[u8]) -> Option<Vec<u8>> {
        let prefix: Vec<u8> = text
            .iter()
            .map_while(|c| ALPHABET.iter().position(|known| known == c))
            .map(|value| u8::try_from(value).unwrap())
            .collect();
        if prefix.is_empty() || prefix.len() % 4 == 1 {
            return None;
        }
        if text[prefix.len()..].iter().any(|char| *char != b'=') {
            return None;
        }
        let bits: Vec<u8> = prefix
            .iter()
            .flat_map(|value| (0..6).rev().map(move |i| (value >> i) & 1))
            .collect();
        Some(
            bits.chunks_exact(8)
                .map(|byte| byte.iter().fold(0, |sum, bit| (sum << 1) | bit))
                .collect(),
        )
    }

    #[test]
    fn padding_and_unused_bits_are_ignored() {
        for text in ["AQ", "AQ=", "AQ======", "AR", "Af"] {
            assert_eq!(decode(text.as_bytes()), Some(vec![1]), "{text}");
        }
        assert_eq!(decode(b"AAAA="), Some(vec![0, 0, 0]));
    }

    #[test]
    fn what_is_not_base64url_is_refused() {
        for text in [
            "", "=", "A", "A===", "AAAAA", "AA=A", "=AA", "AA\n", "A+", "A/", "A A", "\u{e4}A",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(decode_into(b"AAAA", &mut [0; 2]), None);
        assert_eq!(decode_into(b"AQ", &mut [0; 9]), Some(&[1][..]));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn every_text_is_judged_like_the_rules(text in "[A-D_=+ \\-\u{0}\u{ff}]{0,12}|[A-Za-z0-9_-]{0,40}={0,4}") {
            prop_assert_eq!(decode(text.as_bytes()), plainly(text.as_bytes()));
        }
    }
}
