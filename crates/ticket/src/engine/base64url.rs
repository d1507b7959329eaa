//! base64url exactly as the ticket protocol defines it (section 3).
//!
//! This is not the strict codec of RFC 4648: any amount of padding is accepted, and the unused bits
//! of the last character may have any value.

/// Encodes bytes without padding; no bytes give an empty text.
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

/// Decodes text; `None` if it is not base64url, or is empty.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; decoded_len(text)?];
    decode_into(text, &mut bytes)?;
    Some(bytes)
}

/// Returns how many bytes [`decode`] would return, provided that every character before the padding
/// is in the alphabet; `None` if the length alone is invalid.
#[must_use]
pub fn decoded_len(text: &[u8]) -> Option<usize> {
    let chars = without_padding(text).len();
    (chars != 0 && chars % 4 != 1).then(|| chars / 4 * 3 + (chars % 4 * 3) / 4)
}

/// Decodes text into a buffer and returns the part that was filled.
///
/// Returns `None` if the text is not base64url, is empty, or does not fit. The content of the
/// buffer is then unspecified.
#[must_use]
pub fn decode_into<'b>(text: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let len = decoded_len(text)?;
    let text = without_padding(text);
    let out = buffer.get_mut(..len)?;

    // A character outside of the alphabet sets a bit above the 24 bits, which is checked once at
    // the end.
    let mut seen = 0;
    let mut group = |chars: [u8; 4]| {
        let [a, b, c, d] = chars.map(usize::from);
        let bits = PLACES[0][a] | PLACES[1][b] | PLACES[2][c] | PLACES[3][d];
        seen |= bits;
        bits
    };
    let (eights, tail) = text.as_chunks::<8>();
    let (sixes, rest) = out.split_at_mut(eights.len() * 6);
    for (eight, bytes) in eights.iter().zip(sixes.as_chunks_mut::<6>().0) {
        let [a, b, c, d, e, f, g, h] = *eight;
        let (high, low) = (group([a, b, c, d]), group([e, f, g, h]));
        // 24 bits each; the two stores meet in the middle.
        let [first @ .., _, _] = ((u64::from(high) << 40) | (u64::from(low) << 16)).to_be_bytes();
        *bytes = first;
    }
    for (chars, bytes) in tail.chunks(4).zip(rest.chunks_mut(3)) {
        let mut four = [b'A'; 4];
        four[..chars.len()].copy_from_slice(chars);
        bytes.copy_from_slice(&group(four).to_be_bytes()[1..=bytes.len()]);
    }
    (seen >> 24 == 0).then_some(out)
}

/// Returns whether text can be decoded, at a quarter of the cost of decoding.
#[must_use]
pub fn is_valid(text: &[u8]) -> bool {
    // Without branches, so that many characters are checked at once.
    let judge = |block: &[u8; 64]| {
        let unknown = |char: u8| {
            let in_range = |from: u8, count: u8| char.wrapping_sub(from) < count;
            let letter = (char | 0x20).wrapping_sub(b'a') < 26;
            !(letter | in_range(b'0', 10) | (char == b'-') | (char == b'_'))
        };
        block
            .iter()
            .fold(0, |seen, char| seen | u8::from(unknown(*char)))
    };
    let (blocks, tail) = without_padding(text).as_chunks::<64>();
    let mut last = [b'A'; 64];
    last[..tail.len()].copy_from_slice(tail);
    let seen = blocks
        .iter()
        .fold(judge(&last), |seen, block| seen | judge(block));
    seen == 0 && decoded_len(text).is_some()
}

/// Returns whether decodable text is in the form that [`encode`] produces: without padding, and
/// with unused bits that are zero.
#[must_use]
pub fn is_plain(text: &[u8]) -> bool {
    let unused = match text.len() % 4 {
        2 => 0xf,
        3 => 0x3,
        _ => 0,
    };
    // In the last of the four places a character stands for its own value.
    let value = |char: u8| PLACES[3][usize::from(char)];
    text.last()
        .is_some_and(|last| *last != b'=' && value(*last) & unused == 0)
}

fn without_padding(text: &[u8]) -> &[u8] {
    let padding = text.iter().rev().take_while(|char| **char == b'=').count();
    &text[..text.len() - padding]
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The value of a character at each of four places: six of 24 bits, or a bit above them.
static PLACES: [[u32; 256]; 4] = {
    let mut places = [[1 << 24; 256]; 4];
    let mut i = 0;
    while i < 64 {
        let mut place = 0;
        while place < 4 {
            places[place][ALPHABET[i] as usize] = (i as u32) << (18 - 6 * place);
            place += 1;
        }
        i += 1;
    }
    places
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rules of section 3 one by one, bit by bit.
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

    #[test]
    fn every_character_is_judged_at_every_place() {
        for place in 0..40 {
            for char in 0..=u8::MAX {
                let mut text = [b'A'; 40];
                text[place] = char;
                assert_eq!(decode(&text), plainly(&text), "{char} at {place}");
                assert_eq!(
                    is_valid(&text),
                    plainly(&text).is_some(),
                    "{char} at {place}"
                );
            }
        }
    }

    #[test]
    fn only_what_is_encoded_so_is_plain() {
        for (text, plain) in [
            ("AQ", true),
            ("AAE", true),
            ("AAAB", true),
            ("AR", false),
            ("AAF", false),
            ("AQ==", false),
            ("AAAB=", false),
        ] {
            assert_eq!(is_plain(text.as_bytes()), plain, "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_is_what_encoding_gives_back(text in "[A-Za-z0-9_-]{1,12}={0,2}") {
            if let Some(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(is_plain(text.as_bytes()), encode(&bytes) == text);
            }
        }

        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn every_text_is_judged_like_the_rules(text in "[A-D_=+ \\-\u{0}\u{ff}]{0,12}|[A-Za-z0-9_-]{0,40}={0,4}") {
            prop_assert_eq!(decode(text.as_bytes()), plainly(text.as_bytes()));
            prop_assert_eq!(is_valid(text.as_bytes()), plainly(text.as_bytes()).is_some());
        }
    }

    #[test]
    fn an_even_number_of_bad_blocks_is_bad() {
        let mut text = [b'A'; 192];
        (text[0], text[64]) = (b'+', b'+');
        assert!(!is_valid(&text));
        text[128] = b'+';
        assert!(!is_valid(&text));
    }
}
