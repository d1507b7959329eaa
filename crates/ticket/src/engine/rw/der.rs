//! Key files: a sequence of unsigned integers (section 6.1).
//!
//! Reads what the usual C parser reads; writes only the canonical form.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const INDEFINITE: u8 = 0x80;

/// Reads a sequence of exactly `N` integers, returned without leading zero bytes. Anything after
/// the sequence is ignored.
pub(super) fn read<const N: usize>(der: &[u8]) -> Option<[&[u8]; N]> {
    let mut rest = der.strip_prefix(&[SEQUENCE])?;
    let open = if let Some(after) = rest.strip_prefix(&[INDEFINITE]) {
        rest = after;
        true
    } else {
        let len = take_length(&mut rest)?;
        rest = rest.get(..len)?;
        false
    };
    let mut integers: [&[u8]; N] = [&[]; N];
    for integer in &mut integers {
        rest = rest.strip_prefix(&[INTEGER])?;
        let len = take_length(&mut rest)?;
        let (content, after) = rest.split_at_checked(len)?;
        let zeros = content.iter().take_while(|byte| **byte == 0).count();
        *integer = &content[zeros..];
        rest = after;
    }
    let ended = if open {
        rest.starts_with(&[0, 0])
    } else {
        rest.is_empty()
    };
    ended.then_some(integers)
}

/// Writes a sequence of integers; they must have no leading zero bytes.
pub(super) fn write(integers: &[&[u8]]) -> Vec<u8> {
    let content = |integer: &[u8]| integer.len() + usize::from(needs_zero(integer));
    let sequence = integers
        .iter()
        .map(|integer| 1 + length_len(content(integer)) + content(integer))
        .sum();
    // Without growing, since a reallocated buffer would leave secrets behind.
    let mut der = Vec::with_capacity(1 + length_len(sequence) + sequence);
    der.push(SEQUENCE);
    put_length(&mut der, sequence);
    for integer in integers {
        der.push(INTEGER);
        put_length(&mut der, content(integer));
        if needs_zero(integer) {
            der.push(0);
        }
        der.extend_from_slice(integer);
    }
    der
}

/// Zero is encoded as one zero byte, and a set top bit would be a sign.
fn needs_zero(integer: &[u8]) -> bool {
    integer.first().is_none_or(|first| first & 0x80 != 0)
}

/// Reads a length in short or long form, minimal or not.
fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (&first, mut after) = rest.split_first()?;
    let len = if first < INDEFINITE {
        usize::from(first)
    } else if first == INDEFINITE {
        return None;
    } else {
        let bytes;
        (bytes, after) = after.split_at_checked(usize::from(first & 0x7F))?;
        bytes.iter().try_fold(0usize, |len, byte| {
            Some(len.checked_mul(256)? | usize::from(*byte))
        })?
    };
    *rest = after;
    Some(len)
}

fn length_len(len: usize) -> usize {
    if len < 0x80 {
        1
    } else {
        1 + (8 - len.leading_zeros() as usize / 8)
    }
}

fn put_length(der: &mut Vec<u8>, len: usize) {
    if len < 0x80 {
        der.push(len as u8);
    } else {
        let bytes = len.to_be_bytes();
        let zeros = len.leading_zeros() as usize / 8;
        der.push(0x80 | (bytes.len() - zeros) as u8);
        der.extend_from_slice(&bytes[zeros..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_usual_parser_takes_is_taken() {
        let five: Option<[&[u8]; 1]> = Some([&[5]]);
        for der in [
            &[0x30, 3, 2, 1, 5][..],
            &[0x30, 3, 2, 1, 5, 9, 9],
            &[0x30, 5, 2, 3, 0, 0, 5],
            &[0x30, 0x81, 3, 2, 1, 5],
            &[0x30, 0x83, 0, 0, 3, 2, 1, 5],
            &[0x30, 0x80, 2, 1, 5, 0, 0],
            &[0x30, 0x80, 2, 1, 5, 0, 0, 9],
            &[0x30, 4, 2, 0x81, 1, 5],
            &[0x30, 6, 2, 0x83, 0, 0, 1, 5],
        ] {
            assert_eq!(read(der), five, "{der:x?}");
        }
        assert_eq!(read(&[0x30, 3, 2, 1, 0x85]), Some([&[0x85][..]]));
        assert_eq!(read(&[0x30, 2, 2, 0]), Some([&[][..]]));
        assert_eq!(read(&[0x30, 6, 2, 1, 1, 2, 1, 2]), Some([&[1][..], &[2]]));
    }

    #[test]
    fn what_the_usual_parser_refuses_is_refused() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0],
            &[0x30, 0x80],
            &[0x31, 3, 2, 1, 5],
            &[0x30, 3, 3, 1, 5],
            &[0x30, 3, 2, 1],
            &[0x30, 3, 2, 2, 5],
            &[0x30, 2, 2, 1, 5],
            &[0x30, 4, 2, 1, 5, 0],
            &[0x30, 6, 2, 1, 5, 2, 1, 5],
            &[0x30, 0x80, 2, 1, 5],
            &[0x30, 0x80, 2, 1, 5, 0],
            &[0x30, 0x80, 2, 1, 5, 2, 1, 5, 0, 0],
            &[0x30, 7, 2, 0x80, 5, 0, 0],
            &[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 3, 2, 1, 5],
            &[0x30, 0xFF, 2, 1, 5],
        ] {
            assert_eq!(read::<1>(der), None, "{der:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            a in prop::collection::vec(any::<u8>(), 0..300),
            b in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let strip = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
            };
            let (a, b) = (strip(&a), strip(&b));
            let der = write(&[&a, &b]);
            prop_assert_eq!(der.len(), der.capacity());
            prop_assert_eq!(read(&der), Some([&a[..], &b]));
            for len in 0..der.len() {
                prop_assert_eq!(read::<2>(&der[..len]), None);
            }
        }

        #[test]
        fn any_bytes_are_survived(der in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read::<1>(&der);
            let _ = read::<8>(&der);
        }
    }

    #[test]
    fn an_integer_is_written_without_a_sign() {
        for (integer, der) in [
            (&[][..], &[0x30, 3, 2, 1, 0][..]),
            (&[0x7f], &[0x30, 3, 2, 1, 0x7f]),
            (&[0x80], &[0x30, 4, 2, 2, 0, 0x80]),
            (&[0xff], &[0x30, 4, 2, 2, 0, 0xff]),
        ] {
            assert_eq!(write(&[integer]), der);
        }
    }

    #[test]
    fn a_length_that_is_not_given_is_none() {
        // It would be within what follows.
        assert_eq!(take_length(&mut [INDEFINITE; 200].as_slice()), None);
    }
}
