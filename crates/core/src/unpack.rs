//! Decompression of bytes from elsewhere, within limits: a few kilobytes can stand for gigabytes.

use crate::{Error, ErrorKind, Result};

/// Decompresses gzip (RFC 1952), of one or several members.
///
/// Decoding stops at `limit` bytes, and uses memory of that order.
///
/// # Errors
///
/// [`ErrorKind::Decode`] if the bytes are not gzip or are cut off, [`ErrorKind::TooLarge`] if the
/// result is larger than `limit`.
#[cfg(feature = "gzip")]
#[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
pub fn gzip(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    read(flate2::read::MultiGzDecoder::new(packed), limit)
}

/// Decompresses Zstandard (RFC 8878), of one or several frames.
///
/// Decoding stops at `limit` bytes, and uses memory of that order and of the window: frames with a
/// window above 8 MiB, the most that RFC 9659 allows, are refused.
///
/// # Errors
///
/// As [`gzip`].
#[cfg(feature = "zstd")]
#[cfg_attr(docsrs, doc(cfg(feature = "zstd")))]
pub fn zstd(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).and_then(|mut decoder| {
        decoder.window_log_max(23)?;
        Ok(decoder)
    });
    read(decoder.map_err(|cause| unreadable(&cause))?, limit)
}

/// Reads from a decoder to its end, at most `limit` bytes: for other forms of compression.
///
/// # Errors
///
/// [`ErrorKind::Decode`] if the decoder fails, [`ErrorKind::TooLarge`] if there are more bytes than
/// `limit`.
pub fn read(decoder: impl std::io::Read, limit: usize) -> Result<Vec<u8>> {
    use std::io::Read as _;

    let mut plain = Vec::new();
    let beyond = (limit as u64).saturating_add(1);
    let copied = decoder.take(beyond).read_to_end(&mut plain);
    copied.map_err(|cause| unreadable(&cause))?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(plain)
}

fn unreadable(cause: &dyn std::fmt::Display) -> Error {
    let what = format!("the bytes cannot be decompressed: {cause}");
    Error::new(ErrorKind::Decode, what)
}

fn too_large(limit: usize) -> Error {
    let what = format!("decompressed, it is larger than the {limit} bytes allowed");
    Error::new(ErrorKind::TooLarge, what)
}

#[cfg(test)]
#[cfg(all(feature = "gzip", feature = "zstd"))]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_of_gzip_are_joined_and_bounded_together() {
        let packed = [gzipped(b"one"), gzipped(b"two")].concat();
        assert_eq!(gzip(&packed, 6).unwrap(), b"onetwo");
        assert_eq!(gzip(&packed, 5).unwrap_err().kind(), ErrorKind::TooLarge);
        for cut in [1, packed.len() / 2 + 3, packed.len() - 1] {
            let error = gzip(&packed[..cut], 6).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{cut}");
        }
    }

    #[test]
    fn what_grows_without_end_is_cut_at_the_limit() {
        let bomb = gzipped(&vec![0; 16 << 20]);
        assert!(bomb.len() < 20_000);
        let error = gzip(&bomb, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn garbage_is_an_error() {
        for packed in [&b""[..], b"no such thing"] {
            assert_eq!(gzip(packed, 100).unwrap_err().kind(), ErrorKind::Decode);
            assert_eq!(zstd(packed, 100).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    /// The exponent of a window, in units of a kibibyte.
    const EIGHT_MEBIBYTES: u8 = 13;

    /// A frame with blocks of 128 KiB that each repeat one byte.
    fn zstd_frame(window: u8, blocks: usize) -> Vec<u8> {
        let (magic, no_checksum) = ([0x28, 0xb5, 0x2f, 0xfd], 0);
        let mut frame = [&magic[..], &[no_checksum, window << 3]].concat();
        for block in 1..=blocks {
            let repeat = 1 << 1;
            let header = (0x2_0000_u32 << 3) | repeat | u32::from(block == blocks);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(b'x');
        }
        frame
    }

    #[test]
    fn frames_of_zstd_are_joined_and_bounded_together() {
        let block = vec![b'x'; 0x2_0000];
        let plain = [&block[..], &block, &block].concat();
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0][..], b"no"].concat();
        let [two, one] = [2, 1].map(|blocks| zstd_frame(EIGHT_MEBIBYTES, blocks));
        let packed = [two, skipped, one].concat();
        for limit in [plain.len(), usize::MAX] {
            assert!(zstd(&packed, limit).unwrap() == plain);
        }
        for cut in [1, packed.len() - 5, packed.len() - 1] {
            let error = zstd(&packed[..cut], plain.len()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{cut}");
        }
        let trailing = [&packed[..], b"x"].concat();
        assert!(zstd(&trailing, plain.len()).is_err());
        let error = zstd(&packed, plain.len() - 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn windows_of_zstd_are_bounded() {
        assert!(zstd(&zstd_frame(EIGHT_MEBIBYTES, 100), usize::MAX).is_ok());
        let error = zstd(&zstd_frame(EIGHT_MEBIBYTES + 1, 100), usize::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
}
